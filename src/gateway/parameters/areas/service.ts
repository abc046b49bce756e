/**
 * What a home gateway does beside networking, as far as it is remembered (the app platform's alone, reference §9).
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { CLOCK_TIME, CYCLE, flag, text, told } from "./shorthand.ts";

/** `SET_HG_LED_INDICATOR_TIMER`, and what timers hold off at this moment. */
export const SERVICE: Area = [{
  path: "InternetGatewayDevice.X_GATEHOUSE_LEDTimer.",
  owner: "app",
  parameters: {
    Enable: flag({ default: false, about: "Whether the timer is on" }),
    StartTime: text(5, { default: "00:00", pattern: CLOCK_TIME, about: "When lights go on, local time" }),
    EndTime: text(5, { default: "00:00", pattern: CLOCK_TIME, about: "When lights go off, local time" }),
    ControlCycle: text(32, { default: "DAY", pattern: CYCLE, about: "On which days; 1 is Monday" }),
  },
}, {
  path: "InternetGatewayDevice.X_GATEHOUSE_TimerState.",
  owner: "app",
  hidden: true,
  sticky: true,
  parameters: {
    WiFiHeldOff: told(flag({ default: false, about: "Whether the WiFi timer took WiFi off the air" })),
    LEDHeldOff: told(flag({ default: false, about: "Whether the timer of the lights put them out" })),
  },
}];
