/**
 * A window of the day, as the parameter tree keeps it: from when to when something is on, and on which days.
 *
 * @module
 */
import { DriverError } from "../driver/mod.ts";
import type { ParameterTree } from "../parameters/mod.ts";
import { EVERY_DAY, type Timetable, windowTable } from "../schedule/mod.ts";

/** On from start to end, on these days. */
export interface DayWindow {
  readonly enabled: boolean;
  /** `HH:MM`, local time. */
  readonly start: string;
  /** Not later than the start: of the next day. */
  readonly end: string;
  /** `DAY`, or days of the week as in `1,2,7`: 1 is Monday. */
  readonly cycle: string;
}

/** The window whose parameters are at `path`, which ends with a dot. */
export function windowAt(tree: ParameterTree, path: string): DayWindow {
  const text = (name: string) => String(tree.peek(path + name) ?? "");
  return {
    enabled: tree.peek(`${path}Enable`) === true,
    start: text("StartTime"),
    end: text("EndTime"),
    cycle: text("ControlCycle"),
  };
}

/** What to set for the window at `path`. Throws DriverError `invalid` where its days are no days. */
export function windowValues(path: string, { enabled, start, end, cycle }: DayWindow) {
  daysOf(cycle);
  return {
    [`${path}Enable`]: enabled,
    [`${path}StartTime`]: start,
    [`${path}EndTime`]: end,
    [`${path}ControlCycle`]: cycle,
  };
}

/** Its timetable. */
export function tableOf({ enabled, start, end, cycle }: DayWindow): Timetable {
  return windowTable(minuteOf(start), minuteOf(end), daysOf(cycle), enabled);
}

/** The minute of the day of `HH:MM`. */
export function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return 60 * hours + minutes;
}

/** The days of a cycle, one bit each. Throws DriverError `invalid`. */
function daysOf(cycle: string): number {
  if (cycle === "" || cycle.toUpperCase() === "DAY") return EVERY_DAY;
  if (!/^[1-7](?:,[1-7]){0,6}$/.test(cycle)) {
    throw new DriverError("invalid", "ControlCycle is not DAY, or days of the week as in 1,2,7");
  }
  return cycle.split(",").reduce((days, day) => days | 1 << (Number(day) - 1), 0);
}
