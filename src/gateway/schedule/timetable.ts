/**
 * A timetable of the week: at which minutes of which days something is switched on or off.
 *
 * @module
 */
import { DAY, MINUTE, momentOf, wallTime, type Zone } from "./local_time.ts";

/** One line of a timetable. */
export interface Switch {
  /** Days of the week, one bit each: 1 Monday, 2 Tuesday, 4 Wednesday … 64 Sunday. */
  readonly days: number;
  /** Minute of the day, 0 to 1439. */
  readonly minute: number;
  /** What it is switched to. */
  readonly on: boolean;
  /** A line that is not enabled does nothing. */
  readonly enabled: boolean;
}

/** Of two lines for the same minute, the later one holds. */
export type Timetable = readonly Switch[];

/** Every day of the week. */
export const EVERY_DAY = 0b111_1111;

/** On from `start` to `end` (minutes of the day) on these days; where the end is not later, it is the next day's. */
export function windowTable(start: number, end: number, days: number, enabled: boolean): Timetable {
  const nextDay = end <= start;
  return [
    { days: nextDay ? following(days) : days, minute: end, on: false, enabled },
    { days, minute: start, on: true, enabled },
  ];
}

/** Each day's next day. */
function following(days: number): number {
  return (days << 1 | days >> 6) & EVERY_DAY;
}

/** What holds now, and from which moment. */
export interface Standing {
  readonly on: boolean;
  readonly since: number;
}

/** What a timetable says at `now`: undefined where it says nothing at all. */
export function standingOf(table: Timetable, zone: Zone, now: number): Standing | undefined {
  // Eight days back, so that a weekly line has come at least once wherever the clock was changed.
  const passed = around(table, zone, now, -8, 1).findLast(({ moment }) => moment <= now);
  return passed && { on: passed.on, since: passed.moment };
}

/** When it switches next; undefined where it never does. */
export function nextSwitch(table: Timetable, zone: Zone, now: number): number | undefined {
  return around(table, zone, now, -1, 8).find(({ moment }) => moment > now)?.moment;
}

/** Every switching from `first` to `last` days from today, in order. */
function around(table: Timetable, zone: Zone, now: number, first: number, last: number) {
  const today = Math.floor(wallTime(zone, now) / DAY);
  const found: { readonly moment: number; readonly on: boolean }[] = [];
  const lines = table.filter(({ enabled }) => enabled).sort((a, b) => a.minute - b.minute);
  for (let day = today + first; day <= today + last; day++) {
    // 1970 began on a Thursday.
    const bit = 1 << (((day + 3) % 7) + 7) % 7;
    for (const { days, minute, on } of lines) {
      if ((days & bit) !== 0) found.push({ moment: momentOf(zone, day * DAY + minute * MINUTE), on });
    }
  }
  return found;
}
