/**
 * How late WiFi timers are: from the moment that the timetable names to the switching, by the real clock.
 *
 * @module
 */
import { silentLog, systemClock } from "../../src/base/mod.ts";
import { EVERY_DAY, Scheduler, windowTable } from "../../src/gateway/schedule/mod.ts";
import { type BenchRow, percentile } from "./rows.ts";

const ROUNDS = 40;
/** How long before the minute each round begins, in milliseconds. */
const AHEAD_MS = 250;
const MORNING = Date.UTC(2026, 2, 2, 8);

/** Measures; about ten seconds. */
export async function benchTimers(): Promise<BenchRow[]> {
  const late = await lateness();
  return [
    { name: "a WiFi timer's switching, late, median", value: percentile(late, 0.5), unit: "ms" },
    {
      name: "a WiFi timer's switching, late, at the worst",
      value: Math.max(...late),
      unit: "ms",
      goal: "1000",
    },
  ];
}

/** Milliseconds from eight o'clock to the switching, each round. */
async function lateness(): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const shift = MORNING - AHEAD_MS - systemClock.now();
    const clock = { ...systemClock, now: () => systemClock.now() + shift };
    const off = Promise.withResolvers<number>();
    await using _scheduler = new Scheduler({
      clock,
      log: silentLog,
      what: "WiFi",
      table: windowTable(7 * 60, 8 * 60, EVERY_DAY, true),
      zone: () => 0,
      apply: (on) => Promise.resolve(on ? undefined : off.resolve(clock.now())),
    });
    found.push(await off.promise - MORNING);
  }
  return found;
}
