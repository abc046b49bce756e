import { assertEquals } from "@std/assert";
import { closest } from "./suggest.ts";

const NAMES = ["role", "http", "plugins", "plugin-center", "mgt-url", "log-level", "local"];

Deno.test("a slip of the finger is put right", () => {
  assertEquals(closest("rloe", NAMES), "role");
  assertEquals(closest("htp", NAMES), "http");
  assertEquals(closest("plugin-centre", NAMES), "plugin-center");
  assertEquals(closest("mgturl", NAMES), "mgt-url");
  assertEquals(closest("loglevel", NAMES), "log-level");
});

Deno.test("a word unlike any other is not put right", () => {
  assertEquals(closest("frobnicate", NAMES), undefined);
  assertEquals(closest("x", NAMES), undefined);
  assertEquals(closest("", NAMES), undefined);
  assertEquals(closest("a".repeat(100_000), NAMES), undefined);
});
