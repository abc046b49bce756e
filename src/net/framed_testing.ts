/**
 * What the tests of framed connections share.
 *
 * @module
 */
import { FakeClock, silentLog } from "../base/mod.ts";
import { FramedConnection, type FramedOptions } from "./framed_connection.ts";
import { memoryPair } from "./memory_stream.ts";
import type { Framing } from "./stream.ts";

/** One byte of length, then the payload; a length of 255 is an error. Small, so that every limit is near. */
export const tinyFraming: Framing = {
  decoder() {
    let held = new Uint8Array();
    return {
      get pending() {
        return held.length;
      },
      *push(chunk) {
        const all = new Uint8Array(held.length + chunk.length);
        all.set(held);
        all.set(chunk, held.length);
        let at = 0;
        while (at < all.length) {
          const length = all[at]!;
          if (length === 255) throw new RangeError("frame too long: 255");
          if (at + 1 + length > all.length) break;
          yield all.subarray(at + 1, at + 1 + length);
          at += 1 + length;
        }
        held = all.slice(at);
      },
    };
  },
  encode(payload) {
    const bytes = new Uint8Array(1 + payload.length);
    bytes[0] = payload.length;
    bytes.set(payload, 1);
    return bytes;
  },
};

export const encode = (text: string) => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
export const frame = (text: string) => tinyFraming.encode(encode(text));

/** A connection over a pair in memory, whose peer the test plays with raw bytes. */
export function pair(options: Partial<FramedOptions> & { window?: number } = {}) {
  const clock = new FakeClock();
  const [peer, stream] = memoryPair(
    { host: "10.0.0.1", port: 1 },
    { host: "10.0.0.2", port: 2 },
    options.window ?? 1024,
  );
  const connection = new FramedConnection(stream, {
    framing: tinyFraming,
    clock,
    log: silentLog,
    ...options,
  });
  return { clock, peer, connection };
}

/** Everything that can be read from `stream` until its end. */
export async function readAll(stream: { read(buffer: Uint8Array): Promise<number | null> }): Promise<string> {
  const buffer = new Uint8Array(1024);
  let text = "";
  for (let n = await stream.read(buffer); n !== null; n = await stream.read(buffer)) {
    text += decode(buffer.subarray(0, n));
  }
  return text;
}
