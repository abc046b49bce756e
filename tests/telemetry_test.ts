/**
 * What the runtime's OpenTelemetry tells of a platform, with the permissions that it really runs with: exactly what
 * docs/operating.md says, and no secret.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startProgram } from "../scripts/lib/program.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";
import { identity } from "./support/scripted_gateway.ts";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
}

/** A collector: takes OTLP over HTTP as JSON, and keeps it. */
class Collector implements AsyncDisposable {
  readonly spans: Record<string, string>[] = [];
  readonly metrics = new Set<string>();
  readonly logs: string[] = [];
  readonly services = new Set<string>();
  text = "";
  #heard = Promise.withResolvers<void>();
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text(), body = JSON.parse(text), { pathname } = new URL(request.url);
    this.text += text;
    const all = (list: unknown, inner: string, items: string) =>
      (list as Record<string, Record<string, unknown[]>[]>[]).flatMap((one) =>
        one[inner]!.flatMap((scope) => scope[items]!)
      );
    if (pathname === "/v1/traces") {
      for (const { resource } of body.resourceSpans) {
        for (const { key, value } of resource.attributes as Attribute[]) {
          if (key === "service.name") this.services.add(value.stringValue!);
        }
      }
      for (const { name, kind, attributes } of all(body.resourceSpans, "scopeSpans", "spans") as Span[]) {
        const told = attributes.map(({ key, value }) => [key, value.stringValue ?? ""]);
        this.spans.push({ name, kind: String(kind), ...Object.fromEntries(told) });
      }
    } else if (pathname === "/v1/metrics") {
      for (const { name } of all(body.resourceMetrics, "scopeMetrics", "metrics") as { name: string }[]) {
        this.metrics.add(name);
      }
    } else if (pathname === "/v1/logs") {
      for (
        const { body: line } of all(body.resourceLogs, "scopeLogs", "logRecords") as Record<string, unknown>[]
      ) {
        this.logs.push(JSON.stringify(line));
      }
    }
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
    return Response.json({});
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Waits for more until it holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(60_000);
    while (!holds()) {
      const aborted = new Promise<void>((_, reject) =>
        late.addEventListener("abort", () => reject(new Error(`${what}: not told within a minute`)), {
          once: true,
        })
      );
      await Promise.race([this.#heard.promise, aborted]);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

Deno.test("a collector is told of each request and each command asked for, and of no secret", async () => {
  await using collector = new Collector();
  const ports = ["http", "distribution", "access", "plugin-center", "push"];
  const program = await startProgram("platform", [
    ...ports.flatMap((name) => [`--${name}`, "127.0.0.1:0"]),
    ...["--advertise", "127.0.0.1", "--log-level", "debug"],
  ], {
    env: {
      GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN,
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: "gatehouse",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_METRIC_EXPORT_INTERVAL: "200",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    },
  });
  const me = identity(3), commands = `/api/v1/gateways/${me.mac}/commands`;
  {
    await using _ = program;
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`http://127.0.0.1:${program.ports["http"]}${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await call("POST", "/api/v1/gateways", me), 201);
    assertEquals(await call("POST", commands, { parameter: { CmdType: "X", PassWD: "very-secret" } }), 202);
    assertEquals(await call("GET", "/api/v1/gateways/64D954999999"), 404);
    const span = (method: string, path: string, status: string) =>
      collector.spans.find((one) =>
        one["kind"] === "2" && one["http.request.method"] === method && one["url.path"] === path &&
        one["http.response.status_code"] === status
      );
    await collector.until("spans", () =>
      span("POST", commands, "202") !== undefined &&
      span("GET", "/api/v1/gateways/64D954999999", "404") !== undefined);
    await collector.until("metrics", () => collector.metrics.has("http.server.request.duration"));
  }
  assertEquals([...collector.services], ["gatehouse"]);
  // What Gatehouse counts is on /metrics, its log on standard error: neither goes this way.
  assertEquals([...collector.metrics].filter((name) => name.startsWith("gatehouse")), []);
  assert(program.log().includes("very-secret") === false);
  assertEquals(collector.logs.filter((line) => line.includes("listening:") || line.includes("level")), []);
  assert(!collector.text.includes(ADMIN_TOKEN) && !collector.text.includes("very-secret"));
});
