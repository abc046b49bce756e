/**
 * Reading and writing the types of the standard (reference §1): unsigned integers, big-endian, and octet strings of
 * fixed length, left-aligned and filled with NUL.
 *
 * @module
 */
import { CmppError } from "./errors.ts";

/** Octets of the header: Total_Length, Command_Id, Sequence_Id. */
export const HEADER_OCTETS = 12;

/** Reads fields one behind the other. Whoever uses it has checked the length of the whole before. */
export class Reader {
  readonly #view: DataView;
  #at = HEADER_OCTETS;

  constructor(readonly pdu: Uint8Array) {
    this.#view = new DataView(pdu.buffer, pdu.byteOffset, pdu.byteLength);
  }

  /** Octets that were not read yet. */
  get left(): number {
    return this.pdu.length - this.#at;
  }

  u8(): number {
    return this.pdu[this.#at++]!;
  }

  u16(): number {
    const value = this.#view.getUint16(this.#at);
    this.#at += 2;
    return value;
  }

  u32(): number {
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  i32(): number {
    return this.u32() | 0;
  }

  u64(): bigint {
    const value = this.#view.getBigUint64(this.#at);
    this.#at += 8;
    return value;
  }

  /** An octet string up to its first NUL, one character an octet. */
  text(octets: number): string {
    const { pdu } = this, end = this.#at + octets;
    let text = "";
    for (let at = this.#at; at < end; at++) {
      const octet = pdu[at]!;
      if (octet === 0) break;
      text += String.fromCharCode(octet);
    }
    this.#at = end;
    return text;
  }

  /** A view, not a copy: valid as long as the PDU's memory is. */
  octets(count: number): Uint8Array {
    return this.pdu.subarray(this.#at, this.#at += count);
  }

  skip(octets: number): void {
    this.#at += octets;
  }

  /** An octet somewhere ahead, for counts that say how long the message must be. */
  peek(offset: number): number {
    return this.pdu[this.#at + offset]!;
  }
}

/** Writes a PDU of known length, header first. Values that do not fit are refused, never cut. */
export class Writer {
  readonly pdu: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = HEADER_OCTETS;

  constructor(total: number, commandId: number, sequence: number) {
    this.pdu = new Uint8Array(total);
    this.#view = new DataView(this.pdu.buffer);
    this.#view.setUint32(0, total);
    this.#view.setUint32(4, commandId);
    this.#view.setUint32(8, sequence);
  }

  u8(value: number, field: string): void {
    if (value < 0 || value > 0xff || !Number.isInteger(value)) throw unfit(field, value, "0 to 255");
    this.pdu[this.#at++] = value;
  }

  u16(value: number, field: string): void {
    if (value < 0 || value > 0xffff || !Number.isInteger(value)) throw unfit(field, value, "0 to 65535");
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
  }

  u32(value: number, field: string): void {
    if (value < 0 || value > 0xffff_ffff || !Number.isInteger(value)) {
      throw unfit(field, value, "0 to 4294967295");
    }
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  i32(value: number, field: string): void {
    if (value !== (value | 0)) throw unfit(field, value, "-2147483648 to 2147483647");
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  u64(value: bigint, field: string): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw unfit(field, value, "0 to 2^64-1");
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
  }

  text(value: string, octets: number, field: string): void {
    if (value.length > octets) throw unfit(field, value, `at most ${octets} octets`);
    const { pdu } = this;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code === 0 || code > 0xff) throw unfit(field, value, "characters of one octet, none of them NUL");
      pdu[this.#at + i] = code;
    }
    this.#at += octets;
  }

  octets(value: Uint8Array, field: string, exactly?: number): void {
    if (exactly !== undefined && value.length !== exactly) {
      throw unfit(field, `${value.length} octets`, `${exactly} octets`);
    }
    this.pdu.set(value, this.#at);
    this.#at += value.length;
  }
}

function unfit(field: string, value: unknown, allowed: string): CmppError {
  return new CmppError("value", `${field} "${String(value).slice(0, 64)}" does not fit: ${allowed}`);
}
