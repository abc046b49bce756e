/**
 * A platform in the test's own process, on ports of the system's choosing.
 *
 * @module
 */
import { createLog, type Deps, Metrics, silentLog, systemClock, systemRandom } from "../../src/base/mod.ts";
import {
  DEFAULT_SERVICES,
  type Platform,
  type PlatformSettings,
  startPlatform,
} from "../../src/platform/mod.ts";

import type { Network } from "../../src/net/mod.ts";
import { platformDatabase } from "./postgres.ts";

/** The administrator's token of test platforms. */
export const ADMIN_TOKEN = "administrator-of-the-tests";

/** Real dependencies; `GATEHOUSE_TEST_LOG=debug` shows the log. */
export function realDeps(): Deps {
  const level = Deno.env.get("GATEHOUSE_TEST_LOG");
  const log = level
    // deno-lint-ignore no-console -- a test's log is for whoever runs it
    ? createLog({ level: "debug", format: "text", clock: systemClock, write: (line) => console.error(line) })
    : silentLog;
  return { clock: systemClock, random: systemRandom, log, metrics: new Metrics() };
}

/** A running test platform and how to talk to it. */
export interface TestPlatform extends AsyncDisposable {
  readonly platform: Platform;
  readonly url: string;
  /** `name` of a service to its port. */
  readonly ports: Readonly<Record<string, number>>;
  /** Calls the API as the administrator; answers status and decoded body. */
  call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
}

/** Starts a platform over `dataDir`, or over a folder of its own that goes with it. */
export async function testPlatform(
  options: {
    dataDir?: string;
    settings?: Partial<PlatformSettings>;
    deps?: Deps;
    network?: Network;
  } = {},
): Promise<TestPlatform> {
  const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "gatehouse-platform-" });
  const local = { host: "127.0.0.1", port: 0 };
  // Where `GATEHOUSE_TEST_POSTGRES` gives the beginning of names, each folder's platform has a database on the server.
  const prefix = Deno.env.get("GATEHOUSE_TEST_POSTGRES");
  const database = prefix ? await platformDatabase(prefix, dataDir.replace(/\W/g, "").slice(-16)) : undefined;
  const platform = await startPlatform(options.deps ?? realDeps(), {
    dataDir,
    services: DEFAULT_SERVICES,
    http: local,
    distribution: local,
    access: local,
    pluginCenter: local,
    push: local,
    advertise: "127.0.0.1",
    database,
    heartbeatSeconds: 60,
    adminToken: ADMIN_TOKEN,
    ...options.settings,
  }, options.network);
  const url = `http://127.0.0.1:${platform.http.port}`;
  const ports: Record<string, number> = {};
  for (const { name, addresses } of platform.services) {
    if (addresses[0] !== undefined) ports[name] = Number(addresses[0].split(":").at(-1));
  }
  return {
    platform,
    url,
    ports,
    async call(method, path, body) {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          ...(body === undefined || body instanceof Uint8Array ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined
          ? {}
          : { body: body instanceof Uint8Array ? body as BodyInit : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
    },
    async [Symbol.asyncDispose]() {
      await platform[Symbol.asyncDispose]();
      if (options.dataDir === undefined) await Deno.remove(dataDir, { recursive: true });
    },
  };
}
