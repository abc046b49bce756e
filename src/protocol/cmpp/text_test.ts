import { assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "@std/encoding";
import fc from "fast-check";
import { CmppError, decodeText, encodeText, encodingOf, fmtFor, MsgFmt } from "./mod.ts";

Deno.test("text is written in ASCII, UCS2 and GBK as phones read it", () => {
  assertEquals(encodeHex(encodeText("Hi~", 0)), "48697e");
  assertEquals(encodeHex(encodeText("中A", 8)), "4e2d0041");
  assertEquals(encodeHex(encodeText("中A€", 15)), "d6d041a2e3");
});

Deno.test("UCS2 takes any text, surrogate pairs included, under each of its numbers", () => {
  for (const fmt of [8, 9, 24, 25]) {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      assertEquals(decodeText(encodeText(text, fmt), fmt), text);
    }));
  }
});

Deno.test("every character of GBK reads back, and what GBK does not have is refused", () => {
  let count = 0;
  for (let code = 0x80; code < 0xd800; code++) {
    const character = String.fromCharCode(code);
    let octets;
    try {
      octets = encodeText(character, MsgFmt.gbk);
    } catch (error) {
      assertEquals((error as CmppError).code, "text");
      continue;
    }
    assertEquals(decodeText(octets, MsgFmt.gbk), character);
    count++;
  }
  // GBK has 21,886 characters; a few of its symbols stand outside this range.
  assertEquals(count > 21_000, true, String(count));
  assertThrows(() => encodeText("😀", MsgFmt.gbk), CmppError, "can't hold");
});

Deno.test("ASCII refuses what it does not have; octets are no text", () => {
  assertThrows(() => encodeText("é", 0), CmppError, "can't hold");
  for (const fmt of [MsgFmt.binary, MsgFmt.simWrite, 200]) {
    assertThrows(() => encodeText("x", fmt), CmppError, "not for text");
    assertEquals(decodeText(Uint8Array.of(1), fmt), undefined);
    assertEquals(encodingOf(fmt), "binary");
  }
  assertEquals(decodeText(Uint8Array.of(0x41), 0x10), "A");
});

Deno.test("any octets read as some text", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.constantFrom(0, 8, 9, 15, 24, 25), (octets, fmt) => {
    assertEquals(typeof decodeText(octets, fmt), "string");
  }));
});

Deno.test("the format for a text is ASCII where it can be", () => {
  assertEquals([fmtFor("plain"), fmtFor(""), fmtFor("中"), fmtFor("é")], [0, 0, 8, 8]);
});
