/**
 * The protocol's MD5 digests (reference §1 and §5): H(a,b) is the upper-case hex MD5 of a followed by b.
 * MD5 is the protocol's choice, not ours; nothing else in the house may use it.
 *
 * @module
 */
import { md5Hex } from "./md5.ts";

const encoder = new TextEncoder();

function h(...parts: string[]): string {
  return md5Hex(encoder.encode(parts.join(""))).toUpperCase();
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

/** The text that WiFi passwords are encrypted under (reference §7): 32 ASCII characters, as the key's bytes. */
export function wifiKey(loid: string): string {
  return h(loid);
}

/** `MD5` of a MessagePush over its time, its base64 Message, the MAC and the SN. */
export function messageMd5(time: string, message: string, mac: string, sn: string): string {
  return h(time, message, mac, sn);
}

/** Compares two digests without regard to case, in a time that does not tell where they differ. */
export function equalDigest(a: string, b: string): boolean {
  const left = encoder.encode(a.toUpperCase()), right = encoder.encode(b.toUpperCase());
  let difference = left.length ^ right.length;
  for (let i = 0; i < left.length; i++) difference |= left[i]! ^ (right[i] ?? 0);
  return difference === 0;
}
