import { assertEquals, assertThrows } from "@std/assert";
import {
  compareVersions,
  hex32,
  isLoid,
  isMac,
  isSequenceId,
  isSn,
  isVersion,
  normalizeMac,
  ouiOf,
  sequenceId,
} from "./identifiers.ts";

Deno.test("a MAC is 12 upper-case hex digits; other spellings are repaired", () => {
  assertEquals(isMac("64D95420214B"), true);
  assertEquals(isMac("64d95420214b"), false);
  assertEquals(normalizeMac("64d95420214b"), "64D95420214B");
  assertEquals(normalizeMac("64:d9:54:20:21:4b"), "64D95420214B");
  assertEquals(normalizeMac("64D9.5420.214B"), "64D95420214B");
  assertEquals(normalizeMac("64D95420214"), undefined);
  assertEquals(normalizeMac("64D95420214G"), undefined);
  assertEquals(normalizeMac("-".repeat(100_000)), undefined);
});

Deno.test("an SN is the OUI, a dash and a serial number", () => {
  assertEquals(isSn("64D954-D6AEE64D95420214B"), true);
  assertEquals(isSn("64D954D6AEE64D95420214B"), false);
  assertEquals(isSn("64D954-"), false);
  assertEquals(isSn("64D954-a b"), false);
  assertEquals(ouiOf("64D954-D6AEE64D95420214B"), "64D954");
});

Deno.test("a LOID has up to 24 characters", () => {
  assertEquals(isLoid("a".repeat(24)), true);
  assertEquals(isLoid("a".repeat(25)), false);
  assertEquals(isLoid(""), false);
});

Deno.test("versions are dotted numbers and compare by number", () => {
  assertEquals(["1.0", "1", "1.2.3.4"].map(isVersion), [true, true, true]);
  assertEquals(["", "1.", "v1.0", "1.0.0.0.0", "1.0-rc"].map(isVersion), [false, false, false, false, false]);
  assertEquals(compareVersions("1.10", "1.9") > 0, true);
  assertEquals(compareVersions("1", "1.0"), 0);
  assertEquals(compareVersions("1.0", "2.0") < 0, true);
});

Deno.test("random bytes become upper-case hex", () => {
  assertEquals(hex32(new Uint8Array(16).fill(0xab)), "AB".repeat(16));
  assertThrows(() => hex32(new Uint8Array(15)), RangeError);
  assertEquals(sequenceId(new Uint8Array([0, 1, 0xfe, 0xff])), "0001FEFF");
  assertEquals(isSequenceId("0001FEFF"), true);
});
