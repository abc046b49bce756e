/**
 * The author's tools from outside, as processes: from an empty folder to a signed plug-in on a gateway.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Author, author, startLoneGateway } from "./support/author.ts";
import { startFleet } from "./support/fleet.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

async function change(me: Author, file: string, edit: (text: string) => string): Promise<void> {
  const path = `${me.dir}/${file}`;
  await Deno.writeTextFile(path, edit(await Deno.readTextFile(path)));
}

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

Deno.test("a gateway that asks for signatures refuses, trusts, runs, counts and tells its log", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway(["--require-signed", "all"]);
  const there = ["--to", gateway.url];
  await me.run("new", "com.example.greeter", "--dir", "g");
  await me.run("keygen", "mine");
  await me.run("pack", "g", "--key", "mine.key", "--output", "g.ghp");
  const refused = await me.run("install", "g.ghp", ...there);
  assertEquals(refused.code, 1);
  assertMatch(refused.err, /refuses \(403\): .*no key that is trusted signed it/);
  assertEquals((await me.run("trust", "mine.pub", "--tier", "vendor", ...there)).code, 0);
  const installed = await me.run("install", "g.ghp", ...there);
  assertEquals([installed.code, installed.out], [
    0,
    `com.example.greeter 1.0 is running on ${gateway.url}\n`,
  ]);
  // While it is worked on: each version is signed on its way.
  const unsigned = await me.run("run", "g", ...there);
  assertEquals(unsigned.code, 1);
  assertMatch(unsigned.err, /refuses \(403\): .*it is not signed/);
  await change(me, "g/plugin.js", (text) => text.replace("1.0", "1.0.1"));
  await using session = me.start("run", "g", "--key", "mine.key", ...there);
  await session.said(/com\.example\.greeter 1\.0\.1 is running/);
  await session.stop();
  assertEquals((await me.run("install", "g.ghp", ...there)).code, 0);
  const good = await me.run("call", "com.example.greeter", "GREET", "--fields", '{"Name":"Ann"}', ...there);
  assertEquals([good.code, JSON.parse(good.out).reply.Text], [0, "Hello Ann"]);
  const bad = await me.run("call", "com.example.greeter", "GREET", ...there);
  assertEquals([bad.code, JSON.parse(bad.out).reply.FailReason], [1, "Name is missing"]);

  const list = await me.run("list", ...there);
  assertMatch(list.out, /^NAME +VERSION +STATE +CALLS +ERRORS +P50 +P99 +MEMORY +RESTARTS\n/);
  assertMatch(
    list.out,
    /com\.example\.greeter +1\.0 +running +2 +1 \(failed 1\) +[\d.]+ ms +[\d.]+ ms +\d+ KB +0\n/,
  );
  const items = JSON.parse((await me.run("list", "--json", ...there)).out) as {
    name: string;
    figures: unknown;
  }[];
  assert(items.find(({ name }) => name === "com.example.greeter")!.figures);
  const logs = await me.run("logs", "com.example.greeter", ...there);
  assertMatch(logs.out, /INFO {2}greeting Ann\n/);
  assertMatch(logs.out, /at GREET \(plugin\.js:18:\d+\)/);
  const own = await me.run("logs", "com.example.greeter", "--source", "g", ...there);
  assertMatch(own.out, /plugin\.js:18:\d+\n +18 \| +if \(!request\.Name\) throw new Error.*\n +\^\n/);
  const twice = await me.run("trust", "mine.key", ...there);
  assertEquals([twice.code, twice.out], [1, ""]);
  assertStringIncludes(twice.err, '"mine.key" holds the private key: a public key is needed');
  const nowhere = await me.run("pack", "g", "--key", "nowhere.key");
  assertStringIncludes(nowhere.err, 'there is no "nowhere.key": a private key is needed');
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: gateway.headers })).text();
  assertMatch(metrics, /gatehouse_plugin_calls_total\{plugin="com\.example\.greeter",result="failed"\} 1\n/);
});

Deno.test("a plug-in is stopped, started, taken back and removed, and its key is revoked, from the author's terminal", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway(["--require-signed", "all"]);
  const name = "com.example.greeter", there = ["--to", gateway.url];
  await me.run("new", name, "--dir", "g");
  await me.run("keygen", "mine");
  await me.run("trust", "mine.pub", ...there);
  for (const version of ["1.0", "2.0"]) {
    await change(me, "g/plugin.js", (text) => text.replace('"1.0"', `"${version}"`));
    await me.run("pack", "g", "--key", "mine.key", "--output", "g.ghp");
    assertEquals((await me.run("install", "g.ghp", ...there)).code, 0);
  }
  const on = async (...args: string[]) => {
    const { code, out, err } = await me.run(...args, ...there);
    return [code, (out + err).replaceAll(gateway.url, "it")];
  };
  assertEquals(await on("stop", name), [0, `${name} 2.0 is stopped on it\n`]);
  assertEquals(await on("start", name), [0, `${name} 2.0 is running on it\n`]);
  assertEquals(await on("rollback", name), [0, `${name} 1.0 is running on it\n`]);
  const none = await on("rollback", name);
  assertEquals(none, [1, `gatehouse: it refuses (409): no earlier version of "${name}" is kept\n`]);
  const revoked = await on("revoke", "mine.pub", "--reason", "laptop stolen");
  assertMatch(String(revoked[1]), /^it trusts mine no more\nid [0-9a-f]{64}\n$/);
  const refused = await on("start", name);
  assertEquals(refused[0], 1);
  assertMatch(String(refused[1]), /that signed it was revoked/);
  assertEquals(await on("remove", name), [0, `${name} is no more on it\n`]);
  assertEquals((await on("remove", name))[0], 1);
});

Deno.test("a platform that asks for signatures trusts a key by the same command", async () => {
  await using me = await author();
  await using platform = await testPlatform({ settings: { requireSigned: "all" } });
  const there = ["--to", platform.url];
  await me.run("new", "com.example.greeter", "--dir", "g");
  await me.run("keygen", "mine");
  await me.run("pack", "g", "--key", "mine.key", "--output", "g.ghp");
  assertMatch((await me.run("install", "g.ghp", ...there)).err, /no key that is trusted signed it/);
  assertEquals((await me.run("trust", "mine.pub", ...there)).err, "");
  const installed = await me.run("install", "g.ghp", ...there);
  assertEquals([installed.code, installed.err], [0, ""]);
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

Deno.test("run --watch brings each good change onto the gateway, and a bad one leaves the version before", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway();
  await me.run("new", "com.example.greeter", "--dir", "g");
  await using session = me.start("run", "g", "--watch", "--to", gateway.url);
  const greeting = async () => {
    const { out } = await me.run("call", "-", "GREET", "--fields", '{"Name":"Ann"}', "--to", gateway.url);
    return JSON.parse(out).reply.Text;
  };
  await session.said(/1\.0 is running/);
  assertEquals(await greeting(), "Hello Ann");
  await change(me, "g/plugin.js", (text) => text.replace("Hello", "Hi").replace("1.0", "1.1"));
  await session.said(/1\.1 is running/);
  assertEquals(await greeting(), "Hi Ann");
  await session.said(/greeting Ann/);
  await change(me, "g/plugin.js", (text) => text.replace("return {", "retrun {"));
  await session.said(/plugin\.js:21:12/);
  assertEquals(await greeting(), "Hi Ann");
  await change(
    me,
    "g/plugin.js",
    (text) => text.replace("retrun {", "return {").replace("Hi", "Hey").replace("1.1", "1.2"),
  );
  await session.said(/1\.2 is running/);
  assertEquals(await greeting(), "Hey Ann");
  assertEquals(await session.stop(), 0);
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

Deno.test("a platform takes a package, shows it, and puts it onto a gateway of its own", async () => {
  await using me = await author();
  await using fleet = await startFleet();
  const there = ["--to", `http://127.0.0.1:${fleet.platform.ports.http}`];
  await me.run("new", "com.example.greeter", "--dir", "g", "--typescript");
  const stable = ["--channel", "stable"];
  const { code, out, err } = await me.run("install", "g", "--gateway", fleet.mac, ...stable, ...there);
  assertEquals([code, err], [0, ""], out);
  assertMatch(out, /1\.0 is in the repository: .*\non [0-9A-F]{12}: succeeded\n$/);
  assert(await fleet.runs("com.example.greeter"));
  assertEquals((await fleet.call("GET", "/api/v1/plugins/com.example.greeter/1.0")).body.channel, "stable");
  assertMatch(
    (await me.run("list", ...there)).out,
    /^NAME .*\ncom\.example\.greeter +1\.0 +stable +unsigned +\d+ B +[0-9a-f]{64}\n$/,
  );
  // More than a page.
  for (let i = 0; i < 60; i++) {
    const { status } = await fetch(`${there[1]}/api/v1/plugins`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body:
        `export const manifest = { name: "many", version: "1.${i}", apiVersion: "2026-11-01", commands: {} };`,
    }).then(async (response) => (await response.body?.cancel(), response));
    assertEquals(status, 201);
  }
  assertEquals((await me.run("list", ...there)).out.match(/^many /gm)?.length, 60);
  // One that does not load there: the command's failure is told.
  await Deno.writeTextFile(
    `${me.dir}/bad.js`,
    `export const manifest = { name: "bad", version: "1.0", apiVersion: "2026-11-01", commands: {} };
throw new Error("not today");`,
  );
  const bad = await me.run("install", "bad.js", "--gateway", fleet.mac, ...there);
  assertEquals(bad.code, 1, bad.out);
  assertMatch(bad.err, /bad 1\.0 does not run on/);
  const again = await me.run("install", "g", ...there);
  assertMatch(again.out, /was there already/);
  const elsewhere = await me.run("install", "g", "--gateway", "00000000FFFF", ...there);
  assertEquals(elsewhere.code, 1);
  assertMatch(elsewhere.err, /refuses \(404\)/);
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
