/**
 * How the management system is reached (TR-098 `ManagementServer`).
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { flag, text, told, unsigned } from "./shorthand.ts";

/** The management system's. */
export const MANAGEMENT_SERVER: Area = [{
  path: "InternetGatewayDevice.ManagementServer.",
  owner: "itms",
  parameters: {
    URL: text(256, { default: "" }),
    Username: text(256, { default: "" }),
    Password: text(256, { default: "", secret: true }),
    PeriodicInformEnable: flag({ default: false }),
    PeriodicInformInterval: unsigned({ min: 1, default: 86_400, about: "Seconds" }),
    PeriodicInformTime: { type: "dateTime", access: "readWrite", default: "0001-01-01T00:00:00Z" },
    ParameterKey: told(text(32, { default: "" })),
    ConnectionRequestURL: told(text(256)),
    ConnectionRequestUsername: text(256, { default: "" }),
    ConnectionRequestPassword: text(256, { default: "", secret: true }),
    UpgradesManaged: flag({ default: false }),
    DefaultActiveNotificationThrottle: unsigned({ default: 0, about: "Seconds" }),
    CWMPRetryMinimumWaitInterval: unsigned({ min: 1, max: 65_535, default: 5, about: "Seconds" }),
    CWMPRetryIntervalMultiplier: unsigned({ min: 1000, max: 65_535, default: 2000 }),
  },
}];
