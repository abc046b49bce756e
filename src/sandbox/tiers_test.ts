/**
 * A host process for each tier of trust: what happens in one is nothing to the others.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FakeClock, silentLog, systemClock } from "../base/mod.ts";
import { Guests } from "./guests.ts";
import { DEFAULT_CEILINGS } from "./manifest.ts";
import type { Runner, RunnerEvents } from "./runner.ts";
import { codeOf, until } from "./testing/expect.ts";
import { type Bench, makeBench, pluginSource, testDeps } from "./testing/fixture.ts";
import type { PluginManagerOptions } from "./types.ts";

/** A manager that takes a plug-in's tier from the beginning of its file's name, or from `tiers`. */
function tierBench(files: Record<string, string>, tiers = new Map<string, string>(), deps = testDeps()) {
  const admit: PluginManagerOptions["admit"] = ({ entry }) =>
    Promise.resolve({ tier: tiers.get(entry) ?? entry.split("-")[0]!, check: () => {} });
  return makeBench("process", files, { admit }, deps);
}

const OK = { OK: "() => ({ ok: 1 })" };
/** Enough room for all the calls that wait where the machine is busy. */
const ROOMY = { calls: 200, queue: 200, callMs: 30_000 };
const pidOf = (bench: Bench, tier: string) => bench.manager.hosts().find((host) => host.tier === tier)?.pid;

/** Sends a signal to a process; only another Deno may be run, and that one may kill. */
async function signal(pid: number, name: Deno.Signal): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `Deno.kill(${pid}, "${name}")`],
  }).output();
  assert(success);
}

/** Calls a plug-in all the time until it is told to end; gives how many calls went well and what the others came to. */
function load(bench: Bench, plugin: string) {
  let over = false, good = 0;
  const bad: unknown[] = [], open = new Set<Promise<void>>();
  const calling = (async () => {
    while (!over) {
      for (let i = 0; i < 5; i++) {
        const call = bench.call(plugin, "OK").then(() => void good++, (error) => void bad.push(error))
          .finally(() => open.delete(call));
        open.add(call);
      }
      await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 2));
    }
    await Promise.all(open);
  })();
  return {
    get good() {
      return good;
    },
    async end() {
      over = true;
      await calling;
      return { good, bad };
    },
  };
}

Deno.test("each tier has a host process of its own, which starts with its first plug-in and ends some time after its last", async () => {
  const clock = new FakeClock();
  await using bench = await tierBench(
    { "carrier-a.js": pluginSource("a", OK), "carrier-b.js": pluginSource("b", OK) },
    new Map([["plugin.js", "community"]]),
    testDeps({ clock }),
  );
  const tiers = () => bench.manager.hosts().map(({ tier, plugins }) => [tier, plugins]);
  assertEquals(tiers(), [["carrier", 2]]);
  const carrier = pidOf(bench, "carrier");
  await bench.manager.install("c", { "plugin.js": pluginSource("c", OK) });
  assertEquals(tiers(), [["carrier", 2], ["community", 1]]);
  assertEquals(await bench.call("c", "OK"), { ok: 1 });
  const other = pidOf(bench, "community")!;
  await bench.manager.remove("c");
  for (let ms = 0; ms < 9_900; ms += 100) {
    await clock.advance(100);
    await bench.manager.hostMemoryBytes(); // the hosts have answered by then: none is taken for stuck
  }
  await clock.advance(99);
  assertEquals(pidOf(bench, "community"), other);
  await clock.advance(1);
  assertEquals(tiers(), [["carrier", 2]]);
  assertEquals(pidOf(bench, "carrier"), carrier);
  // The process itself is gone, too.
  await until(() => !alive(other));
});

function alive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

Deno.test("killing one tier's host again and again fails no call of another tier", async () => {
  await using bench = await tierBench({
    "carrier-a.js": pluginSource("a", OK, { limits: ROOMY }),
    "community-c.js": pluginSource("c", OK, { limits: ROOMY }),
  });
  const carrier = pidOf(bench, "carrier");
  const ours = load(bench, "a"), theirs = load(bench, "c");
  for (let round = 0; round < 4; round++) {
    const pid = pidOf(bench, "community")!, before = ours.good;
    await signal(pid, "SIGKILL");
    await until(() => {
      const next = pidOf(bench, "community");
      return next !== undefined && next !== pid && bench.manager.get("c")?.state === "running";
    });
    await until(() => ours.good > before);
  }
  const { good, bad } = await ours.end();
  assertEquals(bad, []);
  assert(good > 100, `${good} calls`);
  await theirs.end();
  assertEquals(pidOf(bench, "carrier"), carrier);
  assertEquals([bench.manager.get("a")?.restarts, bench.manager.get("c")?.restarts], [0, 4]);
  assertEquals(await bench.call("c", "OK"), { ok: 1 });
});

