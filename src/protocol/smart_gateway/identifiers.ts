/**
 * The names that things have on the wire: MAC, SN, LOID, versions, DevRND, transaction ids (reference §1).
 * Each has a test for the exact form and, where real peers are sloppy, a reader that repairs what can be repaired.
 *
 * @module
 */

/** The `ID` of a request on a TCP link: a number or a string, echoed verbatim with its type. */
export type TransactionId = string | number;

/** The longest `ID` in characters that is accepted. */
export const MAX_ID_LENGTH = 64;

const MAC = /^[0-9A-F]{12}$/;
const SN = /^[0-9A-F]{6}-[\x21-\x7e]{1,64}$/;
const LOID = /^[\x21-\x7e]{1,24}$/;
const HEX_32 = /^[0-9A-F]{32}$/;
const VERSION = /^\d{1,9}(?:\.\d{1,9}){0,3}$/;
const SEQUENCE_ID = /^[0-9A-Fa-f]{8}$/;

/** Whether `text` is a MAC as it is sent: 12 upper-case hex digits. */
export function isMac(text: string): boolean {
  return MAC.test(text);
}

/** The MAC in `text` as 12 upper-case hex digits; lower case, colons, dashes and dots are forgiven. */
export function normalizeMac(text: string): string | undefined {
  if (MAC.test(text)) return text;
  if (text.length > 17) return undefined;
  const plain = text.replace(/[:.-]/g, "").toUpperCase();
  return MAC.test(plain) ? plain : undefined;
}

/** Whether `text` is `<OUI>-<SerialNumber>`, such as `64D954-D6AEE64D95420214B`. */
export function isSn(text: string): boolean {
  return SN.test(text);
}

/** The OUI of an SN: its first six digits, upper case. */
export function ouiOf(sn: string): string {
  return sn.slice(0, 6).toUpperCase();
}

/** Whether `text` is a LOID: 1 to 24 visible ASCII characters. */
export function isLoid(text: string): boolean {
  return LOID.test(text);
}

/** Whether `text` is a DevRND, a ChallengeCode or a digest as it is sent: 32 upper-case hex digits. */
export function isHex32(text: string): boolean {
  return HEX_32.test(text);
}

/** 16 random bytes as the 32 upper-case hex digits that a DevRND or a ChallengeCode has. */
export function hex32(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`a random value has 16 bytes, not ${bytes.length}`);
  return bytes.toHex().toUpperCase();
}

/** Whether `text` is a plug-in version: up to four numbers with dots, such as `1.0`. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** Orders two plug-in versions by their numbers: negative where `a` is older. A missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split("."), right = b.split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether `text` is a SequenceId as it is sent: 8 hex digits. */
export function isSequenceId(text: string): boolean {
  return SEQUENCE_ID.test(text);
}

/** 4 random bytes as a SequenceId. */
export function sequenceId(bytes: Uint8Array): string {
  if (bytes.length !== 4) throw new RangeError(`a SequenceId has 4 bytes, not ${bytes.length}`);
  return bytes.toHex().toUpperCase();
}
