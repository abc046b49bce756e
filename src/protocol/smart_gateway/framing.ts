/**
 * Frames of the TCP links (reference §1): a 4-byte big-endian length, then that many bytes of JSON.
 *
 * @module
 */
import { ProtocolError } from "./errors.ts";

/** The largest frame body in bytes, unless a decoder is told otherwise. */
export const MAX_FRAME_BYTES = 256 * 1024;

const HEADER_BYTES = 4;
/** What is set aside for a frame before its bytes arrive: a prefix alone must not cost its sender's claim. */
const FIRST_BYTES = 4096;

/** The frame around `body`. Throws {@linkcode ProtocolError} `oversize`. */
export function encodeFrame(body: Uint8Array, maxBytes: number = MAX_FRAME_BYTES): Uint8Array<ArrayBuffer> {
  if (body.length > maxBytes) throw oversize(body.length, maxBytes);
  const frame = new Uint8Array(HEADER_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, HEADER_BYTES);
  return frame;
}

/**
 * Cuts a byte stream into frame bodies. Holds at most one unfinished frame, in memory that grows with the bytes
 * received and never past `maxBytes`. After an oversize prefix the stream can't be followed any more: that push
 * and every later one throws.
 *
 * @example
 * ```ts
 * import { encodeFrame, FrameDecoder } from "./mod.ts";
 * const decoder = new FrameDecoder();
 * const wire = encodeFrame(new TextEncoder().encode("{}"));
 * const none = decoder.push(wire.subarray(0, 5));
 * const [body] = decoder.push(wire.subarray(5));
 * if (none.length !== 0 || body?.length !== 2) throw new Error("not reassembled");
 * ```
 */
export class FrameDecoder {
  #header = 0;
  #headerBytes = 0;
  #body = EMPTY;
  #filled = 0;
  #failed: ProtocolError | undefined;

  constructor(readonly maxBytes: number = MAX_FRAME_BYTES) {}

  /** Bytes held of a frame that is not whole yet, its prefix included. */
  get pending(): number {
    return this.#headerBytes + this.#filled;
  }

  /**
   * The frames that `chunk` completes, in order. A body may be a view into `chunk`: use it before the chunk's
   * memory is used again. Throws {@linkcode ProtocolError} `oversize`; frames before the bad prefix are lost with it.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failed) throw this.#failed;
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        this.#header = (this.#header << 8 | chunk[at++]!) >>> 0;
        if (++this.#headerBytes < HEADER_BYTES) continue;
        if (this.#header > this.maxBytes) throw this.#failed = oversize(this.#header, this.maxBytes);
      }
      const missing = this.#header - this.#filled, here = Math.min(missing, chunk.length - at);
      if (this.#filled === 0 && here === missing) {
        frames.push(chunk.subarray(at, at + here));
        this.#reset();
      } else {
        this.#keep(chunk.subarray(at, at + here));
        if (here === missing) {
          frames.push(this.#body.subarray(0, this.#filled));
          this.#reset();
        }
      }
      at += here;
    }
    return frames;
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length;
    if (needed > this.#body.length) {
      const grown = new Uint8Array(
        Math.min(this.#header, Math.max(needed, 2 * this.#body.length, FIRST_BYTES)),
      );
      grown.set(this.#body.subarray(0, this.#filled));
      this.#body = grown;
    }
    this.#body.set(bytes, this.#filled);
    this.#filled = needed;
  }

  #reset(): void {
    this.#header = this.#headerBytes = this.#filled = 0;
    this.#body = EMPTY;
  }
}

const EMPTY = new Uint8Array(0);

function oversize(bytes: number, max: number): ProtocolError {
  return new ProtocolError("oversize", `frame too long: ${bytes} bytes, at most ${max}`);
}
