/**
 * The author's tools from outside, as processes: from an empty folder to a signed package.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { author, change, startLoneGateway } from "./support/author.ts";

Deno.test("what new makes passes its tests, its check and the type checker, in JavaScript and in TypeScript", async () => {
  await using me = await author();
  for (const flags of [[], ["--typescript"]]) {
    const dir = `greeter${flags.length}`;
    assertEquals((await me.run("new", "com.example.greeter", "--dir", dir, ...flags)).code, 0);
    const test = await me.run("test", dir);
    assertEquals(test.code, 0, test.err + test.out);
    assertMatch(test.out, /4 passed, 0 failed\n$/);
    // A time and a memory per command.
    assertMatch(test.out, /GREET +4 +[\d.]+ ms +[\d.]+ ms +\d+ KB +-?[\d.]+ K?B\n/);
    const check = await me.run("check", dir);
    assertEquals([check.code, check.err], [0, ""]);
    assertMatch(check.out, /0 faults, 0 warnings\n$/);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        "--no-config",
        ...(flags.length ? ["plugin.ts"] : ["plugin.js", "plugin_test.js"]),
      ],
      cwd: `${me.dir}/${dir}`,
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  }
  const again = await me.run("new", "com.example.greeter", "--dir", "greeter0");
  assertEquals([again.code, again.err], [1, 'gatehouse: "greeter0" is there already\n']);
});

Deno.test("a test that fails tells what it got, with the author's own file and line", async () => {
  await using me = await author();
  await me.run("new", "g");
  await change(me, "g/plugin_test.js", (text) => text.replace("42 %", "43 %"));
  const { code, out } = await me.run("test", "g");
  assertEquals(code, 1);
  assertStringIncludes(out, '"Busy":"42 %"');
  assertMatch(out, /plugin_test\.js:8:\d+\n +8 \| +equal\(await call\("GREET"/);
  assertMatch(out, /3 passed, 1 failed\n$/);
  const json = JSON.parse((await me.run("test", "g", "--json", "--filter", "load")).out);
  assertEquals(json.results.map(({ failure }: { failure?: unknown }) => failure === undefined), [
    false,
    true,
  ]);
});

Deno.test("tests are held by the sandbox: one that never ends fails, and the others run", async () => {
  await using me = await author();
  await me.run("new", "g");
  await Deno.writeTextFile(
    `${me.dir}/g/plugin_test.js`,
    `export const tests = {
  "loops"() { for (;;); },
  "reaches out"({ equal }) { equal([typeof Deno, typeof process, typeof fetch], ["undefined", "undefined", "undefined"]); },
  async "goes on"({ call }) { await call("GREET", { Name: "Ann" }); },
};`,
  );
  const { code, out } = await me.run("test", "g");
  assertEquals(code, 1);
  assertMatch(out, /FAIL {2}loops/);
  assertMatch(out, /ok {4}reaches out/);
  assertMatch(out, /ok {4}goes on/);
});

Deno.test("check names every fault of a manifest with its line, and what the sandbox has not", async () => {
  await using me = await author();
  await me.run("new", "g");
  const good = await Deno.readTextFile(`${me.dir}/g/plugin.js`);
  const checked = async (text: string) => {
    await Deno.writeTextFile(`${me.dir}/g/plugin.js`, text);
    return await me.run("check", "g");
  };
  const manifest = await checked(good.replace('"both"', '"everybody"').replace('"1.0"', '"1 0"'));
  assertEquals(manifest.code, 1);
  assertMatch(manifest.out, /fault: manifest\.version: .*\n +plugin\.js:7\n/);
  assertMatch(manifest.out, /fault: manifest\.commands\.GREET\.right: .*\n +plugin\.js:10\n/);

  const forgotten = await checked(
    good.replace(/version: "1.0",/, "").replace("callMs: 2000", 'callMs: "2000"'),
  );
  assertEquals(forgotten.code, 1);
  assertMatch(forgotten.out, /fault: manifest\.version: it is missing\n/);
  assertMatch(forgotten.out, /fault: manifest\.limits\.callMs: a number is needed, not "2000"\n/);
  const misspelt = await checked(good.replace("capabilities:", "capability:"));
  assertEquals(misspelt.code, 1);
  assertMatch(
    misspelt.out,
    /fault: manifest\.capability: there is no such field: did you mean capabilities\?\n/,
  );
  const worded = await checked(good.replace('"1.0"', '"first"'));
  assertEquals(worded.code, 0);
  assertMatch(worded.out, /warning: manifest\.version "first": platforms take dotted decimal alone/);

  const limits = await checked(
    good.replace("callMs: 2000", "callMs: 2000000").replace('system.cpu"', 'system.flux"'),
  );
  assertEquals(limits.code, 1);
  assertMatch(limits.out, /fault: manifest\.limits\.callMs: may be 60000 at most/);
  assertMatch(limits.out, /fault: manifest\.capabilities\.0: no capability "system\.flux"/);

  const syntax = await checked(good.replace("return {", "retrun {"));
  assertEquals(syntax.code, 1);
  assertMatch(syntax.out, /plugin\.js:21:12\n +21 \| +retrun \{.*\n +\^\n/);

  const habits = await checked(
    good.replace("// @ts-check", "").replace(
      "host.log.info",
      "fetch; eval; await import('./x.js'); host.system.memory(); host.system.cpu(); host.log.info",
    ),
  );
  assertEquals(habits.code, 0, habits.out);
  for (
    const part of [
      '"fetch" is not there',
      "eval: code",
      "dynamic import",
      'needs the capability "system.memory"',
    ]
  ) {
    assertStringIncludes(habits.out, part);
  }
  assertStringIncludes(habits.out, 'no host function "system.cpu"');
  assertMatch(habits.out, /0 faults, 5 warnings\n$/);

  const imports = await checked(`import fs from "node:fs";\nimport "./gone.js";\n${good}`);
  assertEquals(imports.code, 1);
  assertStringIncludes(imports.out, 'import of "node:fs"');
  assertStringIncludes(imports.out, 'import of "./gone.js": there is no such file');

  await Deno.mkdir(`${me.dir}/g/lib`);
  await Deno.writeTextFile(`${me.dir}/g/lib/index.js`, "export {};");
  await Deno.writeTextFile(`${me.dir}/g/data.json`, "{}");
  const nearly = await checked(
    `import d from "./data.json" with { type: "json" };\nimport "./lib";\nimport "./lib/index";\n${good}`,
  );
  assertEquals(nearly.code, 1);
  assertStringIncludes(nearly.out, 'import of "./data.json": only modules (.js, .ts) can be imported');
  assertStringIncludes(nearly.out, 'import of "./lib": name the whole file, as "./lib/index.js" (or .ts)');
  assertStringIncludes(nearly.out, 'import of "./lib/index": name the whole file, as "./lib/index.js"');

  const unheard = await checked(
    good.replace('"system.cpu"]', '"system.cpu", "plugins.call"], hosts: ["api.example.com"]') +
      "export const start = 5;\nexport function stpo() {}\nexport function helper() {}\n",
  );
  assertEquals(unheard.code, 0, unheard.out);
  assertMatch(
    unheard.out,
    /manifest\.hosts does nothing without the capability "network\.http"\n +plugin\.js:11\n/,
  );
  assertStringIncludes(unheard.out, 'the capability "plugins.call" does nothing without manifest.peers');
  assertStringIncludes(unheard.out, '"start" is no function: it will not be called');
  assertStringIncludes(unheard.out, 'the export "stpo" means nothing to a gateway: did you mean stop?');
  assertMatch(unheard.out, /0 faults, 4 warnings\n$/);
});

Deno.test("check tells faults of types as the compiler on PATH finds them, and that there is none", async () => {
  await using me = await author();
  await me.run("new", "g", "--typescript");
  await change(me, "g/plugin.ts", (text) => text.replace("const percent: number", "const percent: string"));
  const found = await me.run("check", "g");
  assertEquals([found.code, found.err], [1, ""]);
  assertMatch(
    found.out,
    /fault: Type 'number' is not assignable .*\n +plugin\.ts:16:11\n +16 \| +const percent: string/,
  );
  assertMatch(found.out, /types checked by deno\n1 fault, 0 warnings\n$/);
  const none = await me.run("check", "g", { env: { PATH: "/nonexistent" } });
  assertEquals([none.code, none.err], [0, ""]);
  assertMatch(none.out, /types not checked: no compiler\n0 faults, 0 warnings\n$/);
});

Deno.test("a package is the same each time, is signed, and a private key never gets into one", async () => {
  await using me = await author();
  await me.run("new", "g", "--typescript");
  assertEquals((await me.run("keygen", "mine", "--name", "Me")).code, 0);
  assertEquals((await me.run("keygen", "mine")).code, 1);
  assertEquals((await Deno.stat(`${me.dir}/mine.key`)).mode! & 0o777, 0o600);
  const sums = [];
  for (const output of ["a.ghp", "b.ghp"]) {
    const { code, out } = await me.run("pack", "g", "--output", output);
    assertEquals(code, 0);
    sums.push(/sha256 ([0-9a-f]{64})/.exec(out)![1]);
  }
  assertEquals(sums[0], sums[1]);
  const signed = await me.run("sign", "a.ghp", "--key", "mine.key");
  assertMatch(signed.out, /signed by [0-9a-f]{64}\n$/);
  await Deno.copyFile(`${me.dir}/mine.key`, `${me.dir}/g/mine.json`);
  const leak = await me.run("pack", "g");
  assertEquals(leak.code, 1);
  assertStringIncludes(leak.err, "holds a private key");
});

Deno.test("what a plug-in in TypeScript throws is shown in its author's own file and line, wherever it runs", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway();
  await me.run("new", "com.example.greeter", "--dir", "g", "--typescript");
  await change(
    me,
    "g/plugin.ts",
    (text) => text.replace(/throw new Error.*/, "fail(request as unknown as null);"),
  );
  await Deno.mkdir(`${me.dir}/g/lib`);
  await Deno.writeTextFile(
    `${me.dir}/g/lib/fail.ts`,
    "export const fail = (it: null): void => {\n  it!.x.y();\n};\n",
  );
  await change(me, "g/plugin.ts", (text) => `import { fail } from "./lib/fail.ts";\n${text}`);
  const place = /lib\/fail\.ts:2:\d+\n +2 \| +it!\.x\.y\(\);\n +\^/;
  const test = await me.run("test", "g");
  assertEquals(test.code, 1);
  assertMatch(test.out, /GREET threw at\n/);
  assertMatch(test.out, place);
  await using session = me.start("run", "g", "--to", gateway.url);
  await session.said(/1\.0 is running/);
  assertEquals((await me.run("call", "-", "GREET", "--to", gateway.url)).code, 1);
  await session.said(/at GREET \(plugin\.ts:16:\d+\)/);
  await session.said(place);
});

