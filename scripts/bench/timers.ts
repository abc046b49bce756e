/**
 * How late WiFi timers are, by the real clock: from the moment that the timetable names to the switching, and to the
 * moment that a real hostapd (on an interface without a radio) says that it is off the air.
 *
 * @module
 */
import { silentLog, systemClock } from "../../src/base/mod.ts";
import { EVERY_DAY, Scheduler, windowTable } from "../../src/gateway/schedule/mod.ts";
import { HostapdWifi } from "../../src/gateway/driver/wifi/hostapd.ts";
import { testHostapd, withoutHostapd } from "../../src/gateway/driver/wifi/testing.ts";
import { type BenchRow, percentile } from "./rows.ts";

const ROUNDS = 40;
/** How long before the minute each round begins, in milliseconds. */
const AHEAD_MS = 250;
const MORNING = Date.UTC(2026, 2, 2, 8);

/** Measures; about half a minute. Where there can be no hostapd, that part is left out. */
export async function benchTimers(): Promise<BenchRow[]> {
  const rows = rowsOf("a WiFi timer's switching", await lateness());
  const without = await withoutHostapd();
  if (without !== undefined) {
    // deno-lint-ignore no-console -- says why rows are missing
    console.error(`WiFi timers with hostapd are left out: ${without}`);
    return rows;
  }
  await using ap = await testHostapd();
  const wifi = new HostapdWifi({ clock: systemClock, runner: ap.runner(), files: [ap.conf] });
  rows.push(
    ...rowsOf(
      "a WiFi timer's hostapd off the air",
      await lateness(
        () => wifi.setRadio(false),
        async () => {
          if (await wifi.radioOn()) throw new Error("hostapd is still on the air");
          await wifi.setRadio(true);
        },
      ),
    ),
  );
  return rows;
}

function rowsOf(what: string, late: readonly number[]): BenchRow[] {
  return [
    { name: `${what}, late, median`, value: percentile([...late], 0.5), unit: "ms" },
    { name: `${what}, late, at the worst`, value: Math.max(...late), unit: "ms", goal: "1000" },
  ];
}

/** Milliseconds from eight o'clock until it is off, each round. `back`: after each round. */
async function lateness(
  off: () => Promise<void> = () => Promise.resolve(),
  back: () => Promise<void> = () => Promise.resolve(),
): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const shift = MORNING - AHEAD_MS - systemClock.now();
    const clock = { ...systemClock, now: () => systemClock.now() + shift };
    const done = Promise.withResolvers<number>();
    await using _scheduler = new Scheduler({
      clock,
      log: silentLog,
      what: "WiFi",
      table: windowTable(7 * 60, 8 * 60, EVERY_DAY, true),
      zone: () => 0,
      apply: async (on) => {
        if (on) return;
        await off();
        done.resolve(clock.now());
      },
    });
    found.push(await done.promise - MORNING);
    await back();
  }
  return found;
}
