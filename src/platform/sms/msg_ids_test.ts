import { assert, assertEquals } from "@std/assert";
import { FakeClock, silentLog } from "../../base/mod.ts";
import { parseMsgId } from "../../protocol/cmpp/mod.ts";
import { MsgIds } from "./msg_ids.ts";

const START = Date.UTC(2026, 10, 22, 3, 50, 11);

/** What survives a restart. */
interface Disk {
  reserved: number;
  full?: boolean;
}

const open = (clock: FakeClock, lastUsedAt = 0, disk: Disk = { reserved: 0 }) =>
  MsgIds.open({ clock, log: silentLog }, {
    gatewayCode: "001001",
    utcOffsetMinutes: 480,
    lastUsedAt,
    reserved: disk.reserved,
    reserve(second) {
      if (disk.full) return Promise.reject(new Error("disk full"));
      disk.reserved = second;
      return Promise.resolve();
    },
  });

Deno.test("a second has 65,536 ids; those of the next ones follow at once, in order and each once", async () => {
  const clock = new FakeClock(START), disk: Disk = { reserved: 0 }, source = await open(clock, 0, disk);
  let last = 0n;
  for (let i = 0; i < 200_000; i++) {
    const id = source.take()!;
    assert(id >> 16n >= last >> 16n);
    last = id;
    if (i % 1000 === 0) await clock.advance(0);
  }
  assertEquals([parseMsgId(last).second, source.ahead], [14, 3]);
  const ofThat = new Set<bigint>();
  for (let i = 0; i < 65_536 * 2; i++) ofThat.add(source.take()!);
  assertEquals(ofThat.size, 65_536 * 2);
  // A restart begins behind all of them, though the clock has not come there.
  const again = await open(clock, START, disk);
  assert(again.take()! >> 16n > last >> 16n);
  await clock.advance(60_000);
  source.take();
  assertEquals(source.ahead, 0);
});

Deno.test("ids ahead of the clock are not given before the disk knows", async () => {
  const clock = new FakeClock(START),
    disk: Disk = { reserved: 0, full: true },
    source = await open(clock, 0, disk);
  for (let i = 0; i < 65_536; i++) assert(source.take() !== undefined);
  await clock.advance(0);
  assertEquals(source.take(), undefined);
  disk.full = false;
  await clock.advance(0);
  assertEquals(source.take(), undefined); // has it written down
  await clock.advance(0);
  assertEquals(parseMsgId(source.take()!).second, 12);
});

Deno.test("a group that does not fit in what is left of a second gets ids of the next one, all in a row", async () => {
  const clock = new FakeClock(START), source = await open(clock);
  for (let i = 0; i < 661; i++) source.take(99);
  await clock.advance(0);
  assertEquals(parseMsgId(source.take(99)!).second, 12);
  assertEquals(source.take(65_437)! !== undefined, true);
});

Deno.test("no id comes twice when the clock goes back or the program starts again in the same second", async () => {
  const clock = new FakeClock(START), disk: Disk = { reserved: 0 }, source = await open(clock, 0, disk);
  const first = source.take()!;
  clock.jump(-3_600_000);
  assertEquals(source.take()! > first, true);
  clock.jump(3_600_000);
  const again = await open(clock, START + 200, disk), next = again.take()!;
  assertEquals([next > first, parseMsgId(next).second], [true, 12]);
});

Deno.test("a start whose clock is an hour behind the last message gives ids at once", async () => {
  const source = await open(new FakeClock(START), START + 3_600_000);
  assertEquals([parseMsgId(source.take()!).hour, source.ahead], [12, 3_601]);
});