Deno.test("a test sees what the plug-in pushes, within the bounds that a gateway has", async () => {
  await using me = await author();
  await Deno.mkdir(`${me.dir}/g`);
  await Deno.writeTextFile(
    `${me.dir}/g/plugin.js`,
    `export const manifest = { name: "g", version: "1.0", apiVersion: "2026-11-01", capabilities: ["push"],
  commands: { SAY: { right: "both" } } };
export const commands = { async SAY({ what }, host) { await host.push.send(what); } };
`,
  );
  await Deno.writeTextFile(
    `${me.dir}/g/plugin_test.js`,
    `export const tests = {
  async "pushes"({ call, equal, messages }) {
    await call("SAY", { what: "text" });
    await call("SAY", { what: { a: 1 } });
    equal(await messages(), ["text", { a: 1 }]);
  },
  async "starts anew, and is refused what is too long"({ call, equal, rejects, messages }) {
    await rejects(call("SAY", { what: "x".repeat(70000) }), "at most 65536 bytes");
    equal(await messages(), []);
  },
  async "may be stubbed"({ call, stub, rejects, messages, equal }) {
    stub("push.send", () => { throw new Error("the push spool is full"); });
    await rejects(call("SAY", { what: "x" }), "spool is full");
    equal(await messages(), []);
  },
};
`,
  );
  const { code, out } = await me.run("test", "g");
  assertEquals(code, 0, out);
  assertStringIncludes(out, "3 passed");
});

