/**
 * A platform that runs alone has its database alone: another one beside it, or a cluster's node, would overwrite what
 * it knows. Whoever comes second is told so at its start.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { startProgram } from "../scripts/lib/program.ts";
import { createLog } from "../src/base/mod.ts";
import { HoldError } from "../src/storage/mod.ts";
import { NATS, there, why } from "./support/nodes.ts";
import { realDeps, testPlatform } from "./support/platform.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const hasServer = await hasPostgres();
const noServer = hasServer ? "" : " (ignored: no PostgreSQL on 127.0.0.1:5432)";
const LISTEN = ["http", "distribution", "access", "push", "plugin-center"].flatMap((
  name,
) => [`--${name}`, "127.0.0.1:0"]);

/** Work with an empty database that goes with it. */
async function withDatabase(work: (url: string, name: string) => Promise<void>): Promise<void> {
  const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
  try {
    await work(await makeDatabase(name), name);
  } finally {
    await dropDatabases(name);
  }
}

/** Time passes until `done`. */
async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!await done()) {
    if (Date.now() > end) throw new Error(`${what}: not within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test({
  name: `a platform that runs alone lets neither another one nor a node on its database, and comes back ` +
    `after it was killed${why}`,
  ignore: !there,
  fn: () =>
    withDatabase(async (database) => {
      const start = (...more: string[]) =>
        startProgram("platform", [...LISTEN, "--advertise", "127.0.0.1", "--database", database, ...more]);
      const node = (name: string) => start("--nats", NATS, "--node", name);
      const refused = async (starting: Promise<AsyncDisposable>) => {
        const { message } = await assertRejects(
          async () => void await (await starting)[Symbol.asyncDispose](),
          Error,
          "ended (1) before it was ready",
        );
        assertStringIncludes(
          message,
          "gatehouse: another platform uses this database: stop it, or start each of them as a node of one " +
            "cluster with --nats and --node",
        );
      };
      {
        await using first = await start();
        await Promise.all([refused(start()), refused(node("n1"))]);
        first.kill("SIGKILL");
        await first.status;
        await using _again = await start();
      }
      await using _one = await node("n1");
      await using _two = await node("n2");
      await refused(start());
    }),
});

Deno.test({
  name:
    `a platform goes on when its server is back, unless another one has taken the database over${noServer}`,
  ignore: !hasServer,
  fn: () =>
    withDatabase(async (direct, name) => {
      await using proxy = new TcpProxy(5432);
      const url = `postgres://postgres@127.0.0.1:${proxy.port}/${name}`;
      const lines: string[] = [], deps = realDeps();
      const log = createLog({
        ...{ level: "info", format: "text" },
        clock: deps.clock,
        write: (l) => lines.push(l),
      });
      await using one = await testPlatform({ settings: { database: url }, deps: { ...deps, log } });
      const status = async () => (await one.call("GET", "/api/v1/gateways")).status;
      const noticed = () => until("noticed", async () => await status() === 503);
      proxy.refuse();
      await noticed();
      proxy.heal();
      await until("it goes on", async () => await status() === 200);
      await until("it holds it", () =>
        lines.some((line) => line.includes("holds again what one process may do")));
      await assertRejects(
        () =>
          testPlatform({ settings: { database: direct } }),
        HoldError,
        "--nats and --node",
      );
      proxy.refuse();
      await noticed();
      await using _two = await testPlatform({ settings: { database: direct } });
      proxy.heal();
      await until("it has seen that", () => one.platform.health().status === "down");
      const { status: refused, body } = await one.call("GET", "/api/v1/gateways");
      assertEquals([refused, body.code], [503, "database_unavailable"], JSON.stringify(body));
    }),
});
