/**
 * The time of day (TR-098 `Time`); `SET_HG_DATE_TIME_SYNC` is the phone app's way to it.
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { backed, flag, text, told } from "./shorthand.ts";

/** Shared. */
export const TIME: Area = [{
  path: "InternetGatewayDevice.Time.",
  owner: "shared",
  parameters: {
    Enable: backed(flag()),
    Status: told(
      text(32, { values: ["Disabled", "Unsynchronized", "Synchronized", "Error_FailedToSynchronize"] }),
    ),
    NTPServer1: backed(text(64)),
    NTPServer2: backed(text(64)),
    CurrentLocalTime: told({ type: "dateTime", access: "readOnly" }),
    LocalTimeZone: told(text(6, { about: "As in +08:00" })),
    LocalTimeZoneName: backed(text(64)),
  },
}];
