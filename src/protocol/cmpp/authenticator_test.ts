import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "@std/encoding";
import {
  authenticatorIsmg,
  authenticatorSource,
  CmppError,
  connectTimestamp,
  equalAuthenticators,
  provesSecret,
} from "./mod.ts";

Deno.test("both authenticators are those that other implementations compute, in both versions", () => {
  const source = authenticatorSource("900001", "888888", 1021080510);
  assertEquals(encodeHex(source), "90d00c1d517abd0b4f65f6bcf8535d16");
  assertEquals(encodeHex(authenticatorIsmg(0, source, "888888", 3)), "7942977274098cf210ab0c16c367bc8d");
  assertEquals(encodeHex(authenticatorIsmg(0, source, "888888", 2)), "6c0b846e25bab6daa4ed1c466e0f4bd8");
});

Deno.test("a timestamp of January is hashed with its leading zero", () => {
  const padded = authenticatorSource("900001", "888888", 102150405);
  const other = authenticatorSource("900001", "8888881", 2150405); // the same digits, were the zero left out
  assert(!equalAuthenticators(padded, other));
  assertEquals(connectTimestamp(Date.UTC(2026, 0, 2, 7, 4, 5), 480), 102150405);
});

Deno.test("an AuthenticatorISMG proves the secret in either width of Status; zeroes and other secrets do not", () => {
  const source = authenticatorSource("900001", "888888", 1122035011);
  for (const dialect of [2, 3] as const) {
    const given = authenticatorIsmg(0, source, "888888", dialect);
    assertEquals(provesSecret(given, 0, source, "888888"), true);
    assertEquals(provesSecret(given, 1, source, "888888"), false);
    assertEquals(provesSecret(given, 0, source, "888889"), false);
  }
  assertEquals(provesSecret(new Uint8Array(16), 0, source, "888888"), false);
});

Deno.test("authenticators compare by value and length; secrets beyond one octet a character are refused", () => {
  const source = authenticatorSource("900001", "888888", 1);
  assert(equalAuthenticators(source, source.slice()));
  assert(!equalAuthenticators(source, source.slice(1)));
  assertThrows(() => authenticatorSource("900001", "密码", 1), CmppError);
});
