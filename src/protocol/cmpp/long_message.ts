/**
 * Long messages: cut into parts with a user data header (GSM 03.40 9.2.3.24.1; reference §4).
 *
 * @module
 */
import { CmppError } from "./errors.ts";
import { encodeText, type Encoding, encodingOf } from "./text.ts";

/** One part, as it goes into SUBMIT or DELIVER. */
export interface Part {
  readonly Pk_total: number;
  /** From 1. */
  readonly Pk_number: number;
  /** 1 where the content begins with a header. */
  readonly TP_udhi: number;
  readonly Msg_Content: Uint8Array<ArrayBuffer>;
}

/** What ties the parts of one message together. */
export interface PartHeader {
  /** 8 or 16 bits, as `wide` says. */
  readonly reference: number;
  readonly wide: boolean;
  readonly total: number;
  /** From 1. */
  readonly number: number;
  /** Octets that the whole header takes. */
  readonly octets: number;
}

/** Longest Msg_Content in one SUBMIT: below 160 octets in ASCII, 140 in everything else (reference §4). */
export function maxContent(fmt: number): number {
  return encodingOf(fmt) === "ascii" ? 159 : 140;
}

/** Most parts that a header can count. */
export const MAX_PARTS = 255;

/** How to cut. */
export interface SplitOptions {
  /** The same for all parts of a message, and for no other message to the same number at the same time. */
  readonly reference: number;
  /** A header of 7 octets with a reference of 16 bits, in place of 6 with 8. */
  readonly wide?: boolean;
}

/**
 * Cuts `content` (text, or octets where `fmt` is binary) into parts; a single one without a header where it fits.
 * No character is cut in two, and no surrogate pair.
 *
 * @throws {CmppError} `text` where `fmt` can't hold it, `too_long` above 255 parts, `value` for a wrong reference
 */
export function splitMessage(content: string | Uint8Array, fmt: number, options: SplitOptions): Part[] {
  const octets = typeof content === "string" ? encodeText(content, fmt) : content.slice();
  const most = maxContent(fmt);
  if (octets.length <= most) return [{ Pk_total: 1, Pk_number: 1, TP_udhi: 0, Msg_Content: octets }];
  const { reference, wide = false } = options;
  if (!Number.isInteger(reference) || reference < 0 || reference > (wide ? 0xffff : 0xff)) {
    throw new CmppError("value", `reference "${reference}" does not fit: ${wide ? "16" : "8"} bits`);
  }
  const encoding = encodingOf(fmt), room = most - (wide ? 7 : 6);
  const cuts = [0];
  for (let at = 0; at < octets.length;) {
    at = at + room >= octets.length ? octets.length : cutBefore(octets, at, at + room, encoding);
    cuts.push(at);
  }
  const total = cuts.length - 1;
  if (total > MAX_PARTS) {
    throw new CmppError("too_long", `${total} parts: a message has ${MAX_PARTS} at most`);
  }
  return cuts.slice(1).map((end, i) => ({
    Pk_total: total,
    Pk_number: i + 1,
    TP_udhi: 1,
    Msg_Content: withHeader(octets.subarray(cuts[i]!, end), reference, wide, total, i + 1),
  }));
}

/** The last place in front of `end` where no character is cut in two. */
function cutBefore(octets: Uint8Array, start: number, end: number, encoding: Encoding): number {
  if (encoding === "ucs2") {
    const even = end - (end - start) % 2;
    const last = octets[even - 2]!;
    return last >= 0xd8 && last <= 0xdb ? even - 2 : even; // a high surrogate goes with what follows
  }
  if (encoding === "gbk") {
    let at = start;
    while (true) {
      const next = at + (octets[at]! >= 0x80 ? 2 : 1);
      if (next > end) return at;
      at = next;
    }
  }
  return end;
}

function withHeader(
  content: Uint8Array,
  reference: number,
  wide: boolean,
  total: number,
  number: number,
): Uint8Array<ArrayBuffer> {
  const header = wide
    ? [6, 0x08, 4, reference >> 8, reference & 0xff, total, number]
    : [5, 0x00, 3, reference, total, number];
  const whole = new Uint8Array(header.length + content.length);
  whole.set(header);
  whole.set(content, header.length);
  return whole;
}

/**
 * The concatenation element in the user data header that `content` begins with; undefined where the header is broken
 * or has none. Other elements (ports, for one) may stand beside it.
 */
export function readPartHeader(content: Uint8Array): PartHeader | undefined {
  const octets = 1 + (content[0] ?? 255);
  if (octets > content.length) return undefined;
  for (let at = 1; at + 2 <= octets; at += 2 + content[at + 1]!) {
    const id = content[at]!, length = content[at + 1]!;
    if (at + 2 + length > octets) return undefined;
    const wide = id === 0x08;
    if (!(id === 0x00 && length === 3) && !(wide && length === 4)) continue;
    const reference = wide ? content[at + 2]! << 8 | content[at + 3]! : content[at + 2]!;
    const total = content[at + length]!, number = content[at + length + 1]!;
    if (number < 1 || number > total) return undefined;
    return { reference, wide, total, number, octets };
  }
  return undefined;
}
