/**
 * The digests of CONNECT (reference §4). MD5 is the protocol's choice; nothing else in the house may use it.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { CmppError } from "./errors.ts";
import type { Dialect } from "./versions.ts";

const NINE_ZEROS = new Uint8Array(9);

/**
 * AuthenticatorSource: proves that whoever connects knows the secret. `timestamp` is the number MMDDHHMMSS as it
 * stands in CONNECT; it is hashed as ten digits, so with its leading zero.
 */
export function authenticatorSource(sourceAddr: string, secret: string, timestamp: number): Uint8Array {
  return md5(
    octetsOf(sourceAddr),
    NINE_ZEROS,
    octetsOf(secret),
    octetsOf(String(timestamp).padStart(10, "0")),
  );
}

/**
 * AuthenticatorISMG: proves that the server knows it too. Status is hashed as wide as it stands on the wire; some
 * servers hash four octets also in 2.0, so whoever checks may try both.
 */
export function authenticatorIsmg(
  status: number,
  source: Uint8Array,
  secret: string,
  dialect: Dialect,
): Uint8Array {
  const wide = new Uint8Array(dialect === 3 ? 4 : 1);
  wide[wide.length - 1] = status;
  return md5(wide, source, octetsOf(secret));
}

/**
 * Whether an AuthenticatorISMG proves that who sent it with this Status knows the secret: `source` is the
 * AuthenticatorSource that it answers. Status counts in either width, as servers do not agree on it.
 */
export function provesSecret(given: Uint8Array, status: number, source: Uint8Array, secret: string): boolean {
  return ([3, 2] as const).some((dialect) =>
    equalAuthenticators(given, authenticatorIsmg(status, source, secret, dialect))
  );
}

/** Compares two digests in a time that does not tell where they differ. */
export function equalAuthenticators(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The number MMDDHHMMSS of a moment, `utcOffsetMinutes` east of Greenwich. `now`: milliseconds since 1970. */
export function connectTimestamp(now: number, utcOffsetMinutes: number): number {
  const t = new Date(now + utcOffsetMinutes * 60_000);
  return ((((t.getUTCMonth() + 1) * 100 + t.getUTCDate()) * 100 + t.getUTCHours()) * 100 +
        t.getUTCMinutes()) * 100 + t.getUTCSeconds();
}

function md5(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  // A copy: the digest is a Buffer, whose slice() shares memory where every other array's copies.
  return new Uint8Array(hash.digest());
}

function octetsOf(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      throw new CmppError("value", "ids and secrets of CMPP hold characters of one octet only");
    }
  }
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
