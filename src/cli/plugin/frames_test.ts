import { assertEquals } from "@std/assert";
import { ownPlace, withOwnPlace } from "./frames.ts";

async function folder() {
  const top = await Deno.makeTempDir(), path = `${top}/g`;
  await Deno.mkdir(`${path}/lib`, { recursive: true });
  await Deno.writeTextFile(`${top}/secret.ts`, "a secret");
  await Deno.writeTextFile(`${path}/plugin.ts`, "one\ntwo\nthree");
  await Deno.writeTextFile(`${path}/lib/a.js`, "of a");
  return { path, top, [Symbol.asyncDispose]: () => Deno.remove(top, { recursive: true }) };
}

Deno.test("a stack has the author's names, and the line that it begins at", async () => {
  await using g = await folder();
  const text = "it failed (command: X)\n    at f (lib/a.js:1:2)\n    at X (plugin.js:3:1)";
  assertEquals(
    await withOwnPlace(g.path, text),
    "it failed (command: X)\n    at f (lib/a.js:1:2)\n    at X (plugin.ts:3:1)\n  lib/a.js:1:2\n    1 | of a\n         ^",
  );
  assertEquals(await withOwnPlace(g.path, "plugin.js:3:1 is no stack"), "plugin.js:3:1 is no stack");
  assertEquals(await withOwnPlace(g.path, "none\n    at x.js:1:1"), "none\n    at x.js:1:1");
  assertEquals(await withOwnPlace(g.path, "past\n    at plugin.js:99:1"), "past\n    at plugin.ts:99:1");
  assertEquals(
    await ownPlace(g.path, "at lib/a.js:1:1 at plugin.js:2:1", "lib/a.js"),
    "  plugin.ts:2:1\n    2 | two\n        ^",
  );
});

Deno.test("a stack shows nothing from outside the plug-in, whatever the plug-in says", async () => {
  await using g = await folder();
  for (const file of ["../secret.js", `${g.top}/secret.ts`, "lib/../../secret.ts"]) {
    assertEquals(await ownPlace(g.path, `at x (${file}:1:1)`), undefined, file);
  }
});
