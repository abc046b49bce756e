import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog, FakeClock } from "../base/mod.ts";
import { codeOf, until } from "./testing/expect.ts";
import { type Bench, makeBench, pluginSource, testDeps } from "./testing/fixture.ts";

const VERSION = `() => ({ version: manifest.version })`;

Deno.test("a stopped plug-in stays stopped over a restart, and runs when it is asked to", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  assertEquals((await bench.manager.stop("p")).state, "stopped");
  assertEquals(await codeOf(bench.call("p", "V")), "not_running");
  await bench.restart();
  assertEquals([bench.manager.get("p")?.state, bench.manager.get("p")?.version], ["stopped", "1.0"]);
  await bench.manager.install("p", pluginSource("p", { V: VERSION }, { version: "2.0" }));
  assertEquals(bench.manager.get("p")?.state, "stopped");
  assertEquals((await bench.manager.run("p")).state, "running");
  assertEquals(await bench.call("p", "V"), { version: "2.0" });
  await bench.restart();
  assertEquals(bench.manager.get("p")?.state, "running");
});

Deno.test("desired states that can't be read count as asked to run", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  await bench.manager.stop("p");
  await Deno.writeTextFile(`${bench.stateDir}/plugins.json`, `{"plugins":{"p":{"desired":"par`);
  await bench.restart();
  assertEquals(bench.manager.get("p")?.state, "running");
});

Deno.test("a line of the log about a new state tells of no error that led to an earlier one", async () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    clock: new FakeClock(),
    write: (line) => void lines.push(JSON.parse(line)),
  });
  const source = pluginSource("p", {}, { head: `export function start() { throw new Error("no uplink"); }` });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ log }));
  await assertRejects(() => bench.manager.run("p"));
  const changes = lines.filter(({ msg, message }) => (msg ?? message) === "plug-in changed state");
  const error = "start(): no uplink";
  assertEquals(changes.map(({ state, error }) => [state, error]), [
    ["loading", undefined],
    ["errored", error],
    ["loading", undefined],
    ["errored", error],
  ]);
});

Deno.test("start and stop of a plug-in are called around its life", async () => {
  const seen: string[] = [];
  const head = `export const start = async (host) => { await host.t.note("start"); };
    export const stop = async (host) => { await host.t.note("stop"); };`;
  const note = ([what]: unknown[]) => void seen.push(String(what));
  const source = pluginSource("p", {}, { head, capabilities: ["t"] });
  await using bench = await makeBench("inline", { "p.js": source }, {
    capabilities: { t: { "t.note": note } },
  });
  await bench.manager.stop("p");
  await bench.manager.run("p");
  await bench.manager.reload("p");
  // The old version's stop is not waited for by reload, but by the end.
  await bench.manager[Symbol.asyncDispose]();
  assertEquals(seen.toSorted(), ["start", "start", "start", "stop", "stop", "stop"]);
});

Deno.test("a plug-in that fails is started again after a pause, and is broken after three failures in an hour", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", { DIE: `() => { JSON.parse("[".repeat(100000)); }`, V: VERSION });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  const state = () => bench.manager.get("p")?.state;
  assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
  assertEquals([state(), await codeOf(bench.call("p", "V"))], ["errored", "not_running"]);
  await clock.advance(1_000);
  await bench.manager.rescan(); // the restart takes real time: one more turn of real work is behind it
  await until(() => state() === "running");
  assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
  await clock.advance(10_000);
  await until(() => state() === "running");
  assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
  assertEquals([state(), bench.manager.get("p")?.failures], ["broken", 3]);
  await clock.advance(3_600_000);
  assertEquals(state(), "broken");
  assertEquals((await bench.manager.run("p")).state, "running");
  assertEquals(await bench.call("p", "V"), { version: "1.0" });
});

Deno.test("a broken plug-in stays broken over a restart, until it is run by hand or is another one", async () => {
  const clock = new FakeClock(), deps = testDeps({ clock });
  const loads: string[] = [];
  const admit = ({ entry }: { entry: string }) => {
    loads.push(entry);
    return Promise.resolve({ tier: "any", check: () => {} });
  };
  const source = pluginSource("p", { DIE: `() => { JSON.parse("[".repeat(100000)); }`, V: VERSION });
  // Named otherwise than its file, which is all that a gateway sees of it without loading it.
  await using bench = await makeBench("inline", { "file.js": source }, { admit }, deps);
  const state = () => bench.manager.get("p")?.state ?? bench.manager.list()[0]?.state;
  const die = async () => {
    for (const pause of [1_000, 10_000, 0]) {
      await bench.call("p", "DIE").catch(() => {});
      await clock.advance(pause);
      if (pause > 0) await until(() => state() === "running");
    }
    assertEquals(state(), "broken");
  };
  await die();
  loads.length = 0;
  await bench.restart();
  const [status] = bench.manager.list();
  assertEquals([status?.name, status?.state, loads], ["p", "broken", []], "it is not even loaded");
  assert(status?.error, "it says why");
  assertEquals((await bench.manager.run("p")).state, "running");
  await bench.restart();
  assertEquals(state(), "running", "by hand it has another chance");
  await die();
  await bench.manager[Symbol.asyncDispose]();
  await Deno.writeTextFile(`${bench.dir}/file.js`, pluginSource("p", { V: VERSION }));
  await bench.restart();
  assertEquals(state(), "running", "what was changed meanwhile is another one");
  assertEquals(await bench.call("p", "V"), { version: "1.0" });
});

Deno.test("a manager that is closed has written what it had to: nothing comes to the disk after it", async () => {
  const clock = new FakeClock(), deps = testDeps({ clock });
  const source = pluginSource("p", { DIE: `() => { JSON.parse("[".repeat(100000)); }`, V: VERSION });
  await using bench = await makeBench("inline", { "p.js": source }, {}, deps);
  for (const pause of [1_000, 10_000, 0]) {
    await bench.call("p", "DIE").catch(() => {});
    await clock.advance(pause);
    if (pause > 0) await until(() => bench.manager.get("p")?.state === "running");
  }
  assertEquals(bench.manager.get("p")?.state, "broken");
  await bench.manager[Symbol.asyncDispose]();
  await Deno.writeTextFile(`${bench.dir}/p.js`, pluginSource("p", { V: VERSION }));
  await bench.restart();
  assertEquals(bench.manager.get("p")?.state, "running");
  await bench.manager[Symbol.asyncDispose]();
  const names = Array.from(Deno.readDirSync(bench.stateDir), ({ name }) => name);
  assertEquals(names.filter((name) => name.endsWith(".new")), []);
  const { plugins } = JSON.parse(await Deno.readTextFile(`${bench.stateDir}/plugins.json`));
  assertEquals([plugins.p.desired, plugins.p.broken], ["running", undefined]);
});

Deno.test("failures that are more than an hour apart do not break a plug-in", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", { DIE: `() => { JSON.parse("[".repeat(100000)); }` });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  for (let i = 0; i < 5; i++) {
    assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
    assertEquals(bench.manager.get("p")?.state, "errored");
    await clock.advance(3_600_001);
    await until(() => bench.manager.get("p")?.state === "running");
  }
});

Deno.test("after the manager was shut down every method says so", async () => {
  const bench: Bench = await makeBench("inline", {
    "p.js": pluginSource("p", { NEVER: "() => new Promise(() => {})" }),
  });
  const call = codeOf(bench.call("p", "NEVER"));
  await bench[Symbol.asyncDispose]();
  assert(["crashed", "closed"].includes(await call));
  assertEquals(await codeOf(bench.manager.install("q", pluginSource("q", {}))), "closed");
});
