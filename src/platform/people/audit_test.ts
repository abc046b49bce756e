import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { AuditLog } from "./audit.ts";
import { peopleMigrations, type PeopleTables } from "./mod.ts";

const ENTRY = {
  ...{ actor: "a", actor_name: "a", action: "x", target: "/", status: 200, address: "", request_id: "r" },
};

Deno.test("a log whose beginning is cut off while it is looked through is not called broken", async () => {
  await using db = await testDatabase<PeopleTables>(peopleMigrations);
  const clock = new FakeClock(1_000_000), log = new AuditLog(db.sql, clock);
  for (let n = 0; n < 5; n++) await log.add({ ...ENTRY, after: n });
  await clock.advance(1000);
  for (let n = 5; n < 8; n++) await log.add({ ...ENTRY, after: n });
  // Another node cuts it off after this one has looked where it begins.
  const all = log.all.bind(log);
  let looks = 0;
  log.all = async function* (after) {
    if (looks++ === 0) await new AuditLog(db.sql, clock).forgetBefore(clock.now());
    yield* all(after);
  };
  const { intact, entries } = await log.verify();
  assertEquals([intact, entries, looks], [true, 4, 2]);
  // One that was tampered with is, however often it is looked at.
  await db.sql.deleteFrom("audit").where("seq", "=", 7).execute();
  assertEquals((await log.verify()).brokenAt, 7);
});
