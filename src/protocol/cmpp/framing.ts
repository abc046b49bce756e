/**
 * Cutting a byte stream into PDUs: each begins with its own Total_Length (reference §1).
 *
 * @module
 */
import { CmppError } from "./errors.ts";
import { HEADER_OCTETS } from "./wire.ts";

/**
 * The longest PDU taken unless a decoder is told otherwise. The standard states none; its longest message, a SUBMIT
 * to 99 numbers, has 3,586 octets at the very most.
 */
export const MAX_PDU_OCTETS = 4096;

/** What is set aside for a PDU before its octets arrive. */
const FIRST_OCTETS = 512;
const LENGTH_OCTETS = 4;

/**
 * Cuts a byte stream into whole PDUs, header included. Holds at most one unfinished PDU, in memory that grows with
 * the octets received, never with what a Total_Length claims. After a Total_Length that can't be, the stream can't be
 * followed: PDUs before it are still given, then that push and every later one throws.
 *
 * @example
 * ```ts
 * import { encodeMessage, PduDecoder } from "./mod.ts";
 * const decoder = new PduDecoder();
 * const wire = encodeMessage({ command: "ACTIVE_TEST", sequence: 7 }, 3);
 * const before = [...decoder.push(wire.subarray(0, 5))];
 * const [pdu] = decoder.push(wire.subarray(5));
 * if (before.length !== 0 || pdu?.length !== 12) throw new Error("not reassembled");
 * ```
 */
export class PduDecoder {
  #total = 0;
  #held = new Uint8Array(0);
  #filled = 0;
  #failed: CmppError | undefined;

  constructor(readonly maxOctets: number = MAX_PDU_OCTETS) {}

  /** Octets held of a PDU that is not whole yet. */
  get pending(): number {
    return this.#filled;
  }

  /**
   * The PDUs that `chunk` completes. One may be a view into `chunk`: use it before the chunk's memory is used again.
   *
   * @throws {CmppError} `total_length`
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, void> {
    if (this.#failed) throw this.#failed;
    let at = 0;
    if (this.#filled > 0) {
      at = this.#keep(chunk, 0, LENGTH_OCTETS);
      if (this.#filled < LENGTH_OCTETS) return;
      if (this.#total === 0) this.#total = this.#check(totalLength(this.#held, 0));
      at = this.#keep(chunk, at, this.#total);
      if (this.#filled < this.#total) return;
      const whole = this.#held.subarray(0, this.#total);
      this.#held = new Uint8Array(0);
      this.#filled = this.#total = 0;
      yield whole;
    }
    while (chunk.length - at >= LENGTH_OCTETS) {
      const total = this.#check(totalLength(chunk, at));
      if (chunk.length - at < total) {
        this.#total = total;
        break;
      }
      yield chunk.subarray(at, at += total);
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length - at);
  }

  /** Takes octets of `chunk` from `at` until `upTo` are held; gives how far it came. */
  #keep(chunk: Uint8Array, at: number, upTo: number): number {
    const count = Math.min(upTo - this.#filled, chunk.length - at);
    if (count <= 0) return at;
    const needed = this.#filled + count;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#held.length, FIRST_OCTETS));
      grown.set(this.#held.subarray(0, this.#filled));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled = needed;
    return at + count;
  }

  #check(total: number): number {
    if (total >= HEADER_OCTETS && total <= this.maxOctets) return total;
    throw this.#failed = new CmppError(
      "total_length",
      `Total_Length ${total} is not possible: ${HEADER_OCTETS} to ${this.maxOctets}`,
    );
  }
}

function totalLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}
