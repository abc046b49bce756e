import { assertEquals } from "@std/assert";
import { resolveModule } from "./program.ts";

Deno.test("relative imports are resolved within the folder", () => {
  assertEquals(resolveModule("plugin.js", "./lib/a.js"), "lib/a.js");
  assertEquals(resolveModule("lib/a.js", "../b.js"), "b.js");
  assertEquals(resolveModule("lib/deep/a.js", "./../c.js"), "lib/c.js");
});

Deno.test("imports that leave the folder or are not relative are refused", () => {
  const bad = [
    "../x.js",
    "./../../x.js",
    "/etc/passwd",
    "x",
    "node:fs",
    "https://example.com/x.js",
    "file:///x",
    ".\\x.js",
  ];
  for (const specifier of bad) assertEquals(resolveModule("plugin.js", specifier), undefined, specifier);
});
