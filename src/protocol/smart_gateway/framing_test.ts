import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { encodeFrame, FrameDecoder } from "./framing.ts";

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

Deno.test("a frame is a 4-byte big-endian length and the body", () => {
  assertEquals([...encodeFrame(new Uint8Array([1, 2, 3]))], [0, 0, 0, 3, 1, 2, 3]);
  assertEquals([...encodeFrame(new Uint8Array(258)).subarray(0, 4)], [0, 0, 1, 2]);
});

Deno.test("frames come out the same however the stream is cut", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 9000 }), { minLength: 1, maxLength: 6 });
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
  fc.assert(
    fc.property(bodies, cuts, (bodies, cuts) => {
      const wire = concat(bodies.map((body) => encodeFrame(body)));
      const places = [
        0,
        ...cuts.map((cut) => Math.floor(cut * wire.length)).sort((a, b) => a - b),
        wire.length,
      ];
      const decoder = new FrameDecoder();
      const frames: number[][] = [];
      for (let i = 1; i < places.length; i++) {
        // A reader reuses its buffer: views handed out must be taken before the next push, pieces must be copied.
        const chunk = wire.slice(places[i - 1], places[i]);
        frames.push(...decoder.push(chunk).map((frame) => [...frame]));
        chunk.fill(0xee);
      }
      assertEquals(frames, bodies.map((body) => [...body]));
      assertEquals(decoder.pending, 0);
    }),
    { numRuns: 200 },
  );
});

Deno.test("frames come out the same when every byte arrives alone", () => {
  const decoder = new FrameDecoder();
  const wire = concat([
    encodeFrame(new Uint8Array()),
    encodeFrame(new Uint8Array([7])),
    encodeFrame(new Uint8Array(5)),
  ]);
  const frames = [...wire].flatMap((byte) => decoder.push(new Uint8Array([byte])));
  assertEquals(frames.map((frame) => frame.length), [0, 1, 5]);
});

Deno.test("an oversize prefix is refused before any of its body is kept, and the stream stays refused", () => {
  const decoder = new FrameDecoder(100);
  const error = assertThrows(() => decoder.push(new Uint8Array([0, 0, 0, 101])), ProtocolError);
  assertEquals(error.code, "oversize");
  assertThrows(() => decoder.push(encodeFrame(new Uint8Array(1))), ProtocolError);
  assertEquals(new FrameDecoder(100).push(encodeFrame(new Uint8Array(100)))[0]?.length, 100);
});

Deno.test("a prefix with its top bit set is a large number, not a negative one", () => {
  const error = assertThrows(
    () => new FrameDecoder().push(new Uint8Array([0xff, 0xff, 0xff, 0xff])),
    ProtocolError,
  );
  assertEquals(error.message, "frame too long: 4294967295 bytes, at most 262144");
});

Deno.test("a large claim costs no memory until its bytes arrive", () => {
  const decoders = Array.from({ length: 2000 }, () => new FrameDecoder());
  const before = Deno.memoryUsage();
  for (const decoder of decoders) decoder.push(new Uint8Array([0, 4, 0, 0, 1]));
  const grown = Deno.memoryUsage().external - before.external;
  assertEquals(grown < 50_000_000, true, `2,000 claims of 256 KiB cost ${grown} bytes`);
  assertEquals(decoders[0]!.pending, 5);
});

Deno.test("a body that is too long is not framed", () => {
  assertThrows(() => encodeFrame(new Uint8Array(11), 10), ProtocolError);
});
