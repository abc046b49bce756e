/**
 * What holds on the embedded database holds on PostgreSQL.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { openDatabase, StorageError } from "../src/storage/mod.ts";
import { startFleet } from "./support/fleet.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";

const there = await hasPostgres();
const why = there ? "" : " (ignored: no PostgreSQL on 127.0.0.1:5432)";
/** Flows of the platform, of the app and of short messages. */
const FLOWS = [
  ...["platform_flow", "platform_commands", "platform_intake", "fleet", "rollouts", "plugin_repository"],
  ...[
    "app_flow",
    "timeline",
    "policy",
    "push",
    "sms_flow",
    "sms_routing",
    "sms_crash",
    "idempotency",
    "etag",
  ],
  ...["alarms", "command_search", "app_api_docs", "console", "console_forms", "console_editors"],
  ...["http_limits", "security_wire", "degraded_clock"],
].map((flow) => `./${flow}_test.ts`);
/** Parts of the platform that keep anything; of short messages those that look at rows. */
const PARTS = [
  ...[
    "access",
    "alarms",
    "app",
    "commands",
    "distribution",
    "fleet",
    "people",
    "push",
    "registry",
    "rollouts",
  ],
  ...["webhooks", "sms/store_test.ts", "sms/received_test.ts", "sms/dispatcher_test.ts"],
].map((part) => `../src/platform/${part}`);

Deno.test({
  name: `the platform's parts, and its flows with apps and short messages, hold on PostgreSQL too${why}`,
  ignore: !there,
  async fn() {
    const prefix = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}_`;
    try {
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["test", "--quiet", "--no-prompt", "--no-check"],
          ...["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"],
          ...[...PARTS, ...FLOWS].map((path) => new URL(path, import.meta.url).pathname),
        ],
        env: { GATEHOUSE_TEST_POSTGRES: prefix, NO_COLOR: "1" },
        stderr: "inherit",
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stdout));
    } finally {
      await dropDatabases(prefix);
    }
  },
});

Deno.test({
  name: `a server that is away, or a password in its URL, is told without the password${why}`,
  ignore: !there,
  async fn() {
    const error = await assertRejects(
      () => openDatabase("postgres://someone:s3cret@127.0.0.1:1/nothing", {}),
      StorageError,
    );
    assertEquals([error.code, error.message.includes("s3cret")], ["unavailable", false]);
  },
});

Deno.test({
  name: `numbers of eight bytes come back as numbers, as the embedded database gives them${why}`,
  ignore: !there,
  async fn() {
    const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
    try {
      await using db = await openDatabase<{ t: { at: number } }>(await makeDatabase(name), {
        "2026-01-01-t": { up: (sql) => sql.schema.createTable("t").addColumn("at", "bigint").execute() },
      });
      const at = Date.UTC(2026, 0, 1);
      await db.sql.insertInto("t").values({ at }).execute();
      assertEquals(await db.sql.selectFrom("t").selectAll().execute(), [{ at }]);
    } finally {
      await dropDatabases(name);
    }
  },
});

Deno.test({
  name:
    `a platform in a process of its own keeps its gateways on the server, with no more permissions than ever${why}`,
  ignore: !there,
  async fn() {
    const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
    try {
      await using fleet = await startFleet({ platformArgs: ["--database", await makeDatabase(name)] });
      const { body } = await fleet.command({ CmdType: "QUERY_CPU_INFO" }, 20);
      assertEquals(body.status, "succeeded", JSON.stringify(body));
      fleet.platform.kill("SIGKILL");
      await fleet.platform.status;
      await fleet.restartPlatform();
      assertEquals((await fleet.look(body.id)).status, "succeeded");
      assertEquals((await fleet.command({ CmdType: "QUERY_CPU_INFO" }, 20)).body.status, "succeeded");
    } finally {
      await dropDatabases(name);
    }
  },
});