Deno.test("every command has a help that teaches, and says in a sentence what is wrong with a command line", async () => {
  await using me = await author();
  const overview = await me.run("--help");
  assertEquals(overview.code, 0);
  const names = [...overview.out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name!);
  assertEquals(names.length, 17);
  await Promise.all(names.map(async (name) => {
    const { code, out } = await me.run(name, "--help");
    assertEquals(code, 0);
    assertMatch(out, /Usage\n[^]*Examples\n {2}.*gatehouse plugin [^]*Exit codes\n/, name);
  }));
  const wrong: [string[], string][] = [
    [[], "a command is missing"],
    [["tset"], 'no command "tset": did you mean test?'],
    [["new"], "NAME is missing"],
    [["new", "../x"], 'NAME "../x" is not allowed'],
    [["check", "a", "b"], 'unexpected argument "b"'],
    [["list", "--too", "x"], "did you mean --to?"],
    [["list", "--to", "ftp://x"], '--to "ftp://x" is not allowed'],
    [["logs", "x", "--limit", "0"], '--limit "0" is not allowed'],
  ];
  await Promise.all(wrong.map(async ([args, part]) => {
    const { code, out, err } = await me.run(...args);
    assertEquals([code, out, err.trim().split("\n").length], [2, "", 1], err);
    assertStringIncludes(err, part);
  }));
  const tokenless = await me.run({ env: { GATEHOUSE_ADMIN_TOKEN: "" } }, "list");
  assertEquals(tokenless.code, 2);
  assertStringIncludes(tokenless.err, "--token-file");
  const nobody = await me.run("list", "--to", "http://127.0.0.1:9");
  assertEquals(nobody.code, 1);
  assertStringIncludes(nobody.err, "does not answer");
});

Deno.test("each test finds the plug-in and what it keeps as if it were the first", async () => {
  await using me = await author();
  await me.run("new", "g");
  await Deno.writeTextFile(
    `${me.dir}/g/plugin.js`,
    `export const manifest = { name: "counter", version: "1.0", apiVersion: "2026-11-01",
  commands: { NEXT: { right: "both" } }, capabilities: ["storage"] };
let here = 0;
export const commands = { async NEXT(_request, { storage }) {
  const kept = (await storage.get("n") ?? 0) + 1;
  await storage.set("n", kept);
  return { here: ++here, kept };
} };`,
  );
  const test = `async ({ call, equal }) => {
    equal(await call("NEXT"), { here: 1, kept: 1 });
    equal(await call("NEXT"), { here: 2, kept: 2 });
  }`;
  await Deno.writeTextFile(
    `${me.dir}/g/plugin_test.js`,
    `export const tests = { one: ${test}, two: ${test} };`,
  );
  const { code, out } = await me.run("test", "g");
  assertEquals(code, 0, out);
});
