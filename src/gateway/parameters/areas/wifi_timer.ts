/**
 * When Wi-Fi goes on and off (the app platform's alone, reference §9).
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { CLOCK_TIME, CYCLE } from "./shorthand.ts";

/** One timer for every day (`SET_HG_WIFI_TIMER`), and a list by weekday (`SET_HG_WIFI_TIMER_EX`). */
export const WIFI_TIMER: Area = [{
  path: "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.",
  owner: "app",
  parameters: {
    Enable: { type: "boolean", access: "readWrite", default: false, about: "Whether the daily timer is on" },
    StartTime: {
      type: "string",
      maxLength: 5,
      pattern: CLOCK_TIME,
      access: "readWrite",
      default: "00:00",
      about: "When Wi-Fi goes on, local time",
    },
    EndTime: {
      type: "string",
      maxLength: 5,
      pattern: CLOCK_TIME,
      access: "readWrite",
      default: "00:00",
      about: "When Wi-Fi goes off, local time",
    },
    ControlCycle: {
      type: "string",
      maxLength: 32,
      pattern: CYCLE,
      access: "readWrite",
      default: "DAY",
      about: "On which days, as the phone app said it; 1 is Monday",
    },
    EntryNumberOfEntries: {
      type: "unsignedInt",
      access: "readOnly",
      counts: "Entry",
      about: "Timers by weekday",
    },
  },
}, {
  path: "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.Entry.{i}.",
  owner: "app",
  table: { access: "readWrite", max: 64 },
  parameters: {
    Weekday: {
      type: "unsignedInt",
      min: 1,
      max: 7,
      access: "readWrite",
      default: 1,
      about: "1 is Monday",
    },
    Time: {
      type: "string",
      maxLength: 5,
      pattern: CLOCK_TIME,
      access: "readWrite",
      default: "00:00",
      about: "When, local time",
    },
    Active: {
      type: "boolean",
      access: "readWrite",
      default: true,
      about: "Whether Wi-Fi goes on then; else off",
    },
    Enable: { type: "boolean", access: "readWrite", default: false, about: "Whether this timer is on" },
  },
}];
