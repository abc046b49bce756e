/**
 * Fields that the service's routes share.
 *
 * @module
 */
import * as v from "valibot";
import { type HostPort, parseHostPort } from "../../base/mod.ts";
import { documented, problem } from "../../control/mod.ts";

/** Where what other gateways are asked and told stands in the API's document. */
export const ROUTING_TAGS = ["short messages: routing"];

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

/** Another gateway's ISMG_Id. */
export const Code = v.pipe(v.string(), v.regex(/^\d{6}$/, "Invalid ISMG_Id: Expected six digits"));
/** Where another gateway listens. */
export const Address = v.pipe(
  documented(v.string(), { type: "string", examples: ["sms2.example:7930"] }),
  v.maxLength(300),
  v.check((text) => (parseHostPort(text)?.port ?? 0) > 0, "Invalid address: Expected HOST:PORT"),
);
/** The version that is spoken with another gateway. */
export const Version = v.picklist(["2.0", "3.0"]);
/** A secret that this gateway shares with a provider or another gateway. */
export const Secret = v.pipe(
  v.string(),
  v.regex(/^[\x20-\x7e]{6,64}$/, "Invalid secret: Expected 6 to 64 characters of ASCII"),
);

/** A whole number. */
export const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** Version as the API shows it: "3.0" for 0x30. */
export function versionText(octet: number): string {
  return `${octet >> 4}.${octet & 15}`;
}

/** The octet of a version as the API shows it. */
export function versionOctet(text: string): number {
  const [major, minor] = text.split(".").map(Number);
  return major! << 4 | minor!;
}

/** An {@linkcode Address} that was checked. */
export function addressOf(text: string | undefined): HostPort | undefined {
  return text === undefined ? undefined : parseHostPort(text);
}

/** The 404 of a provider. */
export function noProvider(spId: string): Error {
  return problem(404, "account_not_found", `no provider "${spId}"`);
}
