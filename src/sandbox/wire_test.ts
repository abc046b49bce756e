import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Fields, LineReader } from "./wire.ts";

Deno.test("lines come out whole, however the bytes are cut", () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""));
  fc.assert(fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 })), (lines, cuts) => {
    const read: string[] = [];
    const reader = new LineReader(1000, (text) => read.push(text));
    const bytes = new TextEncoder().encode(lines.map((text) => text + "\n").join(""));
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = cuts.length === 0 ? 5 : cuts[i % cuts.length]!;
      reader.push(bytes.subarray(at, at + size));
      at += size;
    }
    assertEquals(read, lines);
  }));
});

Deno.test("a line that never ends is refused at its limit, not collected", () => {
  const reader = new LineReader(1000, () => {});
  reader.push(new Uint8Array(900).fill(65));
  assertThrows(() => reader.push(new Uint8Array(200).fill(65)), RangeError);
  assertThrows(
    () => new LineReader(10, () => {}).push(new TextEncoder().encode("x".repeat(11) + "\n")),
    RangeError,
  );
});

Deno.test("bytes that are not UTF-8 are refused", () => {
  assertThrows(() => new LineReader(1000, () => {}).push(Uint8Array.of(0xff, 0xfe, 10)), TypeError);
});

Deno.test("fields are read one after the other, the last one with its spaces", () => {
  const fields = new Fields(`C 7 12 QUERY {"a": "b c"}`);
  assertEquals([fields.number(), fields.number(), fields.text(), fields.rest()], [
    7,
    12,
    "QUERY",
    `{"a": "b c"}`,
  ]);
});

Deno.test("a field that should be a number and is none is refused", () => {
  for (const bad of ["", "x", "-1", "1.5", "1e99"]) {
    assertThrows(() => new Fields(`C ${bad} `).number(), TypeError);
  }
});
