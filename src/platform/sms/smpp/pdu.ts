/**
 * SMPP 3.4 PDUs: octets in, fields out (SMPP 3.4 chapters 3 to 5), and back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { messageOf } from "../../../base/mod.ts";
import { SmppError } from "./errors.ts";
import type { SmppLibrary } from "./library.ts";

/** A PDU as its sender meant it. Contents are octets; names and numbers are text. */
export interface SmppPdu {
  readonly command: string;
  /** command_status: 0 in requests, and where a request was taken. */
  readonly status: number;
  readonly sequence: number;
  /** Mandatory fields and TLVs by the specification's names. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** command_status, as far as something depends on it (SMPP 3.4 §5.1.3). */
export const Status = {
  ok: 0x00,
  invalidCommandId: 0x03,
  invalidBindStatus: 0x04,
  alreadyBound: 0x05,
  systemError: 0x08,
  bindFailed: 0x0d,
  queueFull: 0x14,
  throttled: 0x58,
  /** The receiver can't take it now; it may come again. */
  temporaryApplicationError: 0x64,
  permanentApplicationError: 0x65,
  rejectedByApplication: 0x66,
} as const;

/** Longest PDU taken, in octets: a message_payload of some thousand octets fits, and no attack does. */
export const MAX_SMPP_OCTETS = 16_384;
const HEADER = 16;

/** Reads and writes PDUs with the library's tables. */
export class SmppCodec {
  constructor(private readonly library: SmppLibrary) {}

  /** A request, or a response where `status` may be other than 0. Octets go in as they are. */
  encode(
    command: string,
    sequence: number,
    fields: Readonly<Record<string, unknown>> = {},
    status = 0,
  ): Uint8Array {
    const values = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : value,
      ]),
    );
    return new this.library.PDU(command, {
      ...values,
      sequence_number: sequence,
      command_status: status,
    }).toBuffer();
  }

  /**
   * Reads a whole PDU. Fields that are missing at its end are absent: centres leave them out where they refuse.
   *
   * @throws {SmppError} where a field would reach past its end, or text has none
   */
  decode(octets: Uint8Array): SmppPdu {
    if (octets.length < HEADER) {
      throw new SmppError("pdu", `a PDU has 16 octets at least, not ${octets.length}`);
    }
    const buffer = Buffer.from(octets); // a copy: what is read of it may be kept
    const id = buffer.readUInt32BE(4), status = buffer.readUInt32BE(8), sequence = buffer.readUInt32BE(12);
    const command = this.library.commandsById[id]?.command ?? "unknown";
    try {
      return { command, status, sequence, fields: this.#fields(command, buffer) };
    } catch (error) {
      throw new SmppError("pdu", `${command} can't be read: ${messageOf(error)}`, undefined, {
        cause: error,
      });
    }
  }

  #fields(command: string, buffer: Buffer): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    let at = HEADER;
    for (const [name, { type }] of Object.entries(this.library.commands[command]?.params ?? {})) {
      if (at >= buffer.length) return fields;
      const value = fields[name] = type.read(buffer, at);
      // The library gives what there is of octets whose length octet claims more.
      const cut = value instanceof Uint8Array && value.length !== buffer[at];
      at += type.size(value);
      if (cut || at > buffer.length) throw new RangeError(`"${name}" reaches past the end`);
    }
    while (at + 4 <= buffer.length) {
      const tag = buffer.readUInt16BE(at), length = buffer.readUInt16BE(at + 2);
      at += 4;
      if (at + length > buffer.length) throw new RangeError(`TLV ${tag.toString(16)} reaches past the end`);
      const known = this.library.tlvsById[tag];
      // Cut out first: a field of the table then can't read its neighbour's octets.
      if (known) fields[known.tag] = known.type.read(buffer.subarray(at, at + length), 0, length);
      at += length;
    }
    return fields;
  }
}

/** A field that is text; empty where it is absent. */
export function textField(pdu: SmppPdu, name: string): string {
  const value = pdu.fields[name];
  return typeof value === "string" ? value : "";
}

/** A field that is a number; 0 where it is absent. */
export function numberField(pdu: SmppPdu, name: string): number {
  const value = pdu.fields[name];
  return typeof value === "number" ? value : 0;
}

/** A field that is octets; undefined where it is absent. */
export function octetsField(pdu: SmppPdu, name: string): Uint8Array | undefined {
  const value = pdu.fields[name];
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
}
