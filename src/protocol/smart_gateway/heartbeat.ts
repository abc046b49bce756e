/**
 * The heartbeat read and written by hand: a platform reads a million of these for every other message.
 *
 * @module
 */
import { isMac } from "./identifiers.ts";
import { ProtocolError } from "./errors.ts";

const encoder = new TextEncoder();
const HEAD = encoder.encode('{"RPCMethod":"Hb","MAC":"');
const TAIL = encoder.encode('","FLAG":"0"}');
const MAC_DIGITS = 12;
const LENGTH = HEAD.length + MAC_DIGITS + TAIL.length;

/** `{"Result":0}`: the answer to a heartbeat that brings nothing new. Shared: never write into it. */
export const HEARTBEAT_ACK: Uint8Array<ArrayBuffer> = encoder.encode('{"Result":0}');

/** A later heartbeat (`FLAG` "0"), byte for byte as {@linkcode decodeHeartbeat} knows it. */
export function encodeHeartbeat(mac: string): Uint8Array<ArrayBuffer> {
  if (!isMac(mac)) {
    throw new ProtocolError("bad_value", 'field "MAC" is not 12 upper-case hex digits', { field: "MAC" });
  }
  const bytes = new Uint8Array(LENGTH);
  bytes.set(HEAD);
  for (let i = 0; i < MAC_DIGITS; i++) bytes[HEAD.length + i] = mac.charCodeAt(i);
  bytes.set(TAIL, HEAD.length + MAC_DIGITS);
  return bytes;
}

/**
 * The MAC of a later heartbeat in its usual spelling; undefined for everything else, which
 * {@linkcode decodeAccessRequest} reads in full (another order of fields, spaces, `FLAG` "1", lower-case digits).
 */
export function decodeHeartbeat(bytes: Uint8Array): string | undefined {
  if (bytes.length !== LENGTH) return undefined;
  for (let i = 0; i < HEAD.length; i++) if (bytes[i] !== HEAD[i]) return undefined;
  const end = HEAD.length + MAC_DIGITS;
  for (let i = 0; i < TAIL.length; i++) if (bytes[end + i] !== TAIL[i]) return undefined;
  for (let i = HEAD.length; i < end; i++) {
    const digit = bytes[i]!;
    if (!(digit >= 0x30 && digit <= 0x39 || digit >= 0x41 && digit <= 0x46)) return undefined;
  }
  const at = HEAD.length;
  return String.fromCharCode(
    bytes[at]!,
    bytes[at + 1]!,
    bytes[at + 2]!,
    bytes[at + 3]!,
    bytes[at + 4]!,
    bytes[at + 5]!,
    bytes[at + 6]!,
    bytes[at + 7]!,
    bytes[at + 8]!,
    bytes[at + 9]!,
    bytes[at + 10]!,
    bytes[at + 11]!,
  );
}

/** Whether these bytes are the plain answer to a heartbeat. */
export function isHeartbeatAck(bytes: Uint8Array): boolean {
  if (bytes.length !== HEARTBEAT_ACK.length) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== HEARTBEAT_ACK[i]) return false;
  return true;
}
