/**
 * A gateway in the test's own process, on ports of the system's choosing, with folders of its own.
 *
 * @module
 */
import { createLog, type Deps, Metrics, silentLog, systemClock, systemRandom } from "../../src/base/mod.ts";
import {
  type Gateway,
  type GatewayPorts,
  type GatewaySettings,
  startGateway,
} from "../../src/gateway/mod.ts";
import {
  type CapabilityReply,
  decodeCapabilityReply,
  decodePost1Reply,
  encodeCapabilityRequest,
  encodeFrame,
  encodePost1,
  FrameDecoder,
} from "../../src/protocol/smart_gateway/mod.ts";
import type { ScriptedPlatform } from "./scripted_platform.ts";

export const MAC = "64D95420214B";
export const SN = "64D954-D6AEE64D95420214B";
export const LOID = "LOID0001";
export const GATEWAY_TOKEN = "gateway-administrator";

/** A gateway under test. */
export interface TestGateway extends AsyncDisposable {
  gateway: Gateway;
  readonly folder: string;
  readonly deps: Deps;
  /** Stops it and starts it again on the same folders, perhaps with other settings. */
  restart(changes?: Partial<GatewaySettings>): Promise<void>;
  /** Asks its control API. */
  control(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** A Post1 on its local port. */
  post1(cmdType: string, fields?: Record<string, string>, pluginName?: string): Promise<LocalAnswer>;
}

/** The answer to a Post1. */
export interface LocalAnswer {
  readonly result: number;
  readonly reply: CapabilityReply;
}

/** Starts a gateway that belongs to `platform`. */
export async function testGateway(
  platform: ScriptedPlatform,
  more: Partial<GatewaySettings> = {},
  ports: GatewayPorts = {},
): Promise<TestGateway> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-gateway-" });
  const log = Deno.env.has("GATEHOUSE_TEST_LOG")
    // deno-lint-ignore no-console -- asked for by whoever runs the tests
    ? createLog({ level: "debug", format: "text", clock: systemClock, write: (line) => console.error(line) })
    : silentLog;
  const settings: GatewaySettings = {
    dataDir: `${folder}/data`,
    mgtUrl: platform.distributionAt.host,
    port: platform.distributionAt.port,
    mac: MAC,
    sn: SN,
    loid: LOID,
    vendor: "Vendor",
    model: "Model",
    local: { host: "127.0.0.1", port: 0 },
    control: { host: "127.0.0.1", port: 0 },
    pluginsDir: `${folder}/plugins`,
    isolation: "inline",
    driver: "linux",
    adminToken: GATEWAY_TOKEN,
    ...more,
  };
  const deps = { clock: systemClock, random: systemRandom, log, metrics: new Metrics() };
  const test: TestGateway = {
    gateway: await startGateway(deps, settings, ports),
    folder,
    deps,
    async restart(changes = {}) {
      await test.gateway[Symbol.asyncDispose]();
      test.gateway = await startGateway(deps, { ...settings, ...changes }, ports);
    },
    async control(method, path, body) {
      const { host, port } = test.gateway.control;
      const response = await fetch(`http://${host}:${port}${path}`, {
        method,
        headers: { authorization: `Bearer ${GATEWAY_TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text !== "" && response.headers.get("content-type")?.includes("json")
          ? JSON.parse(text)
          : { text },
      };
    },
    async post1(cmdType, fields = {}, pluginName = "") {
      const parameter = encodeCapabilityRequest({ cmdType, sequenceId: "00000001", fields });
      const body = await exchangeFrame(
        test.gateway.local.port,
        encodePost1({ method: "Post1", id: "app-1", pluginName, version: "", parameter }),
      );
      const { result, returnParameter } = decodePost1Reply(body!);
      return { result, reply: decodeCapabilityReply(returnParameter!) };
    },
    async [Symbol.asyncDispose]() {
      await test.gateway[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return test;
}

/** Sends one frame to a port of this machine and reads until the other side closes; the first frame that came. */
export async function exchangeFrame(port: number, body: Uint8Array): Promise<Uint8Array | undefined> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const frame = encodeFrame(body);
  for (let at = 0; at < frame.length;) at += await conn.write(frame.subarray(at));
  const decoder = new FrameDecoder(), buffer = new Uint8Array(65536);
  let first: Uint8Array | undefined;
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return first;
    first ??= decoder.push(buffer.subarray(0, count))[0]?.slice();
  }
}
