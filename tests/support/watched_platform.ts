/**
 * A platform with everything of a household at it, whose log and metrics a test can read while faults befall it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  calmLog,
  createLog,
  type Deps,
  Metrics,
  newId,
  systemClock,
  systemRandom,
} from "../../src/base/mod.ts";
import { systemNetwork } from "../../src/net/mod.ts";
import { SpClient, type SpHandlers } from "../../src/sp_client/mod.ts";
import { SERVICES } from "../../src/platform/settings.ts";
import { type TestPlatform, testPlatform } from "./platform.ts";
import { h, identity, register, TcpPeer, UdpPeer } from "./scripted_gateway.ts";

export const DEV_RND = "0123456789ABCDEF0123456789ABCDEF";
const SP = { spId: "900001", secret: "888888", spCode: "10658888" };

/** A line of the log. */
export interface Line {
  readonly level: string;
  readonly message: string;
}

/** What a fault is watched with. */
export interface Stage extends AsyncDisposable {
  readonly p: TestPlatform;
  readonly lines: Line[];
  /** A registered gateway with a channel, and a provider that is let in. */
  readonly me: ReturnType<typeof identity>;
  readonly udp: UdpPeer;
  readonly channel: TcpPeer;
  readonly sp: SpClient;
  /** A user of the app who is signed in. */
  app(method: string, path: string, body?: unknown): Promise<Response>;
  api(method: string, path: string, body?: unknown): Promise<Response>;
  heartbeat(): Promise<unknown>;
  health(): Promise<{ code: number; status: string; database: string }>;
  metric(name: string): Promise<number | undefined>;
  push(text: string): Promise<unknown>;
  /** Sends a short message that asks for a report; its Result. */
  sms(): Promise<number>;
  /** Looks again until it holds, for at most a minute. */
  until(what: string, look: () => Promise<boolean> | boolean): Promise<void>;
}

/** Starts all of it. */
export async function startStage(
  { database, dataDir, sp: handlers = {} }: { database?: string; dataDir?: string; sp?: SpHandlers },
): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const lines: Line[] = [], metrics = new Metrics();
  const inner = createLog({
    level: "warn",
    format: "json",
    clock: systemClock,
    write: (line) => void lines.push(JSON.parse(line)),
  });
  const log = calmLog(inner, { clock: systemClock, metrics });
  const deps: Deps = { clock: systemClock, random: systemRandom, log, metrics };
  const local = { host: "127.0.0.1", port: 0 };
  const p = stack.use(
    await testPlatform({
      deps,
      ...(dataDir === undefined ? {} : { dataDir }),
      settings: {
        ...(database === undefined ? {} : { database }),
        services: SERVICES.filter((name) => name !== "gns"),
        sms: { listen: local, short: local, gatewayCode: "001001" },
      },
    }),
  );
  const me = identity(77), udp = stack.use(new UdpPeer());
  assertEquals((await p.call("POST", "/api/v1/gateways", me)).status, 201);
  assertEquals((await register(udp, p.ports.access!, me, DEV_RND)).Result, 2);
  const channel = stack.use(await TcpPeer.connect(p.ports.plugin_center!));
  assertEquals(await channel.signIn(me), { Result: 0 });
  assertEquals((await p.call("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 10_000 })).status, 201);
  const sp = stack.use(
    new SpClient(
      { ...deps, network: systemNetwork(deps) },
      {
        server: { host: "127.0.0.1", port: p.ports.sms! },
        spId: SP.spId,
        secret: SP.secret,
        flowControlMs: 0, // each answer is the test's to see
      },
      handlers,
    ),
  );
  await sp.ready;
  const ask = (token: string) => (method: string, path: string, body?: unknown) =>
    fetch(p.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const credentials = { name: "li.wei", password: "correct horse battery" };
  await (await ask("none")("POST", "/app/v1/users", credentials)).body?.cancel();
  const session = await (await ask("none")("POST", "/app/v1/sessions", credentials)).json();
  const owned = stack.move();
  return {
    p,
    lines,
    me,
    udp,
    channel,
    sp,
    app: ask(session.token),
    api: ask("administrator-of-the-tests"),
    heartbeat: () => udp.ask({ RPCMethod: "Hb", MAC: me.mac }, p.ports.access!),
    async health() {
      const response = await ask("administrator-of-the-tests")("GET", "/healthz");
      const body = await response.json();
      const database = body.services.find((each: { name: string }) => each.name === "database");
      return { code: response.status, status: body.status, database: database.status };
    },
    async metric(name) {
      const text = await (await fetch(`${p.url}/metrics`)).text();
      const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text);
      return found ? Number(found[1]) : undefined;
    },
    async push(text) {
      using peer = await TcpPeer.connect(p.ports.push!);
      const time = "20260101120000", content = btoa(`${text} ${newId()}`);
      return await peer.ask({
        RPCMethod: "MessagePush",
        mac: me.mac,
        Plugin_Name: "door",
        time,
        Message: content,
        MD5: h(time, content, me.mac, me.sn),
      });
    },
    async sms() {
      const [part] = await sp.sendText({ to: ["13800138000"], text: "hello", from: SP.spCode, report: true });
      return part!.result;
    },
    async until(what, look) {
      for (const end = performance.now() + 60_000; !await look();) {
        if (performance.now() > end) throw new Error(`${what}: not within a minute`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The body of a refusal, after checking that it is the one that a database's outage brings. */
export async function refused(response: Response, reasons: readonly string[]): Promise<void> {
  const body = await response.json();
  assertEquals(
    [
      response.status,
      body.code,
      reasons.includes(body.reason),
      Number(response.headers.get("retry-after")) > 0,
    ],
    [503, "database_unavailable", true, true],
    JSON.stringify(body),
  );
}
