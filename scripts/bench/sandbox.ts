/**
 * What the sandbox costs: plug-in calls per second through the manager, inline and in a plug-in host, beside bare
 * calls into QuickJS in the same run.
 *
 * Run with `deno task bench`, or by itself with `deno run --allow-read --allow-write --allow-env --allow-run
 * scripts/bench/sandbox.ts`.
 *
 * @module
 */
import variant from "@jitl/quickjs-wasmfile-release-sync";
import wasm from "@jitl/quickjs-wasmfile-release-sync/wasm" with { type: "bytes" };
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
} from "quickjs-emscripten-core";
import { type Bench, makeBench, pluginSource } from "../../src/sandbox/testing/fixture.ts";

/** One measured figure. `ratio`: to the figure that it stands beside. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
  /** What it should reach: of the ratio if there is one, else of the value. */
  readonly goal?: string;
}

const REQUEST = { CmdType: "QUERY_CPU_INFO", SequenceId: "12345678", Core: "3" };
const COMMANDS = {
  SYNC: "(request) => ({ Percent: String(request.Core) })",
  ASYNC: "async (request) => ({ Percent: String(request.Core) })",
};

/** Measures everything; about ten seconds. */
export async function benchSandbox(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const bare = await bareEngine();
  const files = { "bench.js": pluginSource("bench", COMMANDS, { limits: { calls: 64 } }) };
  for (let i = 1; i < 5; i++) Object.assign(files, { [`p${i}.js`]: pluginSource(`p${i}`, COMMANDS) });
  await using inline = await makeBench("inline", files);
  await using apart = await makeBench("process", files);
  const call = (bench: Bench, command: string) => () => bench.call("bench", command, REQUEST);

  // Taken in rounds, so that a noisy neighbour disturbs what is compared alike; the best round counts.
  const best = new Map<string, number>();
  const measure = async (name: string, run: () => Promise<number>) => {
    best.set(name, Math.max(best.get(name) ?? 0, await run()));
  };
  for (let round = 0; round < 5; round++) {
    await measure("bare sync", () => Promise.resolve(rateOf(bare.sync, 20_000)));
    await measure("inline sync", () => rateOfAsync(call(inline, "SYNC"), 20_000, 1));
    await measure("bare async", () => Promise.resolve(rateOf(bare.async, 10_000)));
    await measure("inline async", () => rateOfAsync(call(inline, "ASYNC"), 10_000, 1));
    await measure("process 1", () => rateOfAsync(call(apart, "SYNC"), 4_000, 1));
    await measure("process 32", () => rateOfAsync(call(apart, "SYNC"), 20_000, 32));
    await measure("process 32 async", () => rateOfAsync(call(apart, "ASYNC"), 20_000, 32));
  }
  const of = (name: string) => Math.round(best.get(name)!);
  const row = (name: string, key: string, beside?: string, goal?: string) => {
    const ratio = beside === undefined ? {} : { ratio: best.get(key)! / best.get(beside)! };
    rows.push({ name, value: of(key), unit: "calls/s", ...ratio, ...(goal === undefined ? {} : { goal }) });
  };
  row("bare engine call, JSON text in and out", "bare sync");
  row("inline isolation, same command", "inline sync", "bare sync", "0.7 of bare");
  row("bare engine call, async command", "bare async");
  row("inline isolation, async command", "inline async", "bare async");
  row("process isolation, 1 in flight", "process 1", "bare sync");
  row("process isolation, 32 in flight", "process 32", "bare sync", "8000/s");
  row("process isolation, 32 in flight, async", "process 32 async", "bare async");
  rows.push(...await measureProcesses(apart));
  return rows;
}

/** Memory of a host with five plug-ins, the time until one is ready, and the time from kill to running again. */
async function measureProcesses(apart: Bench): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const worked = await apart.manager.hostMemoryBytes();
  rows.push({
    name: "plug-in host with 5 plug-ins after this work, resident",
    value: worked! / 2 ** 20,
    unit: "MiB",
  });
  {
    const files: Record<string, string> = {};
    for (let i = 0; i < 5; i++) files[`p${i}.js`] = pluginSource(`p${i}`, COMMANDS);
    const start = performance.now();
    await using fresh = await makeBench("process", files);
    rows.push({
      name: "manager and host start to 5 plug-ins running",
      value: performance.now() - start,
      unit: "ms",
    });
    const bytes = await fresh.manager.hostMemoryBytes();
    rows.push({ name: "plug-in host with 5 plug-ins, idle, resident", value: bytes! / 2 ** 20, unit: "MiB" });
  }
  await using inline = await makeBench("inline");
  await inline.manager.install("first", pluginSource("first", COMMANDS));
  const loadStart = performance.now();
  for (let i = 0; i < 20; i++) await inline.manager.install(`n${i}`, pluginSource(`n${i}`, COMMANDS));
  rows.push({
    name: "load one more plug-in, inline",
    value: (performance.now() - loadStart) / 20,
    unit: "ms",
  });
  return rows;
}

/** The plain calls that the sandbox is measured against: a function of the guest, one JSON text in, one out. */
async function bareEngine(): Promise<{ sync: () => string; async: () => string }> {
  // The package's declarations hide that its default export is the variant.
  const releaseSync = variant as unknown as QuickJSSyncVariant;
  const quickjs = await newQuickJSWASMModuleFromVariant(
    newVariant(releaseSync, { wasmModule: await WebAssembly.compile(wasm) }),
  );
  const runtime = quickjs.newRuntime(), context = runtime.newContext();
  const define = (source: string) => context.unwrapResult(context.evalCode(source));
  const sync = define(`(text) => JSON.stringify((${COMMANDS.SYNC})(JSON.parse(text)))`);
  const async = define(`async (text) => JSON.stringify(await (${COMMANDS.ASYNC})(JSON.parse(text)))`);
  const request = JSON.stringify(REQUEST);
  const enter = (run: typeof sync) => {
    const argument = context.newString(request);
    const result = context.unwrapResult(context.callFunction(run, context.undefined, argument));
    argument.dispose();
    return result;
  };
  return {
    sync() {
      const result = enter(sync), text = context.getString(result);
      result.dispose();
      return text;
    },
    async() {
      const promise = enter(async);
      runtime.executePendingJobs().dispose();
      const state = context.getPromiseState(promise);
      if (state.type !== "fulfilled") throw new Error(`the promise is ${state.type}`);
      const text = context.getString(state.value);
      state.value.dispose();
      promise.dispose();
      return text;
    },
  };
}

function rateOf(run: () => unknown, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return count / (performance.now() - start) * 1000;
}

async function rateOfAsync(run: () => Promise<unknown>, count: number, inFlight: number): Promise<number> {
  let left = count;
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (left-- > 0) await run();
  }));
  return count / (performance.now() - start) * 1000;
}

if (import.meta.main) {
  for (const { name, value, unit, ratio, goal } of await benchSandbox()) {
    const figure = value >= 1000 ? String(Math.round(value)) : value.toFixed(1);
    const beside = ratio === undefined ? "" : `${ratio.toFixed(2)} of bare`;
    // deno-lint-ignore no-console -- a script's output
    console.log(
      `${name.padEnd(46)} ${figure.padStart(9)} ${unit.padEnd(8)} ${beside.padEnd(13)} ${
        goal ? `goal: ${goal}` : ""
      }`,
    );
  }
}
