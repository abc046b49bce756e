/**
 * Idempotency-Keys as rows, on both databases.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { FakeClock, silentLog } from "../src/base/mod.ts";
import type { Claim } from "../src/control/mod.ts";
import { type Database, openDatabase } from "../src/storage/mod.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";
import {
  IdempotencyKeys,
  idempotencyMigrations,
  type IdempotencyTables,
} from "../src/platform/idempotency/mod.ts";

const claim = (key: string, more: Partial<Claim> = {}): Claim => ({
  id: `id of ${key}`,
  actor: "operator:li",
  kind: "operator",
  digest: "what was asked",
  ...more,
});
const answer = { status: 201, headers: { "content-type": "application/json" }, body: '{"id":"1"}' };
const HOUR = 3_600_000;

/** The same on both databases. */
function test(name: string, fn: (database: Database<IdempotencyTables>, clock: FakeClock) => Promise<void>) {
  Deno.test(name, async () => {
    await using database = await openDatabase<IdempotencyTables>("sqlite::memory:", idempotencyMigrations);
    await fn(database, new FakeClock());
  });
  Deno.test(`${name}, on PostgreSQL`, async () => {
    if (!await hasPostgres()) return;
    const prefix = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
    try {
      const url = await makeDatabase(prefix);
      await using database = await openDatabase<IdempotencyTables>(url, idempotencyMigrations);
      await fn(database, new FakeClock());
    } finally {
      await dropDatabases(prefix);
    }
  });
}

const open = ({ sql }: Database<IdempotencyTables>, clock: FakeClock, node = "a") =>
  IdempotencyKeys.open(sql, { clock, log: silentLog }, node);

test(
  "one of many at once gets the claim, on whichever node, and all get its answer",
  async (database, clock) => {
    await using a = await open(database, clock);
    await using b = await open(database, clock, "b");
    const one = claim("one");
    const standings = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).claim(one)));
    const kinds = standings.map(({ kind }) => kind).sort();
    assertEquals([kinds[0], kinds[1], kinds.at(-1)], ["claimed", "in_progress", "in_progress"]);
    await b.finish(one, answer);
    for (const keys of [a, b]) assertEquals(await keys.claim(one), { kind: "answered", answer });
    assertEquals(await a.claim({ ...one, digest: "something else" }), { kind: "other" });
  },
);

test(
  "what a killed node had in work is unknown once it is back, and elsewhere when its time is up",
  async (database, clock) => {
    const killed = await open(database, clock);
    await using other = await open(database, clock, "b");
    const [one, two] = [claim("one"), claim("two")];
    assertEquals((await killed.claim(one)).kind, "claimed");
    assertEquals((await other.claim(two)).kind, "claimed");
    assertEquals((await other.claim(one)).kind, "in_progress");
    await clock.advance(5 * 60_000);
    assertEquals((await other.claim(one)).kind, "unknown");
    const three = claim("three"), four = claim("four");
    await killed.claim(three);
    await other.claim(four);
    await using back = await open(database, clock);
    assertEquals((await back.claim(three)).kind, "unknown");
    assertEquals((await back.claim(four)).kind, "in_progress");
    // It was not killed after all, only slow: its answer counts.
    await killed.finish(one, answer);
    assertEquals((await other.claim(one)).kind, "answered");
    await killed[Symbol.asyncDispose]();
  },
);

test("a claim that was released can be had again, one that was abandoned not", async (database, clock) => {
  await using keys = await open(database, clock);
  const one = claim("one"), two = claim("two");
  await keys.claim(one);
  await keys.release(one);
  assertEquals((await keys.claim(one)).kind, "claimed");
  await keys.claim(two);
  await keys.abandon(two);
  assertEquals((await keys.claim(two)).kind, "unknown");
  await keys.finish(one, answer);
  await keys.release(one);
  assertEquals((await keys.claim(one)).kind, "answered");
});

test("answers are kept for a day, and old rows are removed", async (database, clock) => {
  await using keys = await open(database, clock);
  const one = claim("one");
  await keys.claim(one);
  await keys.finish(one, answer);
  await clock.advance(24 * HOUR - 1);
  assertEquals((await keys.claim(one)).kind, "answered");
  await clock.advance(1);
  assertEquals((await keys.claim(one)).kind, "claimed");
  await clock.advance(24 * HOUR);
  for (let tries = 0; tries < 200; tries++) {
    if ((await database.sql.selectFrom("idempotency").select("id").execute()).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
    await clock.advance(HOUR); // the next look
  }
  throw new Error("the row is still there");
});

test("one caller can fill neither the table nor the place of others", async (database, clock) => {
  await using keys = await open(database, clock);
  const user = { actor: "user:1", kind: "user" } as const;
  // Long answers of one caller: from 1 Mi characters on they are not kept, and a longer one never is.
  const large = { ...answer, body: "x".repeat(262_144) };
  for (let n = 0; n < 6; n++) {
    await keys.claim(claim(`large ${n}`, user));
    await keys.finish(claim(`large ${n}`, user), large);
  }
  const bodies = await Promise.all([0, 3, 4, 5].map((n) => keys.claim(claim(`large ${n}`, user))));
  assertEquals(bodies.map((one) => one.kind === "answered" && one.answer.body?.length), [
    262_144,
    262_144,
    undefined,
    undefined,
  ]);
  await keys.claim(claim("too large"));
  await keys.finish(claim("too large"), { ...answer, body: "x".repeat(262_145) });
  assertEquals(await keys.claim(claim("too large")), { kind: "answered", answer: { ...answer, body: null } });
  const rows = Array.from({ length: 994 }, (_, n) => ({
    id: `filled ${n}`,
    actor: user.actor,
    digest: "",
    node: "a",
    created_at: clock.now(),
    due_at: 0,
    size: 0,
  })) as never[];
  for (let at = 0; at < rows.length; at += 100) {
    await database.sql.insertInto("idempotency").values(rows.slice(at, at + 100)).execute();
  }
  assertEquals((await keys.claim(claim("one more", user))).kind, "full");
  assertEquals(
    (await keys.claim(claim("somebody else's", { actor: "user:2", kind: "user" }))).kind,
    "claimed",
  );
});
