import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, silentLog, systemClock } from "../base/mod.ts";
import { PluginError, type PluginErrorCode } from "./errors.ts";
import { packPlugin, type RequireSigned, TrustStore } from "./package/mod.ts";
import { filesOf, freshKey, rawPackage, source } from "./package/testing.ts";
import type { SigningKey } from "./package/signature.ts";
import { makeBench } from "./testing/fixture.ts";

const NAME = "com.example.hello";

async function packed(version: string, keys: SigningKey[] = [], more: Record<string, unknown> = {}) {
  const head = `import { name } from "./lib/name.js";\n`;
  const files = {
    "plugin.js": head + source(NAME, version, more),
    "lib/name.js": `export const name = "x";`,
  };
  return (await packPlugin(filesOf(files), { keys })).bytes;
}

async function codeOf(promise: Promise<unknown>): Promise<PluginErrorCode> {
  return (await assertRejects(() => promise, PluginError)).code;
}

/** A manager that asks a trust store, with one key. */
async function trustBench(requireSigned: RequireSigned = "none") {
  const folder = await Deno.makeTempDir();
  const key = await freshKey();
  const trust = await TrustStore.open({ clock: systemClock, log: silentLog }, {
    path: `${folder}/trust.json`,
    requireSigned,
  });
  await trust.add({ publicKey: key.publicKey, tier: "vendor" });
  const bench = await makeBench("inline", {}, { admit: (program) => trust.admit(program) });
  return {
    bench,
    trust,
    key,
    async [Symbol.asyncDispose]() {
      trust[Symbol.dispose]();
      await bench[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("a package is installed, kept as it came, and runs again after a restart", async () => {
  await using bench = await makeBench("inline");
  const bytes = await packed("1.0");
  const { version, state } = await bench.manager.install(NAME, bytes);
  assertEquals([version, state], ["1.0", "running"]);
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
  assertEquals(await Deno.readFile(`${bench.dir}/${NAME}/1.0/package.ghp`), bytes);
  await bench.manager.install(NAME, await packed("1.1"));
  await bench.restart();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.1" });
  assertEquals((await bench.manager.rollBack(NAME)).version, "1.0");
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
});

Deno.test("a package that is dropped into the folder runs, is replaced, and goes with its file", async () => {
  await using bench = await makeBench("inline");
  const path = `${bench.dir}/hello.ghp`;
  await Deno.writeFile(path, await packed("1.0"));
  await bench.manager.rescan();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
  const half = (await packed("2.0")).slice(0, 300);
  await Deno.writeFile(path, half);
  await bench.manager.rescan();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
  assert(bench.manager.get(NAME)?.error?.includes("damaged"), bench.manager.get(NAME)?.error);
  await Deno.writeFile(path, await packed("2.0"));
  await bench.manager.rescan();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 2.0" });
  await Deno.remove(path);
  await bench.manager.rescan();
  assertEquals(await codeOf(bench.call(NAME, "HELLO")), "absent");
});

Deno.test("TypeScript that is dropped runs, as a file and as a folder whose modules import each other", async () => {
  await using bench = await makeBench("inline");
  const typed = source("one").replace("HELLO: () =>", "HELLO: (_: object): object =>");
  await Deno.writeTextFile(`${bench.dir}/one.ts`, typed);
  await Deno.mkdir(`${bench.dir}/two/lib`, { recursive: true });
  await Deno.writeTextFile(
    `${bench.dir}/two/plugin.ts`,
    `import { text } from "./lib/text.ts";\n` +
      source("two").replace(`"hello from " + manifest.version`, "text as string"),
  );
  await Deno.writeTextFile(`${bench.dir}/two/lib/text.ts`, `export const text: string = "typed";`);
  await Deno.writeTextFile(`${bench.dir}/two/plugin_test.ts`, `this is (no module`);
  await bench.manager.rescan();
  assertEquals(await bench.call("one", "HELLO"), { text: "hello from 1.0" });
  assertEquals(await bench.call("two", "HELLO"), { text: "typed" });
  // A fault says where it is, and the version that runs goes on.
  await Deno.writeTextFile(`${bench.dir}/one.ts`, typed + "enum E { A }\n");
  await bench.manager.rescan();
  assertEquals(await bench.call("one", "HELLO"), { text: "hello from 1.0" });
  assert(
    /"one.ts" line 3, column 1: .*enum/.test(bench.manager.get("one")!.error!),
    bench.manager.get("one")!.error,
  );
});

Deno.test("what never loaded can be reloaded and removed by the name of its file", async () => {
  await using bench = await makeBench("inline");
  await Deno.writeFile(`${bench.dir}/bad.ghp`, Uint8Array.of(1, 2, 3));
  await Deno.writeTextFile(`${bench.dir}/worse.ts`, "enum A { b }");
  await bench.manager.rescan();
  assertEquals(bench.manager.list().map(({ name, state }) => [name, state]), [["bad", "errored"], [
    "worse",
    "errored",
  ]]);
  assertEquals(await codeOf(bench.manager.reload("bad")), "invalid");
  await bench.manager.remove("bad");
  await bench.manager.remove("worse");
  assertEquals(await Array.fromAsync(Deno.readDir(bench.dir)), []);
});

Deno.test("a package whose code says other than its manifest.json is refused when it is loaded", async () => {
  await using bench = await makeBench("inline", {}, {
    capabilities: { "system.cpu": { "system.cpu": () => 1 } },
  });
  const manifest = (more: object) =>
    JSON.stringify({
      name: NAME,
      version: "1.0",
      apiVersion: "2026-11-01",
      commands: { HELLO: { right: "both" } },
      ...more,
    });
  const install = (said: object, real: Record<string, unknown>) =>
    bench.manager.install(
      NAME,
      rawPackage([
        { path: "manifest.json", content: manifest(said) },
        { path: "plugin.js", content: source(NAME, "1.0", real) },
      ]),
    );
  // It asks for more than it shows.
  const cases: [object, Record<string, unknown>, string][] = [
    [{}, { capabilities: ["system.cpu"] }, "manifest.capabilities"],
    [{}, { limits: { memoryMb: 64 } }, "manifest.limits.memoryMb"],
    [{ commands: { HELLO: { right: "none" } } }, {}, "manifest.commands.HELLO.right"],
    [{ version: "2.0" }, {}, "manifest.version"],
    [{ limits: { callMs: 5 } }, {}, "manifest.limits.callMs"],
    [{ hidden: 1 }, {}, "manifest.hidden"],
  ];
  for (const [said, real, path] of cases) {
    const error = await assertRejects(() => install(said, real), PluginError);
    assertEquals([error.code, error.faults.map((fault: string) => fault.split(":")[0])], ["invalid", [path]]);
  }
  assertEquals(bench.manager.list(), []);
  await install({ capabilities: ["system.cpu"] }, { capabilities: ["system.cpu"] });
});

Deno.test("where all must be signed, unsigned plug-ins run neither from the folder nor by installation", async () => {
  await using t = await trustBench("all");
  const { bench, key } = t;
  assertEquals(await codeOf(bench.manager.install(NAME, await packed("1.0"))), "untrusted");
  assertEquals(await codeOf(bench.manager.install(NAME, source())), "untrusted");
  await Deno.writeTextFile(`${bench.dir}/p.js`, source("p"));
  await bench.manager.rescan();
  assertEquals(bench.manager.list().map(({ name, state }) => [name, state]), [["p", "errored"]]);
  const { tier } = await bench.manager.install(NAME, await packed("1.0", [key]));
  assertEquals(tier, "vendor");
  await bench.restart();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
});

Deno.test("a plug-in whose key is revoked is stopped at once, calls in work or not, and stays down after a restart", async () => {
  await using t = await trustBench();
  const { bench, key, trust } = t;
  const waits = { commands: { HELLO: { right: "both" }, WAIT: { right: "both" } } };
  const text = source(NAME, "1.0", waits).replace(
    "HELLO: () =>",
    "WAIT: () => new Promise(() => {}), HELLO: () =>",
  );
  const { bytes } = await packPlugin(filesOf({ "plugin.js": text }), { keys: [key] });
  await bench.manager.install(NAME, bytes);
  const stuck = codeOf(bench.call(NAME, "WAIT"));
  await trust.revoke(key.id);
  await bench.manager.recheck();
  assertEquals(await stuck, "crashed");
  const { state, error } = bench.manager.get(NAME)!;
  assertEquals(state, "errored");
  assert(error?.includes("revoked"), error);
  assertEquals(await codeOf(bench.call(NAME, "HELLO")), "not_running");
  assertEquals(await codeOf(bench.manager.run(NAME)), "untrusted");
  await bench.restart();
  assertEquals(bench.manager.list().map(({ state }) => state), ["errored"]);
});

Deno.test("a plug-in is stopped when the time of the key that signed it is over", async () => {
  const folder = await Deno.makeTempDir(), clock = new FakeClock(), key = await freshKey();
  using trust = await TrustStore.open({ clock, log: silentLog }, {
    path: `${folder}/trust.json`,
    requireSigned: "all",
  });
  await trust.add({ publicKey: key.publicKey, tier: "vendor", until: clock.now() + 86_400_000 });
  await using bench = await makeBench("inline", {}, { admit: (program) => trust.admit(program) });
  await bench.manager.install(NAME, await packed("1.0", [key]));
  const checked = Promise.withResolvers<void>();
  trust.onChange(() => void bench.manager.recheck().then(checked.resolve));
  await clock.advance(86_399_999);
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
  await clock.advance(1);
  await checked.promise;
  assertEquals(bench.manager.get(NAME)?.state, "errored");
  assertEquals(await codeOf(bench.call(NAME, "HELLO")), "not_running");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a plug-in that was refused runs as soon as its key is trusted", async () => {
  await using t = await trustBench("all");
  const { bench, trust } = t;
  const late = await freshKey();
  await Deno.writeFile(`${bench.dir}/hello.ghp`, await packed("1.0", [late]));
  await bench.manager.rescan();
  assertEquals(bench.manager.list().map(({ state }) => state), ["errored"]);
  await trust.add({ publicKey: late.publicKey, tier: "carrier" });
  await bench.manager.recheck();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
  assertEquals(bench.manager.get(NAME)?.tier, "carrier");
});

Deno.test("an upgrade that is not trusted leaves the old version running", async () => {
  await using t = await trustBench("all");
  const { bench, key } = t;
  await bench.manager.install(NAME, await packed("1.0", [key]));
  assertEquals(
    await codeOf(bench.manager.install(NAME, await packed("2.0", [await freshKey()]))),
    "untrusted",
  );
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
});

Deno.test("what a tier may ask for caps its plug-ins when they load, and at once when it is changed", async () => {
  await using t = await trustBench();
  const { bench, key, trust } = t;
  const big = await packed("1.0", [key], { limits: { memoryMb: 32 } });
  await trust.setCaps("vendor", { limits: { memoryMb: 16 } });
  const error = await assertRejects(() => bench.manager.install(NAME, big), PluginError);
  assertEquals([error.code, error.faults.length], ["untrusted", 1]);
  await trust.setCaps("vendor", undefined);
  await bench.manager.install(NAME, big);
  await trust.setCaps("vendor", { limits: { memoryMb: 16 } });
  await bench.manager.recheck();
  assertEquals(bench.manager.get(NAME)?.state, "errored");
  await trust.setCaps("vendor", undefined);
  await bench.manager.recheck();
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 1.0" });
});

Deno.test("a version that only finishes its calls ends with its key, whoever signed the one that runs", async () => {
  await using t = await trustBench();
  const { bench, key, trust } = t, second = await freshKey();
  await trust.add({ publicKey: second.publicKey, tier: "vendor" });
  const text = (version: string) =>
    source(NAME, version, { commands: { HELLO: { right: "both" }, WAIT: { right: "both" } } })
      .replace("HELLO: () =>", "WAIT: () => new Promise(() => {}), HELLO: () =>");
  const signed = async (version: string, by: SigningKey) =>
    (await packPlugin(filesOf({ "plugin.js": text(version) }), { keys: [by] })).bytes;
  await bench.manager.install(NAME, await signed("1.0", key));
  const old = codeOf(bench.call(NAME, "WAIT"));
  await bench.manager.install(NAME, await signed("2.0", second));
  const present = codeOf(bench.call(NAME, "WAIT"));
  await trust.revoke(key.id);
  await bench.manager.recheck();
  assertEquals(await old, "crashed");
  assertEquals(await bench.call(NAME, "HELLO"), { text: "hello from 2.0" }, "the other author's goes on");
  await trust.revoke(second.id);
  await bench.manager.recheck();
  assertEquals([await present, bench.manager.get(NAME)?.state], ["crashed", "errored"]);
});

Deno.test("no plug-in borrows the rights of one that is trusted more, until the operator lends them", async () => {
  await using t = await trustBench();
  const { bench, key, trust } = t, mine = "com.example.mine";
  const { bytes } = await packPlugin(filesOf({ "plugin.js": source(NAME, "1.0") }), { keys: [key] });
  await bench.manager.install(NAME, bytes);
  const caller = source(mine, "1.0", { capabilities: ["plugins.call"], peers: [NAME] })
    .replace("HELLO: () =>", `HELLO: (_, host) => host.plugins.call("${NAME}", "HELLO", {}), OTHER: () =>`);
  await bench.manager.install(mine, caller);
  const call = () => bench.call(mine, "HELLO").catch((error) => error.message);
  const refused = `"${NAME}" may not be called by a plug-in of this tier`;
  assertEquals(await call(), refused);
  await trust.setCaps("unsigned", { peers: [NAME] });
  await bench.manager.recheck();
  assertEquals(await call(), { text: "hello from 1.0" });
  await trust.setCaps("unsigned", undefined);
  await bench.manager.recheck();
  assertEquals(await call(), refused);
  await bench.manager.remove(NAME);
  assertEquals(await call(), `no plug-in "${NAME}"`);
  await bench.manager.install(NAME, bytes);
  // Among equals there is nothing to borrow.
  const { bytes: signed } = await packPlugin(filesOf({ "plugin.js": caller }), { keys: [key] });
  await bench.manager.install(mine, signed);
  assertEquals(await call(), { text: "hello from 1.0" });
});
