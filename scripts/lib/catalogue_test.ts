import { assert, assertEquals } from "@std/assert";
import { calls, catalogueFaults, rowsOf } from "./catalogue.ts";

const HEAD =
  "| command | request → reply | right | Linux | simulated | tests |\n| --- | --- | --- | --- | --- | --- |\n";
const shipped = [{ plugin: "p", command: "A", right: "both", auth: true }];
const test = (body: string) => `Deno.test("t", () => { ${body} });`;
const tests: Record<string, string> = {
  one_test: test(`ask("A")`),
  two_test: test(`for (const [cmdType] of [\n["A", {}]\n])`),
  other_test: test(`ask("AB")`),
};
const faults = (table: string) => catalogueFaults(shipped, rowsOf(table), (name) => tests[name]);

Deno.test("a table that agrees has no faults, and other tables are not looked at", () => {
  const table =
    `| action | x |\n| --- | --- |\n| \`a\` | y |\n\n${HEAD}| A | x → y | both † | ip | all | \`one_test\`, \`two_test\` |\n`;
  assertEquals(faults(table), []);
});

Deno.test("a row that is missing, twice, or of nobody is found", () => {
  assertEquals(faults(HEAD), ["A of p: 0 rows"]);
  const row = "| A | x | both † | ip | all | `one_test`, `two_test` |\n";
  assertEquals(faults(HEAD + row + row), ["A of p: 2 rows"]);
  assertEquals(faults(HEAD + row + row.replace("A", "B").replace("†", "†")).length, 3);
});

Deno.test("a wrong right, an empty cell, a test that is not there or runs something else are found", () => {
  assertEquals(faults(`${HEAD}| A | x | both | ip | all | \`one_test\`, \`two_test\` |\n`), [
    `A: its right is "both †", not "both"`,
  ]);
  assertEquals(faults(`${HEAD}| A | x | both † |  | all | \`one_test\`, \`none_test\` |\n`), [
    "A: nothing about Linux or the simulated gateway",
    "A: there is no test none_test.ts",
  ]);
  assertEquals(faults(`${HEAD}| A | x | both † | ip | all | \`other_test\` |\n`), [
    "A: 1 tests",
    "A: other_test does not call it",
  ]);
});

Deno.test("a command that is only spoken of is not called", () => {
  assert(calls(test(`ask(\n  "A",\n)`), "A"));
  for (
    const body of [
      `// ask("A")\n`,
      `/* ["A"] */`,
      `reply = { CmdType: "A" }`,
      `"A"`,
    ]
  ) assert(!calls(test("\n" + body + "\n"), "A"), body);
  assert(!calls(`ask("A")`, "A"), "no test is there");
});
