/**
 * Bytes to JSON objects and back, with bounds. Internal to this folder.
 *
 * @module
 */
import { ProtocolError } from "./errors.ts";

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };
/** A JSON object as `JSON.parse` made it: read own properties only. */
export type JsonObject = { [name: string]: JsonValue };

/** No message of the protocol nests deeper than this; more is an attack on whoever walks the value. */
export const MAX_DEPTH = 32;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

const QUOTE = 0x22, BACKSLASH = 0x5c, OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d, OPEN = 0x7b, CLOSE = 0x7d;

/** Reads one JSON object of at most `maxBytes` bytes. Throws {@linkcode ProtocolError}. */
export function parseObject(bytes: Uint8Array, maxBytes: number): JsonObject {
  if (bytes.length > maxBytes) {
    throw new ProtocolError("oversize", `message too long: ${bytes.length} bytes, at most ${maxBytes}`);
  }
  checkDepth(bytes);
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError("utf8", "message is not UTF-8", { cause });
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError("json", "message is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError("json", "message is not a JSON object");
  }
  return value;
}

/** The bytes of an object, in the order of its properties. */
export function objectBytes(object: object): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(object));
}

/** An own property, or undefined: never what stands on `Object.prototype`. */
export function own(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Counts brackets outside strings; what is not JSON at all is left to the parser. Throws `depth`. */
export function checkDepth(bytes: Uint8Array): void {
  let depth = 0, quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN || byte === OPEN_LIST) {
      if (++depth > MAX_DEPTH) {
        throw new ProtocolError("depth", `message nests deeper than ${MAX_DEPTH} levels`);
      }
    } else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
  }
}
