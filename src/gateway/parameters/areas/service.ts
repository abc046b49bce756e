/**
 * What a home gateway does beside networking, as far as it is remembered (the app platform's alone, reference §9).
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { flag, text } from "./shorthand.ts";

const CLOCK_TIME = { test: /^(?:[01]\d|2[0-3]):[0-5]\d$/, says: "a time of day as in 07:30" };

/** `SET_HG_LED_INDICATOR_TIMER`. */
export const SERVICE: Area = [{
  path: "InternetGatewayDevice.X_GATEHOUSE_LEDTimer.",
  owner: "app",
  parameters: {
    Enable: flag({ default: false, about: "Whether the timer is on" }),
    StartTime: text(5, { default: "00:00", pattern: CLOCK_TIME, about: "When lights go on, local time" }),
    EndTime: text(5, { default: "00:00", pattern: CLOCK_TIME, about: "When lights go off, local time" }),
    ControlCycle: text(32, { default: "DAY", about: "DAY, or days of the week as in 1,2,7: 1 is Monday" }),
  },
}];
