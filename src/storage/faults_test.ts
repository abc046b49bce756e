import { assertEquals, assertRejects } from "@std/assert";
import { createLog, FakeClock, Metrics } from "../base/mod.ts";
import { diagnose } from "./faults.ts";
import { openDatabase, StorageError } from "./mod.ts";
import { DatabaseWatch } from "./watch.ts";

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

Deno.test("what drivers throw is told apart: away, slow, full, broken, and a statement that is wrong", () => {
  const cases: [Error, string | undefined][] = [
    [failure("connect ECONNREFUSED", "ECONNREFUSED"), "away"],
    [failure("getaddrinfo ENOTFOUND db", "ENOTFOUND"), "away"],
    [failure("getaddrinfo EAI_AGAIN db", "EAI_AGAIN"), "away"],
    [failure("Connection terminated unexpectedly"), "away"],
    [failure("terminating connection due to administrator command", "57P01"), "away"],
    [failure("the database system is starting up", "57P03"), "away"],
    [failure("sorry, too many clients already", "53300"), "away"],
    [failure("could not extend file", "53100"), "full"],
    [failure("canceling statement due to statement timeout", "57014"), "slow"],
    [failure("timeout exceeded when trying to connect"), "slow"],
    [failure("Query read timeout"), "slow"],
    [failure("deadlock detected", "40P01"), "slow"],
    [failure("cannot execute INSERT in a read-only transaction", "25006"), "broken"],
    [failure("duplicate key value violates unique constraint", "23505"), undefined],
    [failure('relation "x" does not exist', "42P01"), undefined],
    [failure("database or disk is full", "ERR_SQLITE_ERROR"), "full"],
    [failure("disk I/O error", "ERR_SQLITE_ERROR"), "broken"],
    [failure("database is locked", "ERR_SQLITE_ERROR"), "slow"],
    [failure("UNIQUE constraint failed: t.a", "ERR_SQLITE_ERROR"), undefined],
    [new TypeError("the statement takes 1 parameters, not 2"), undefined],
  ];
  assertEquals(cases.map(([error]) => diagnose(error)?.fault), cases.map(([, fault]) => fault));
  assertEquals(diagnose(failure("deadlock detected", "40P01"))?.outage, false);
});

Deno.test("an outage is told when it begins and when it ends, however many statements fail in between", async () => {
  const lines: string[] = [], clock = new FakeClock(), metrics = new Metrics();
  const log = createLog({ level: "warn", format: "json", clock, write: (line) => lines.push(line) });
  using watch = new DatabaseWatch({ clock, log, metrics });
  const asked: boolean[] = [];
  let works = false;
  watch.start((write) => {
    asked.push(write);
    if (works) watch.succeeded(write);
    return Promise.resolve();
  }, false);
  assertEquals([watch.health(), clock.pendingTimers], [{ status: "up" }, 0]);
  for (let i = 0; i < 1000; i++) watch.failed(failure("database or disk is full", "ERR_SQLITE_ERROR"));
  assertEquals(watch.health().status, "degraded");
  watch.succeeded(false);
  assertEquals(watch.health().status, "degraded", "reading still works on a full disk");
  await clock.advance(5000);
  assertEquals(asked, [true, true], "asked by itself whether it can be written");
  works = true;
  await clock.advance(2000);
  assertEquals([watch.health(), clock.pendingTimers], [{ status: "up" }, 0]);
  assertEquals(lines.map((line) => JSON.parse(line).message), [
    "the database does not work",
    "the database works again",
  ]);
  assertEquals(metrics.total("gatehouse_database_failures_total"), 1000);
});

Deno.test("a server is asked by itself only while nobody else asks", async () => {
  const clock = new FakeClock();
  const log = createLog({ level: "error", format: "text", clock, write: () => {} });
  using watch = new DatabaseWatch({ clock, log, metrics: new Metrics() });
  let asked = 0;
  watch.start(() => Promise.resolve(asked++), true);
  watch.succeeded(true);
  await clock.advance(10_000);
  assertEquals(asked, 0);
  await clock.advance(10_000);
  assertEquals(asked, 1);
});

Deno.test("a transaction whose statement is wrong is taken back and throws what was wrong", async () => {
  await using db = await openDatabase<{ note: { id: string } }>("sqlite::memory:", {
    "2026-01-01-notes": {
      up: (sql) => sql.schema.createTable("note").addColumn("id", "text", (c) => c.primaryKey()).execute(),
    },
  });
  const twice = () =>
    db.sql.transaction().execute(async (tx) => {
      for (let i = 0; i < 2; i++) await tx.insertInto("note").values({ id: "a" }).execute();
    });
  const error = await assertRejects(twice, Error, "UNIQUE");
  assertEquals([error instanceof StorageError, db.health().status], [false, "up"]);
  assertEquals(await db.sql.selectFrom("note").selectAll().execute(), []);
});
