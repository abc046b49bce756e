/**
 * How WiFi passwords cross the wire (reference §7): upper-case hex of AES-256-ECB with PKCS padding, under the 32
 * ASCII characters of the upper-case hex MD5 of the LOID. It keeps a password out of sight, no more: whoever knows the
 * LOID reads it. The protocol's own, and for nothing else.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";
import { wifiKey } from "../../protocol/smart_gateway/mod.ts";

/** The longest password that is taken, in bytes: 63 characters, each of four bytes at most. */
const MAX_BYTES = 252;

/** A PWD that can't be read: `length` or `hex` of the text, or it was made under another LOID (`key`). */
export class WifiCipherError extends GatehouseError<"length" | "hex" | "key"> {
  override readonly name = "WifiCipherError";
}

function keyOf(loid: string): Uint8Array {
  return new TextEncoder().encode(wifiKey(loid));
}

/** PWD of a password. An empty password is an empty PWD. */
export async function encryptWifiPassword(password: string, loid: string): Promise<string> {
  if (password === "") return "";
  // Node's module, because WebCrypto has no ECB; loaded only here, because it costs megabytes.
  const { createCipheriv } = await import("node:crypto");
  const cipher = createCipheriv("aes-256-ecb", keyOf(loid), null);
  const bytes = new TextEncoder().encode(password);
  return `${cipher.update(bytes).toString("hex")}${cipher.final().toString("hex")}`.toUpperCase();
}

/** The password in a PWD. Throws {@linkcode WifiCipherError}, which never holds what was read. */
export async function decryptWifiPassword(pwd: string, loid: string): Promise<string> {
  if (pwd === "") return "";
  if (pwd.length > 2 * (MAX_BYTES + 16)) throw new WifiCipherError("length", "PWD is too long");
  if (pwd.length % 32 !== 0 || !/^[0-9A-Fa-f]+$/.test(pwd)) {
    throw new WifiCipherError("hex", "PWD is not the hex of whole AES blocks");
  }
  const { createDecipheriv } = await import("node:crypto");
  const decipher = createDecipheriv("aes-256-ecb", keyOf(loid), null);
  try {
    const head = decipher.update(Uint8Array.fromHex(pwd)), tail = decipher.final();
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      new Uint8Array([...head, ...tail]),
    );
  } catch (cause) {
    throw new WifiCipherError("key", "PWD was not made under this gateway's LOID", { cause });
  }
}
