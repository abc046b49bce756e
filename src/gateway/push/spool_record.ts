/**
 * How a message lies in the spool: one line of checksum and JSON, so that what a cut left unfinished shows.
 *
 * @module
 */

/** A message as it goes to the platform: fixed when it is made, so that the platform knows a repeat. */
export interface SpoolRecord {
  /** Counts up from 1 over the whole life of the spool. */
  readonly seq: number;
  readonly plugin: string;
  /** `YYYYMMDDhhmmss`. */
  readonly time: string;
  readonly mac: string;
  /** Base64. */
  readonly message: string;
  readonly md5: string;
}

const NEWLINE = 0x0a;
/** Hex digits of the checksum, and the space behind it. */
const HEAD = 9;

/** CRC-32 (IEEE 802.3): finds what a cut or the flash did, not what a person did. */
export function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** The line of any JSON value, with its end; the JSON is filled up with spaces to `width` characters. */
export function encodeLine(value: unknown, width = 0): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(value).padEnd(width));
  const line = new Uint8Array(HEAD + json.length + 1);
  line.set(new TextEncoder().encode(`${crc32(json).toString(16).padStart(8, "0")} `));
  line.set(json, HEAD);
  line[line.length - 1] = NEWLINE;
  return line;
}

/** What a line without its end says; undefined where it is not as it was written. */
export function decodeLine(line: Uint8Array): unknown {
  if (line.length < HEAD) return undefined;
  const json = line.subarray(HEAD);
  const head = new TextDecoder().decode(line.subarray(0, HEAD));
  if (head !== `${crc32(json).toString(16).padStart(8, "0")} `) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    return undefined;
  }
}

/** The record of a line; undefined where it holds none. */
export function decodeRecord(line: Uint8Array): SpoolRecord | undefined {
  const value = decodeLine(line);
  if (typeof value !== "object" || value === null) return undefined;
  const { seq, plugin, time, mac, message, md5 } = value as Record<string, unknown>;
  if (
    !Number.isSafeInteger(seq) || ![plugin, time, mac, message, md5].every((one) => typeof one === "string")
  ) {
    return undefined;
  }
  return value as SpoolRecord;
}

/** The lines of a segment with their places; `end` is where the last whole line ends. Bad ones have no record. */
export function readLines(bytes: Uint8Array): {
  readonly lines: readonly {
    readonly at: number;
    readonly length: number;
    readonly record: SpoolRecord | undefined;
  }[];
  readonly end: number;
} {
  const lines = [];
  let end = 0;
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) break;
    const record = decodeRecord(bytes.subarray(at, newline));
    lines.push({ at, length: newline + 1 - at, record });
    at = newline + 1;
    if (record) end = at;
  }
  // What follows the last good line was never promised to anybody.
  while (lines.at(-1)?.record === undefined && lines.length > 0) lines.pop();
  return { lines, end };
}
