import { assert, assertEquals, assertRejects } from "@std/assert";
import { sql } from "kysely";
import { FakeClock, Metrics, silentLog } from "../src/base/mod.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";
import { hold, HoldError, openDatabase } from "../src/storage/mod.ts";

const OPTIONS = { name: "one", number: 4711, refusal: "another process does this" };
const there = await hasPostgres();

/** Lets time pass until `done`, or for a while. */
async function pass(clock: FakeClock, done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) {
    await clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 5)); // the database answers in real time
  }
}

for (const [name, ignore] of [["the embedded database", false], ["PostgreSQL", !there]] as const) {
  Deno.test({
    name: `one process at a time holds something on ${name}; the next one waits a little, then is told`,
    ignore,
    async fn() {
      const dataDir = await Deno.makeTempDir(),
        database = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
      const url = name === "PostgreSQL" ? await makeDatabase(database) : `sqlite:${dataDir}/a.db`;
      const clock = new FakeClock(0), deps = { clock, log: silentLog };
      try {
        await using db = await openDatabase(url, {});
        await using other = await openDatabase(url, {});
        {
          await using first = await hold(deps, db.sql, { ...OPTIONS, dataDir });
          assertEquals(first.held, true);
          let told = false;
          const refused = assertRejects(
            () => hold(deps, other.sql, { ...OPTIONS, dataDir }).finally(() => told = true),
            HoldError,
            OPTIONS.refusal,
          );
          await pass(clock, () => told);
          await refused;
        }
        await using next = await hold(deps, other.sql, { ...OPTIONS, dataDir });
        assertEquals(next.held, true);
      } finally {
        if (name === "PostgreSQL") await dropDatabases(database);
        await Deno.remove(dataDir, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "a server's connection that breaks is made anew, unless another process was quicker",
  ignore: !there,
  async fn() {
    const database = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`, dataDir = "/nowhere";
    const clock = new FakeClock(0), deps = { clock, log: silentLog };
    try {
      await using db = await openDatabase(await makeDatabase(database), {});
      await using other = await openDatabase(await makeDatabase(database), {});
      const cut = () =>
        sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 4711`
          .execute(other.sql);
      await using first = await hold(deps, db.sql, { ...OPTIONS, dataDir });
      await cut();
      await pass(clock, () => !first.held);
      await pass(clock, () => first.held);
      assert(first.held);
      await cut();
      await using quicker = await hold(deps, other.sql, { ...OPTIONS, dataDir });
      await pass(clock, () => !first.held);
      await pass(clock, () => false);
      assertEquals([first.held, quicker.held], [false, true]);
    } finally {
      await dropDatabases(database);
    }
  },
});

Deno.test({
  name:
    "a connection that is gone without the server's noticing keeps its own process out no longer than it looks",
  ignore: !there,
  async fn() {
    const database = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`, dataDir = "/nowhere";
    const clock = new FakeClock(0), deps = { clock, log: silentLog };
    await makeDatabase(database);
    await using proxy = new TcpProxy(5432);
    try {
      await using db = await openDatabase(`postgres://postgres@127.0.0.1:${proxy.port}/${database}`, {});
      await using first = await hold(deps, db.sql, { ...OPTIONS, dataDir });
      proxy.forget();
      await pass(clock, () => !first.held);
      assertEquals(first.held, false);
      await pass(clock, () => first.held);
      assert(first.held, "it ended the session that the server still believed in");
    } finally {
      await dropDatabases(database);
    }
  },
});

Deno.test({
  name: "a database that is held closes in seconds, also while its server stands still",
  ignore: !there,
  async fn() {
    const database = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`, dataDir = "/nowhere";
    await makeDatabase(database);
    await using proxy = new TcpProxy(5432);
    try {
      const clock = new FakeClock(0), deps = { clock, log: silentLog, metrics: new Metrics() };
      const url = `postgres://postgres@127.0.0.1:${proxy.port}/${database}`;
      const db = await openDatabase(url, {}, { deps, hold: { ...OPTIONS, dataDir } });
      proxy.stall();
      await clock.advance(2_000); // it looks whether it still holds, and hears nothing
      const began = performance.now();
      await db[Symbol.asyncDispose]();
      // A statement would be given up after 17 seconds.
      assert(performance.now() - began < 12_000);
      proxy.heal();
      await using next = await openDatabase(url, {}, { deps, hold: { ...OPTIONS, dataDir } });
      assertEquals(next.health().status, "up");
    } finally {
      await dropDatabases(database);
    }
  },
});
