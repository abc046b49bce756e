import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../base/mod.ts";
import { PluginError } from "./errors.ts";
import { cutLoop } from "./testing/cut.ts";
import { makeBench, pluginSource } from "./testing/fixture.ts";

const COMMANDS = { V: `() => ({ v: manifest.version })`, LOOP: "() => { for (;;); }" };

function source(version: string, head = "", more: { capabilities?: string[] } = {}): string {
  return pluginSource("p", COMMANDS, { version, head, limits: { cpuMs: 20, callMs: 200 }, ...more });
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("changes of a plug-in that are killed at any step leave it whole: as before, or as after", async () => {
  const { cuts, after, complete, broken } = await cutLoop(20, 6);
  assertEquals(broken, []);
  assert(cuts >= 20 && after > 0 && after < cuts && complete >= 9, JSON.stringify({ cuts, after, complete }));
});

Deno.test("everything is on the disk before it counts", async () => {
  const steps: string[] = [];
  await using bench = await makeBench("inline", {}, { onStep: (step) => steps.push(step) });
  await bench.manager.install("p", source("1.0"));
  assertEquals(steps, [
    "make the folder",
    "mark the folder",
    "make the version's folder",
    "make a folder within",
    "write a file",
    "sync the folder",
    "name the version",
    "sync the name",
    "write the pointer",
    "flip the pointer",
    "sync the flip",
    "take out of sight", // the mark
    "remove",
  ]);
});

Deno.test("two versions stay beside the active one, and each rollback goes one back", async () => {
  await using bench = await makeBench("inline");
  const { manager } = bench;
  for (const version of ["1.0", "2.0", "3.0", "4.0"]) await manager.install("p", source(version));
  assertEquals(namesIn(`${bench.dir}/p`), ["2.0", "3.0", "4.0", "current"]);
  assertEquals((await manager.rollBack("p")).version, "3.0");
  assertEquals((await manager.rollBack("p")).version, "2.0");
  assertEquals(await bench.call("p", "V"), { v: "2.0" });
  assertEquals(namesIn(`${bench.dir}/p`), ["2.0", "current"]);
  assertEquals((await assertRejects(() => manager.rollBack("p"), PluginError)).code, "version");
  await bench.restart();
  assertEquals(await bench.call("p", "V"), { v: "2.0" });
});

Deno.test("the same version with other content takes over from the first", async () => {
  await using bench = await makeBench("inline");
  await bench.manager.install("p", source("1.0"));
  await bench.manager.install("p", pluginSource("p", { V: `() => ({ v: "other" })` }));
  assertEquals(await bench.call("p", "V"), { v: "other" });
  assertEquals(namesIn(`${bench.dir}/p`), ["1.0", "1.0~2", "current"]);
  await bench.manager.rollBack("p");
  assertEquals(await bench.call("p", "V"), { v: "1.0" });
});

Deno.test("a version that is not well does not take over", async () => {
  await using bench = await makeBench("inline", {}, { capabilities: { t: { "t.well": () => true } } });
  const well = `export const health = async (host) => { if (!await host.t.well()) throw new Error("ill"); };`;
  await bench.manager.install("p", source("1.0", well, { capabilities: ["t"] }));
  const sick: Record<string, string> = {
    "no line": `export const health = () => { throw new Error("no line"); };`,
    "held the processor": `export function health() { for (;;); }`,
    "no answer": `export const health = () => new Promise(() => {});`,
  };
  for (const [why, head] of Object.entries(sick)) {
    const error = await assertRejects(() => bench.manager.install("p", source("2.0", head)), PluginError);
    assert(error.message.includes(why), error.message);
    assertEquals(await bench.call("p", "V"), { v: "1.0" });
    assertEquals(namesIn(`${bench.dir}/p`), ["1.0", "current"]);
  }
  // Nobody asks at a start: what a plug-in needs may not be there yet.
  await Deno.writeTextFile(`${bench.dir}/q.js`, pluginSource("q", {}, { head: sick["no line"]! }));
  await bench.manager.rescan();
  assertEquals(bench.manager.get("q")?.state, "running");
});

Deno.test("a version that breaks soon after it took over gives way to the one before it", async () => {
  const back = Promise.withResolvers<void>();
  await using bench = await makeBench("inline", {}, {
    onEvent: ({ status }) => {
      if (status?.version === "1.0" && status.error?.startsWith("went back from version 2.0")) back.resolve();
    },
  });
  await bench.manager.install("p", source("1.0"));
  const fatal = `export const start = () => {}; const eat = () => { const a = []; for (;;) a.push([a]); };`;
  await bench.manager.install(
    "p",
    pluginSource("p", { ...COMMANDS, EAT: `() => JSON.parse("[".repeat(100000))` }, {
      version: "2.0",
      head: fatal,
    }),
  );
  for (let i = 0; i < 3; i++) {
    assertEquals((await assertRejects(() => bench.call("p", "EAT"), PluginError)).code, "crashed");
    if (i < 2) await bench.manager.reload("p"); // sooner than it would come back by itself
  }
  await back.promise;
  assertEquals(await bench.call("p", "V"), { v: "1.0" });
  await bench.restart();
  assertEquals(await bench.call("p", "V"), { v: "1.0" });
});

Deno.test("at the start an earlier version takes the place of one whose files are damaged or gone", async () => {
  await using bench = await makeBench("inline");
  for (const version of ["1.0", "2.0", "3.0"]) await bench.manager.install("p", source(version));
  await bench.manager[Symbol.asyncDispose]();
  await Deno.remove(`${bench.dir}/p/3.0`, { recursive: true });
  await Deno.writeTextFile(`${bench.dir}/p/2.0/plugin.js`, source("2.0").slice(0, 50));
  await bench.restart();
  assertEquals(await bench.call("p", "V"), { v: "1.0" });
  assert(bench.manager.get("p")?.error?.startsWith(`went back from "2.0"`), bench.manager.get("p")?.error);
});

Deno.test("no call fails while versions change under load, and calls finish where they began", async () => {
  const slow = (version: string) =>
    pluginSource("p", { W: `async (_, host) => { await host.t.pause(); return { v: manifest.version }; }` }, {
      version,
      capabilities: ["t"],
      limits: { calls: 256 },
    });
  const pause = () => new Promise<null>((resolve) => systemClock.setTimer(() => resolve(null), 5));
  await using bench = await makeBench("inline", { "p.js": slow("0") }, {
    capabilities: { t: { "t.pause": pause } },
  });
  let over = false;
  const seen = new Set<unknown>(), failures: unknown[] = [];
  const callers = Array.from({ length: 16 }, async () => {
    while (!over) {
      await bench.call("p", "W").then(({ v }) => seen.add(v), (error) => failures.push(error));
    }
  });
  for (let version = 1; version <= 10; version++) await bench.manager.install("p", slow(String(version)));
  await bench.manager.rollBack("p");
  await bench.call("p", "W");
  over = true;
  await Promise.all(callers);
  assertEquals(failures, []);
  assert(seen.size >= 8, [...seen].join());
});

Deno.test("an installation does not take the folder of another plug-in", async () => {
  await using bench = await makeBench("inline");
  await Deno.mkdir(`${bench.dir}/p`);
  await Deno.writeTextFile(`${bench.dir}/p/plugin.js`, pluginSource("q", { V: "() => ({})" }));
  await bench.manager.rescan();
  const error = await assertRejects(() => bench.manager.install("p", source("1.0")), PluginError);
  assertEquals(error.code, "invalid");
  assertEquals(await bench.call("q", "V"), {});
});

Deno.test("an installation that can't be written leaves nothing behind, at whatever step it fails", async () => {
  let failing = 0;
  await using bench = await makeBench("inline", {}, {
    onStep: () => {
      if (failing > 0 && --failing === 0) throw new Error("no space left on device");
    },
  });
  const before = ["1.0", "current"];
  for (const first of [true, false]) {
    if (!first) await bench.manager.install("p", source("1.0"));
    for (let step = 1;; step++) {
      failing = step;
      const outcome = await bench.manager.install("p", source("2.0")).then(() => "done", (e) => e.code);
      if (outcome === "done") break; // only tidying up failed, or nothing did
      failing = 0;
      assertEquals(outcome, "limit");
      assertEquals(namesIn(bench.dir), first ? [] : ["p"], `step ${step}`);
      if (!first) assertEquals(namesIn(`${bench.dir}/p`), before, `step ${step}`);
    }
    failing = 0;
    await bench.manager.remove("p");
  }
});

Deno.test("what fails after the new version took over fails nothing", async () => {
  for (const failing of ["sync the flip", "take out of sight", "remove"]) {
    let armed = false;
    await using bench = await makeBench("inline", {}, {
      keepVersions: 0,
      onStep: (step) => {
        if (armed && step === failing) throw new Error("input/output error");
      },
    });
    await bench.manager.install("p", source("1.0"));
    armed = true;
    assertEquals((await bench.manager.install("p", source("2.0"))).version, "2.0", failing);
    assertEquals(await bench.call("p", "V"), { v: "2.0" });
    armed = false;
    await bench.restart();
    assertEquals(await bench.call("p", "V"), { v: "2.0" });
    assertEquals(namesIn(`${bench.dir}/p`), ["2.0", "current"]);
  }
});

Deno.test("a plug-in whose only version is gone says so, and can be removed", async () => {
  await using bench = await makeBench("inline");
  await bench.manager.install("p", source("1.0"));
  await bench.manager[Symbol.asyncDispose]();
  await Deno.remove(`${bench.dir}/p/1.0`, { recursive: true });
  await bench.restart();
  const { state, error } = bench.manager.get("p") ?? bench.manager.list()[0]!;
  assertEquals([state, error], ["errored", "its files are not there"]);
  await bench.manager.remove("p");
  assertEquals(bench.manager.list(), []);
});