Deno.test("a tier's host that hangs keeps no call of another tier waiting", async () => {
  await using bench = await tierBench({
    "vendor-v.js": pluginSource("v", OK, { limits: ROOMY }),
    "unsigned-u.js": pluginSource("u", OK, { limits: ROOMY }),
  });
  const hung = pidOf(bench, "unsigned")!;
  const ours = load(bench, "v");
  await signal(hung, "SIGSTOP");
  const stuck = codeOf(bench.call("u", "OK"));
  const before = ours.good;
  assertEquals(await stuck, "timeout");
  const { good, bad } = await ours.end();
  assertEquals(bad, []);
  assert(good > before, "calls went on while the other host hung");
  assertEquals(bench.manager.get("v")?.restarts, 0);
  assertEquals((await bench.manager.run("u")).state, "running");
  assert(pidOf(bench, "unsigned") !== hung);
});

Deno.test("a plug-in whose tier changes moves to the other tier's host, and no call is lost on the way", async () => {
  const tiers = new Map([["p.js", "vendor"]]);
  await using bench = await tierBench({ "p.js": pluginSource("p", OK, { limits: ROOMY }) }, tiers);
  assertEquals(bench.manager.hosts().map(({ tier }) => tier), ["vendor"]);
  const calls = load(bench, "p");
  for (const tier of ["community", "carrier"]) {
    const before = calls.good;
    tiers.set("p.js", tier);
    await bench.manager.recheck();
    const { state, tier: now, restarts } = bench.manager.get("p")!;
    assertEquals([state, now, restarts], ["running", tier, 0]);
    assertEquals(bench.manager.hosts().find((host) => host.tier === tier)?.plugins, 1);
    await until(() => calls.good > before + 20);
  }
  assertEquals((await calls.end()).bad, []);
  await until(() =>
    bench.manager.hosts().every(({ tier, plugins }) => plugins === (tier === "carrier" ? 1 : 0))
  );
});

Deno.test("where memory is short all tiers share one host process", async () => {
  const files = { "carrier-a.js": pluginSource("a", OK), "unsigned-u.js": pluginSource("u", OK) };
  const admit: PluginManagerOptions["admit"] = ({ entry }) =>
    Promise.resolve({ tier: entry.split("-")[0]!, check: () => {} });
  await using bench = await makeBench("shared", files, { admit });
  assertEquals(bench.manager.hosts().map(({ tier, plugins }) => [tier, plugins]), [["any", 2]]);
  assertEquals(bench.manager.list().map(({ name, tier }) => [name, tier]), [["a", "carrier"], [
    "u",
    "unsigned",
  ]]);
  assertEquals([await bench.call("a", "OK"), await bench.call("u", "OK")], [{ ok: 1 }, { ok: 1 }]);
});

Deno.test("a host process can't speak for plug-ins of another tier", async () => {
  const told: string[] = [], events: Record<string, RunnerEvents> = {};
  const description = (name: string) =>
    JSON.stringify({
      manifest: { name, version: "1.0", apiVersion: "2026-11-01", commands: {}, capabilities: ["t"] },
      commands: [],
      start: false,
      stop: false,
      health: false,
    });
  await using guests = new Guests({
    deps: testDeps({ log: silentLog }),
    capabilities: { t: { "t.tell": ([what], { plugin }) => void told.push(`${plugin}: ${what}`) } },
    rules: { ceilings: DEFAULT_CEILINGS, capabilities: ["t"] },
    hostCallMs: 1000,
    groupOf: (tier) => tier!,
    makeRunner: (on, group): Runner => {
      events[group] = on;
      return {
        load: (_, { entry }) => Promise.resolve(description(entry)),
        admit: () => {},
        call: () => {},
        answer: () => {},
        cancel: () => {},
        unload: () => {},
        pid: undefined,
        residentBytes: () => Promise.resolve(undefined),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
    events: { gone: ({ manifest }) => void told.push(`${manifest.name} gone`) },
  });
  const load = (tier: string) =>
    guests.load({ entry: tier, modules: {} }, { admission: { tier, check() {} }, check: () => {} });
  const carrier = await load("carrier"), community = await load("community");
  events["community"]!.hostCall(carrier.id, 1, "t.tell", `["stolen"]`);
  events["community"]!.fault(carrier.id, { kind: "crashed", message: "says the other" });
  events["community"]!.usage(carrier.id, 1e12);
  events["community"]!.hostCall(community.id, 1, "t.tell", `["own"]`);
  events["carrier"]!.hostCall(carrier.id, 1, "t.tell", `["own"]`);
  await until(() => told.length >= 2);
  assertEquals(told, ["community: own", "carrier: own"]);
  assertEquals(carrier.bytes, 0);
  events["community"]!.down({ reason: "gone", guilty: carrier.id, stuck: false, begun: () => true });
  assertEquals(told.slice(2), ["community gone"]);
  assertEquals(carrier.fault, undefined);
});
