/**
 * The protocol's MD5 digests (reference §1 and §5): H(a,b) is the upper-case hex MD5 of a followed by b.
 * MD5 is the protocol's choice, not ours; nothing else in the house may use it.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

function h(...parts: string[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part, "utf8");
  return hash.digest("hex").toUpperCase();
}

/** `CheckSN`: proves that the gateway has the SN that the platform preset. */
export function checkSn(challengeCode: string, sn: string): string {
  return h(challengeCode, sn);
}

/** `UserID` of a Register at access. */
export function userId(sn: string, loid: string): string {
  return h(sn, loid);
}

/** `Key` of RequestPlug-in and RequestDistri: proves that the platform knows this gateway. */
export function triggerKey(devRnd: string, sn: string): string {
  return h(devRnd, sn);
}

/** The `SN` that CHECK_PASSWD_PARAM returns, with which an app binds the gateway. */
export function bindingSn(devRnd: string, sn: string): string {
  return h(devRnd, sn);
}

/** `MD5` of a MessagePush over its time, its base64 Message, the MAC and the SN. */
export function messageMd5(time: string, message: string, mac: string, sn: string): string {
  return h(time, message, mac, sn);
}

const encoder = new TextEncoder();

/** Compares two digests without regard to case, in a time that does not tell where they differ. */
export function equalDigest(a: string, b: string): boolean {
  const left = encoder.encode(a.toUpperCase()), right = encoder.encode(b.toUpperCase());
  return left.length === right.length && timingSafeEqual(left, right);
}
