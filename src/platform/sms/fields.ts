/**
 * Fields that the service's routes share.
 *
 * @module
 */
import * as v from "valibot";
import { problem } from "../../control/mod.ts";

/** A moment, as ISO 8601. */
export const Time = v.pipe(v.string(), v.isoTimestamp());
/** A provider's SP_Id. */
export const SpId = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,6}$/, "Invalid SP_Id: Expected 1 to 6 visible characters"),
);
/** A day of the counters. */
export const Day = v.pipe(v.string(), v.regex(/^\d{8}$/, "Invalid day: Expected YYYYMMDD"));
/** A phone's number. */
export const PhoneNumber = v.pipe(
  v.string(),
  v.regex(/^\+?\d{1,20}$/, "Invalid number: Expected 1 to 20 digits"),
);
/** A Msg_Id. */
export const MsgId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-fA-F]{16}$/, "Invalid Msg_Id: Expected 16 hex digits"),
);

/** A whole number. */
export const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** A moment as the API shows it. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

/** Version as the API shows it: "3.0" for 0x30. */
export function versionText(octet: number): string {
  return `${octet >> 4}.${octet & 15}`;
}

/** The 404 of a provider. */
export function noProvider(spId: string): Error {
  return problem(404, "account_not_found", `no provider "${spId}"`);
}
