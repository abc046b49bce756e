import { assertEquals } from "@std/assert";
import { checkTypes, type RunCompiler } from "./types.ts";

/** A plug-in's folder, and compilers that answer as they are told. */
async function bench(answers: Readonly<Record<string, { success: boolean; output: string }>>) {
  const folder = await Deno.makeTempDir();
  for (const name of ["plugin.ts", "plugin_test.js", "gatehouse.d.ts", "other.d.ts", "data.json", ".x.ts"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "");
  }
  const asked: [string, string[]][] = [];
  const run: RunCompiler = (program, args) => {
    asked.push([program, args.filter((arg) => arg.startsWith("./"))]);
    const answer = answers[program];
    return Promise.resolve(
      answer && { ...answer, output: answer.output.replaceAll("FOLDER", `file://${folder}`) },
    );
  };
  return {
    folder,
    asked,
    check: () => checkTypes(folder, run),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const FILES = ["./plugin.ts", "./plugin_test.js"];
const DENO = `TS2322 [ERROR]: Type 'number' is not assignable to type 'string'.
  version: 5,
  ~~~~~~~
    at FOLDER/plugin.ts:5:3

    The expected type comes from property 'version' which is declared here on type 'Manifest'
        version: string;
        ~~~~~~~
        at FOLDER/gatehouse.d.ts:78:5

TS2307 [ERROR]: Cannot find module 'FOLDER/gone.ts'.
    at FOLDER/lib/deep%20er.ts:21:7

TS18003 [ERROR]: Somewhere else.
    at file:///elsewhere/x.ts:1:1

Found 3 errors.

error: Type checking failed.
`;

Deno.test("what deno finds is told with the author's file, line and column", async () => {
  await using t = await bench({ deno: { success: false, output: DENO } });
  const checked = await t.check();
  assertEquals(checked, {
    compiler: "deno",
    remarks: [
      {
        severity: "fault",
        text: "Type 'number' is not assignable to type 'string'. (TS2322)",
        file: "plugin.ts",
        line: 5,
        column: 3,
      },
      {
        severity: "fault",
        text: `Cannot find module 'file://${t.folder}/gone.ts'. (TS2307)`,
        file: "lib/deep er.ts",
        line: 21,
        column: 7,
      },
      { severity: "fault", text: "Somewhere else. (TS18003)" },
    ],
  });
  assertEquals(t.asked, [["deno", FILES]]);
});

Deno.test("where there is no deno, tsc is asked, and where there is neither that is said", async () => {
  const output =
    "plugin.ts(21,7): error TS2322: Type 'number'.\n  more about it\nerror TS5023: Unknown option.\n";
  await using t = await bench({ tsc: { success: false, output } });
  assertEquals(await t.check(), {
    compiler: "tsc",
    remarks: [
      { severity: "fault", text: "Type 'number'. (TS2322)", file: "plugin.ts", line: 21, column: 7 },
      { severity: "fault", text: "Unknown option. (TS5023)" },
    ],
  });
  assertEquals(t.asked.map(([program]) => program), ["deno", "tsc"]);
  await using none = await bench({});
  assertEquals(await none.check(), { unchecked: "no compiler" });
});

Deno.test("a compiler that fails without a word on the plug-in is no compiler that found nothing", async () => {
  for (
    const [output, text] of [["error: Module not found\n", "Module not found"], ["", "deno failed"]] as const
  ) {
    await using t = await bench({ deno: { success: false, output } });
    assertEquals(await t.check(), { compiler: "deno", remarks: [{ severity: "fault", text }] });
  }
  await using well = await bench({ deno: { success: true, output: "" } });
  assertEquals(await well.check(), { compiler: "deno", remarks: [] });
});

Deno.test("without declarations there is nothing to check against, and a flood of faults is cut", async () => {
  const one = "TS1 [ERROR]: x\n    at FOLDER/plugin.ts:1:1\n\n";
  await using t = await bench({ deno: { success: false, output: one.repeat(5000) } });
  const checked = await t.check();
  assertEquals("remarks" in checked && checked.remarks.length, 100);
  assertEquals(await checkTypes(`${t.folder}/plugin.ts`), { unchecked: "it is no folder" });
  await Deno.remove(`${t.folder}/gatehouse.d.ts`);
  assertEquals(await t.check(), { unchecked: "no gatehouse.d.ts beside it" });
});
