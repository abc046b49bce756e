import { assertEquals } from "@std/assert";
import {
  anchorOf,
  between,
  brokenLinks,
  headingsOf,
  linksOf,
  missingFiles,
  missingHead,
  replaceBetween,
  unequalSections,
} from "./docs.ts";

const CODE = "```sh\n# no heading\n[no](link.md)\n```\n";

Deno.test("headings and links are found outside code", () => {
  const text =
    `# One\n${CODE}see [a](docs/a.md#part-two) and \`[b](b.md)\`, ![c](<c d.png>), [d](https://x.net)\n## Two ##\n`;
  assertEquals(headingsOf(text).map(({ depth, text, line }) => [depth, text, line]), [[1, "One", 1], [
    2,
    "Two",
    7,
  ]]);
  assertEquals(linksOf(text).map(({ target, line }) => [target, line]), [["docs/a.md#part-two", 6]]);
});

Deno.test("a heading's anchor is the one that is shown", () => {
  assertEquals(anchorOf("Exit codes, and `--help`"), "exit-codes-and---help");
  assertEquals(anchorOf("安全模型"), "安全模型");
});

Deno.test("a link to a file or heading that is not there is found", () => {
  const documents = new Map([
    ["README.md", "# A\n[ok](docs/x.md#b)\n[no](docs/y.md)\n[no](docs/x.md#c)\n[ok](#a)\n[ok](src/)"],
    ["docs/x.md", "# B\n[ok](../README.md)"],
  ]);
  const there = ["README.md", "docs/x.md", "src/"];
  assertEquals(
    brokenLinks(documents, (path) => there.includes(path)).map(({ file, line }) => [file, line]),
    [["README.md", 3], ["README.md", 4]],
  );
});

Deno.test("a file that a document names and that is not there is found", () => {
  const there = ["tests/a_test.ts", ".ci/run"];
  const documents = new Map([
    [
      "docs/a.md",
      "see `tests/a_test.ts` and\n`tests/b_test.ts`, `.ci/run`; not tests/c.ts, nor `POST /tests/d`",
    ],
  ]);
  assertEquals(
    missingFiles(documents, (path) => there.includes(path)).map(({ line, message }) => [line, message]),
    [[2, 'there is no "tests/b_test.ts"']],
  );
});

Deno.test("a translation with a section missing, added or at another depth is found", () => {
  const original: [string, string] = ["a", "# 1\n## 2\n## 3\n"];
  const check = (text: string) => unequalSections(original, ["b", text]).map(({ line }) => line);
  assertEquals(check("# 一\n## 二\n## 三\n"), []);
  assertEquals(check("# 一\n## 二\n"), [1]);
  assertEquals(check("# 一\n## 二\n### 三\n"), [3]);
  assertEquals(check("# 一\n## 二\n## 三\n## 四"), [4]);
});

Deno.test("a file without a head that says something is found", () => {
  const good = [
    "/**\n * Words.\n *\n * @module\n */\n",
    "#!/usr/bin/env deno\n// deno-lint-ignore-file x\n/** W. @module */\n",
  ];
  const bad = ["", "import x;\n/** W. @module */", "/** @module */", "/** Words. */"];
  assertEquals(good.flatMap((text) => missingHead("x", text)), []);
  assertEquals(bad.map((text) => missingHead("x", text).length), [1, 1, 1, 1]);
});

Deno.test("what stands between two marks is read and replaced", () => {
  const text = "a\n<!-- t -->\nold\n<!-- /t -->\nb";
  assertEquals(between(text, "t"), "old\n");
  assertEquals(replaceBetween(text, "t", "$1 new\n"), "a\n<!-- t -->\n$1 new\n<!-- /t -->\nb");
  assertEquals(between(text, "u"), undefined);
});
