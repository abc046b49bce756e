import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "@std/encoding";
import fc from "fast-check";
import {
  CmppError,
  decodeText,
  encodeText,
  maxContent,
  type Part,
  readPartHeader,
  Reassembler,
  splitMessage,
} from "./mod.ts";

Deno.test("a message that fits goes as one part without a header", () => {
  for (const [text, fmt] of [["x".repeat(159), 0], ["汉".repeat(70), 8], ["汉".repeat(70), 15]] as const) {
    const parts = splitMessage(text, fmt, { reference: 1 });
    assertEquals(parts.map((p) => [p.Pk_total, p.Pk_number, p.TP_udhi]), [[1, 1, 0]]);
    assertEquals(parts[0]!.Msg_Content, encodeText(text, fmt));
  }
});

Deno.test("a longer one is cut at 153 octets of ASCII and 67 characters of UCS2, 66 with the wide header", () => {
  const ascii = splitMessage("x".repeat(160), 0, { reference: 0x2a });
  assertEquals(ascii.map((p) => p.Msg_Content.length), [159, 6 + 7]);
  assertEquals(encodeHex(ascii[1]!.Msg_Content.slice(0, 6)), "0500032a0202");
  const ucs2 = splitMessage("汉".repeat(71), 8, { reference: 1 });
  assertEquals(ucs2.map((p) => p.Msg_Content.length), [140, 6 + 8]);
  const wide = splitMessage("汉".repeat(71), 8, { reference: 0x1234, wide: true });
  assertEquals(wide.map((p) => p.Msg_Content.length), [139, 7 + 10]);
  assertEquals(encodeHex(wide[0]!.Msg_Content.slice(0, 7)), "06080412340201");
});

Deno.test("no character is cut in two: surrogate pairs stay together, and so do the octets of GBK", () => {
  const emoji = splitMessage("a" + "😀".repeat(80), 8, { reference: 1 });
  for (const part of emoji) {
    assert(decodeText(part.Msg_Content.slice(6), 8)!.isWellFormed());
  }
  const gbk = splitMessage("a" + "汉".repeat(200), 15, { reference: 1 });
  for (const part of gbk) assert(!decodeText(part.Msg_Content.slice(6), 15)!.includes("\ufffd"));
});

Deno.test("any text in any format comes back from its parts, in any order and with duplicates", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 2000 }).map((t) => [t, 8] as const),
    fc.string({ unit: "binary-ascii", maxLength: 2000 }).map((t) => [t, 0] as const),
    fc.array(fc.constantFrom("汉", "字", "a", "，"), { maxLength: 2000 }).map((l) =>
      [l.join(""), 15] as const
    ),
  );
  fc.assert(
    fc.property(text, fc.boolean(), fc.nat(255), fc.nat(1000), ([whole, fmt], wide, reference, seed) => {
      const parts = splitMessage(whole, fmt, { reference, wide });
      for (const part of parts) assert(part.Msg_Content.length <= maxContent(fmt));
      const order = parts.toSorted((a, b) => rank(a, seed) - rank(b, seed)).flatMap((p) => [p, p]);
      if (parts.length === 1) return assertEquals(decodeText(parts[0]!.Msg_Content, fmt), whole);
      const reassembler = new Reassembler();
      const wholes = order.map((part) => reassembler.push("a>b", part.Msg_Content, 0))
        .filter((outcome) => outcome.kind === "whole");
      assertEquals(wholes.length, 1);
      assertEquals(decodeText(wholes[0]!.message.content, fmt), whole);
      assertEquals(wholes[0]!.message.parts, parts.length);
    }),
  );
});

Deno.test("a message of more than 255 parts, and a reference that does not fit, are refused", () => {
  assertEquals(splitMessage("x".repeat(255 * 153), 0, { reference: 1 }).length, 255);
  assertEquals(
    assertThrows(() => splitMessage("x".repeat(255 * 153 + 1), 0, { reference: 1 }), CmppError).code,
    "too_long",
  );
  assertThrows(() => splitMessage("x".repeat(160), 0, { reference: 256 }), CmppError, "8 bits");
  assertThrows(
    () => splitMessage("x".repeat(160), 0, { reference: 65_536, wide: true }),
    CmppError,
    "16 bits",
  );
});

Deno.test("a concatenation element is found beside other elements, and a broken header is none", () => {
  const ports = Uint8Array.of(11, 0x05, 4, 0x0b, 0x84, 0x23, 0xf0, 0x00, 3, 9, 2, 1, 0x55);
  assertEquals(readPartHeader(ports), { reference: 9, wide: false, total: 2, number: 1, octets: 12 });
  for (
    const broken of [[], [5], [5, 0, 3, 1, 2], [5, 0, 9, 1, 2, 1], [5, 0, 3, 1, 2, 3], [5, 0, 3, 1, 2, 0], [
      4,
      5,
      2,
      1,
      1,
    ]]
  ) {
    assertEquals(readPartHeader(Uint8Array.from(broken)), undefined, String(broken));
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => void readPartHeader(octets)));
});

function rank(part: Part, seed: number): number {
  return Math.imul(part.Pk_number * 2654435761 + seed, 40503) >>> 8;
}
