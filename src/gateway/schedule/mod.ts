/**
 * What happens at certain times of the day: timetables, and switching by them.
 *
 * @module
 */
export { machineZone, type Zone } from "./local_time.ts";
export {
  CLOCK_IS_SET,
  type HeldOff,
  Scheduler,
  type SchedulerOptions,
  type SchedulerStatus,
} from "./scheduler.ts";
export {
  EVERY_DAY,
  nextSwitch,
  type Standing,
  standingOf,
  type Switch,
  type Timetable,
  windowTable,
} from "./timetable.ts";
