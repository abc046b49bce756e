import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/mod.ts";
import type { StatusReport } from "../protocol/cmpp/mod.ts";
import { SpError } from "./errors.ts";
import { ReportBook } from "./reports.ts";

const report = (Msg_Id: bigint): StatusReport => ({
  Msg_Id,
  Stat: "DELIVRD",
  Submit_time: "",
  Done_time: "",
  Dest_terminal_Id: "",
  SMSC_sequence: 0,
});

Deno.test("reports and those who wait for them take bounded memory, and one timer", async () => {
  const clock = new FakeClock(0), book = new ReportBook(clock, 1_000);
  for (let id = 0n; id < 50_000n; id++) book.match(report(id));
  assertEquals(book.early, 10_000);
  assertEquals((await book.expect(49_999n, 1_000)).Stat, "DELIVRD");
  const waiting = Array.from({ length: 1_000 }, (_, i) => book.expect(100_000n + BigInt(i), 48 * 3_600_000));
  const { code } = await assertRejects(() => book.expect(1n, 1_000), SpError);
  assertEquals([code, book.waiting, clock.pendingTimers], ["full", 1_000, 1]);
  await clock.advance(48 * 3_600_000 + 1_000);
  assertEquals(new Set((await Promise.all(waiting)).map(({ Stat }) => Stat)), new Set(["UNKNOWN"]));
  assertEquals([book.waiting, clock.pendingTimers], [0, 0]);
});

Deno.test("each who waits is told in its own time, also behind one who waits longer", async () => {
  const clock = new FakeClock(0), book = new ReportBook(clock, 10), told: string[] = [];
  book.expect(1n, 60_000).then(({ Stat }) => told.push(`long ${Stat}`));
  book.expect(2n, 5_000).then(({ Stat }) => told.push(`short ${Stat}`));
  await clock.advance(6_000);
  assertEquals(told, ["short UNKNOWN"]);
  book.match(report(1n));
  await clock.advance(0);
  assertEquals(told, ["short UNKNOWN", "long DELIVRD"]);
});

Deno.test("a book that is closed tells everybody at once", async () => {
  const clock = new FakeClock(0), book = new ReportBook(clock, 10);
  const waiting = book.expect(1n, 60_000);
  book.stop();
  assertEquals([(await waiting).Stat, (await book.expect(2n, 60_000)).Stat], ["UNKNOWN", "UNKNOWN"]);
  assertEquals(clock.pendingTimers, 0);
});
