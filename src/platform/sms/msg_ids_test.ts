import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { parseMsgId } from "../../protocol/cmpp/mod.ts";
import { MsgIds } from "./msg_ids.ts";

const START = Date.UTC(2026, 10, 22, 3, 50, 11);
const ids = (clock: FakeClock, lastUsedAt = 0) =>
  new MsgIds(clock, { gatewayCode: "001001", lastUsedAt, utcOffsetMinutes: 480 });

Deno.test("a second has 65,536 ids and no more; the next second has its own", async () => {
  const clock = new FakeClock(START), source = ids(clock), seen = new Set<bigint>();
  for (let i = 0; i < 65_536; i++) seen.add(source.take()!);
  assertEquals([seen.size, source.take()], [65_536, undefined]);
  await clock.advance(1000);
  assertEquals(seen.has(source.take()!), false);
});

Deno.test("a group that does not fit in what is left of a second gets no id, a smaller one does", () => {
  const source = ids(new FakeClock(START));
  for (let i = 0; i < 661; i++) source.take(99);
  assertEquals(source.take(99), undefined);
  assertEquals(parseMsgId(source.take(97)!).sequence, 65_439);
});

Deno.test("no id comes twice when the clock goes back or the program starts again in the same second", async () => {
  const clock = new FakeClock(START), source = ids(clock);
  const first = source.take()!;
  clock.jump(-3_600_000);
  assertEquals(source.take()! > first, true);
  const restarted = ids(new FakeClock(START), START + 200);
  assertEquals(restarted.take(), undefined);
  const later = new FakeClock(START), again = ids(later, START + 200);
  await later.advance(1000);
  assertEquals(parseMsgId(again.take()!).second, 12);
});
