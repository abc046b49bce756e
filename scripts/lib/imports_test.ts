import { assertEquals } from "@std/assert";
import { checkImports, importsOf } from "./imports.ts";

function problems(files: Record<string, string>): string[] {
  return checkImports(new Map(Object.entries(files))).map(({ file, line, message }) =>
    `${file}:${line}: ${message}`
  );
}

Deno.test("imports are found in every form, and with their line; those in comments are not", () => {
  const text = `/**
 * import { no } from "./no.ts";
 */
import { a } from "./a.ts";
import type { B } from "./b.ts";
// import { no } from "./no.ts";
export {
  c,
} from "./c.ts";
import "./d.ts";
const e = await import("./e.ts");
const text = 'an import of goods from "abroad"';
`;
  assertEquals(importsOf(text).map(({ specifier, line, typeOnly }) => [specifier, line, typeOnly]), [
    ["./a.ts", 4, false],
    ["./b.ts", 5, true],
    ["./c.ts", 9, false],
    ["./d.ts", 10, false],
    ["./e.ts", 11, false],
  ]);
});

Deno.test("a house in order has no problems", () => {
  assertEquals(
    problems({
      "main.ts": `await import("./src/cli/mod.ts"); await import("./src/sandbox/host/mod.ts");`,
      "src/cli/main.ts": `import { S } from "../platform/settings.ts";\nimport("../gateway/mod.ts");`,
      "src/platform/platform.ts": `import { a } from "./access/mod.ts";\nimport x from "../../plugins/x.js";`,
      "src/platform/access/a.ts":
        `import type { D } from "../deps.ts";\nimport { r } from "../registry/mod.ts";`,
      "src/net/udp.ts": `import { Clock } from "../base/mod.ts";\nimport { b } from "./b.ts";`,
      "src/net/udp_test.ts": `import { fixture } from "../base/testing/fixture.ts";`,
      "tests/flow_test.ts": `import { x } from "../src/net/udp.ts";`,
    }),
    [],
  );
});

Deno.test("an arrow that points up or sideways is found", () => {
  assertEquals(
    problems({
      "src/base/a.ts": `import { x } from "../net/mod.ts";`,
      "src/gateway/a.ts": `\nimport { x } from "../platform/mod.ts";`,
      "src/sandbox/a.ts": `import { x } from "../protocol/cmpp/mod.ts";`,
      "src/net/a.ts": `import { x } from "../../scripts/x.ts";`,
      "src/attic/a.ts": `import { x } from "../base/mod.ts";`,
    }),
    [
      'src/attic/a.ts:1: "attic" has no floor: enter it in scripts/lib/imports.ts',
      'src/base/a.ts:1: "base" (floor 0) may not import "net" (floor 2)',
      'src/gateway/a.ts:2: "gateway" (floor 4) may not import "platform" (floor 4)',
      'src/net/a.ts:1: imports "scripts/x.ts": src may not lean on code outside src',
      'src/sandbox/a.ts:1: "sandbox" may know nothing of "protocol"',
    ],
  );
});

Deno.test("a folder of pages is entered by its face, too", () => {
  assertEquals(
    problems({ "src/platform/console/pages/a.tsx": `import { Table } from "../parts/table.tsx";` }),
    [
      'src/platform/console/pages/a.tsx:1: imports "src/platform/console/parts/table.tsx" from outside its folder: ' +
      'only "src/platform/console/parts/mod.ts" may be',
    ],
  );
});

Deno.test("a folder entered by the window is found", () => {
  assertEquals(
    problems({
      "src/net/a.ts": `import { x } from "../base/clock.ts";`,
      "src/platform/platform.ts": `import { x } from "./access/inner.ts";`,
      "src/platform/access/a.ts": `import { x } from "../registry/table.ts";`,
    }),
    [
      'src/net/a.ts:1: imports "src/base/clock.ts" from outside its folder: only "src/base/mod.ts" may be',
      'src/platform/access/a.ts:1: imports "src/platform/registry/table.ts" from outside its folder: only ' +
      '"src/platform/registry/mod.ts" may be',
      'src/platform/platform.ts:1: imports "src/platform/access/inner.ts" from outside its folder: only ' +
      '"src/platform/access/mod.ts" may be',
    ],
  );
});

Deno.test("circles of folders and of files are found, those of types among files are not", () => {
  const found = problems({
    "src/platform/a/x.ts": `import { y } from "../b/mod.ts";`,
    "src/platform/b/y.ts": `import type { x } from "../a/mod.ts";`,
    "src/net/one.ts": `import { two } from "./two.ts";`,
    "src/net/two.ts": `import { one } from "./one.ts";`,
    "src/net/three.ts": `import { four } from "./four.ts";`,
    "src/net/four.ts": `import type { three } from "./three.ts";`,
  });
  assertEquals(found, [
    "src/net/one.ts:1: files import each other in a circle: src/net/one.ts -> src/net/two.ts -> src/net/one.ts",
    "src/platform/a/x.ts:1: folders import each other in a circle: src/platform/a -> src/platform/b -> src/platform/a",
  ]);
});

Deno.test("protocol with a clock or a socket, and packages past the import map, are found", () => {
  assertEquals(
    problems({
      "src/protocol/cmpp/a.ts":
        `// Deno.env is fine in a comment\nconst now = Date.now();\nDeno.listen({ port: 1 });`,
      "src/protocol/cmpp/a_test.ts": `Deno.test("x", () => {});`,
      "src/net/a.ts": `import x from "npm:x@1.0.0";`,
    }),
    [
      'src/net/a.ts:1: "npm:x@1.0.0": name it in the import map of deno.json',
      'src/protocol/cmpp/a.ts:2: "Date.now": protocol is pure, without input, output or clock',
      'src/protocol/cmpp/a.ts:3: "Deno.": protocol is pure, without input, output or clock',
    ],
  );
});
