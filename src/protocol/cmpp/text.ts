/**
 * Text in the encodings of Msg_Fmt (reference §4).
 *
 * @module
 */
import { CmppError } from "./errors.ts";
import { decodeGbk, encodeGbk } from "./gbk.ts";

/** Msg_Fmt. The last ones are no part of the standard, but seen: they read as what they are. */
export const MsgFmt = {
  ascii: 0,
  simWrite: 3,
  binary: 4,
  ucs2: 8,
  gbk: 15,
  /** UCS2 without the operator's signature. */
  ucs2NoSignature: 9,
  ucs2NoSignatureClass1: 25,
  /** UCS2 that is shown at once and not kept. */
  ucs2Flash: 24,
} as const;

/** What a Msg_Fmt says of the octets: a text encoding, or octets that are no text. */
export type Encoding = "ascii" | "ucs2" | "gbk" | "binary";

/** The encoding of a Msg_Fmt; what nobody knows is binary. */
export function encodingOf(fmt: number): Encoding {
  switch (fmt) {
    case MsgFmt.ascii:
    case 0x10: // ASCII of class 0: shown at once
      return "ascii";
    case MsgFmt.ucs2:
    case MsgFmt.ucs2NoSignature:
    case MsgFmt.ucs2NoSignatureClass1:
    case MsgFmt.ucs2Flash:
      return "ucs2";
    case MsgFmt.gbk:
      return "gbk";
    default:
      return "binary";
  }
}

/** The Msg_Fmt that suits `text`: ASCII where it is that, else UCS2, which every phone has. */
export function fmtFor(text: string): number {
  // deno-lint-ignore no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? MsgFmt.ascii : MsgFmt.ucs2;
}

/**
 * The octets of `text` in a Msg_Fmt. Nothing is replaced silently.
 *
 * @throws {CmppError} `text` where the Msg_Fmt has no such characters, or is none for text
 */
export function encodeText(text: string, fmt: number): Uint8Array<ArrayBuffer> {
  switch (encodingOf(fmt)) {
    case "ascii":
      if (fmtFor(text) !== MsgFmt.ascii) throw unwritable(text, fmt);
      return Uint8Array.from(text, (c) => c.charCodeAt(0));
    case "ucs2": {
      const octets = new Uint8Array(2 * text.length), view = new DataView(octets.buffer);
      for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i));
      return octets;
    }
    case "gbk": {
      const octets = encodeGbk(text);
      if (!octets) throw unwritable(text, fmt);
      return octets;
    }
    case "binary":
      throw new CmppError("text", `Msg_Fmt ${fmt} is not for text: hand octets over as they are`);
  }
}

/** The text in `content`; undefined for a Msg_Fmt that is not text. An odd last octet of UCS2 is left out. */
export function decodeText(content: Uint8Array, fmt: number): string | undefined {
  switch (encodingOf(fmt)) {
    case "ascii":
      return characters([...content]);
    case "ucs2": {
      const units: number[] = [];
      for (let i = 0; i + 1 < content.length; i += 2) units.push(content[i]! << 8 | content[i + 1]!);
      return characters(units);
    }
    case "gbk":
      return decodeGbk(content);
    case "binary":
      return undefined;
  }
}

/** In pieces: a call takes only so many arguments, and long messages have more. */
function characters(units: readonly number[]): string {
  let text = "";
  for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096));
  return text;
}

function unwritable(text: string, fmt: number): CmppError {
  return new CmppError("text", `Msg_Fmt ${fmt} can't hold "${text.slice(0, 40)}"`);
}
