/**
 * What the control API of routing takes and shows.
 *
 * @module
 */
import * as v from "valibot";
import { type HostPort, parseHostPort } from "../../../base/mod.ts";
import { documented } from "../../../control/mod.ts";

export { MAY_READ as READ, MAY_WRITE as WRITE } from "../access.ts";
/** Where the routes stand in the API's document. */
export const TAGS = ["short messages: routing"];

/** A moment. */
export const Time = v.pipe(v.string(), v.isoTimestamp());
/** An ISMG_Id. */
export const Code = v.pipe(v.string(), v.regex(/^\d{6}$/, "Invalid ISMG_Id: Expected six digits"));
/** A secret that two gateways share. */
export const Secret = v.pipe(
  v.string(),
  v.regex(/^[\x20-\x7e]{6,64}$/, "Invalid secret: Expected 6 to 64 characters of ASCII"),
);
/** Where a gateway listens. */
export const Address = v.pipe(
  documented(v.string(), { type: "string", examples: ["sms2.example:7930"] }),
  v.maxLength(300),
  v.check((text) => (parseHostPort(text)?.port ?? 0) > 0, "Invalid address: Expected HOST:PORT"),
);
/** A version as people write it. */
export const Version = v.picklist(["2.0", "3.0"]);

/** An {@linkcode Address} that was checked. */
export function addressOf(text: string | undefined): HostPort | undefined {
  return text === undefined ? undefined : parseHostPort(text);
}

/** The octet of a {@linkcode Version}. */
export function versionOctet(text: "2.0" | "3.0"): number {
  return text === "2.0" ? 0x20 : 0x30;
}

/** The text of a Version octet. */
export function versionText(octet: number): string {
  return `${octet >> 4}.${octet & 15}`;
}

/** A moment as the API shows it. */
export function timeText(at: number): string {
  return new Date(at).toISOString();
}
