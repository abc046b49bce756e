/**
 * What the life of plug-ins costs: installing, upgrading under load, many at once.
 *
 * @module
 */
import { packPlugin } from "../../src/sandbox/package/mod.ts";
import { filesOf } from "../../src/sandbox/package/testing.ts";
import { makeBench, pluginSource } from "../../src/sandbox/testing/fixture.ts";
import { startLoneGateway } from "../../tests/support/author.ts";
import { startFileServer } from "../../tests/support/file_server.ts";
import { processMemory } from "../lib/program.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";

const HELLO = { HELLO: "(request) => ({ Text: String(request.Text) })" };
const KB = 1024;

/** A plug-in of 50 KB, as a real one with its tables and texts may be. */
function large(version: string): string {
  const lines = Array.from(
    { length: 600 },
    (_, i) => `  e${i}: "entry ${i} of a table that this plug-in brings along ${i}",`,
  );
  const head = `const table = {\n${lines.join("\n")}\n};\nexport const size = Object.keys(table).length;`;
  const source = pluginSource("large", HELLO, { version, head });
  return source + `// ${"x".repeat(Math.max(0, 50 * KB - source.length - 4))}\n`;
}

/** Measures; about twenty seconds. */
export async function benchPlugins(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const isolation of ["process", "inline"] as const) rows.push(...await installs(isolation));
  rows.push(...await overHttp(), ...await upgradeUnderLoad());
  rows.push(...await fifty(), ...await tiers());
  return rows;
}

/** From the call of install to a plug-in that runs, each time another version. */
async function installs(isolation: "process" | "inline"): Promise<BenchRow[]> {
  await using bench = await makeBench(isolation, { "other.js": pluginSource("other", HELLO) });
  const times: number[] = [];
  for (let i = 1; i <= 21; i++) {
    const source = large(`1.${i}`), start = performance.now();
    const { state } = await bench.manager.install("large", source);
    times.push(performance.now() - start);
    if (state !== "running") throw new Error(`the plug-in is ${state}`);
  }
  return [
    {
      name: `install to running, 50 KB, p50, ${isolation}`,
      value: percentile(times, 0.5),
      unit: "ms",
      goal: "60",
    },
    { name: `install to running, 50 KB, worst of 21, ${isolation}`, value: Math.max(...times), unit: "ms" },
  ];
}

/** A package by the control API of a gateway's process: sent along, and fetched by it from an address. */
async function overHttp(): Promise<BenchRow[]> {
  await using gateway = await startLoneGateway();
  const packages: Record<string, Uint8Array<ArrayBuffer>> = {};
  await using files = startFileServer(packages);
  const ask = async (method: string, path: string, body?: BodyInit, type = "application/json") => {
    const headers = { ...gateway.headers, "content-type": type };
    const response = await fetch(`${gateway.url}/api/v1${path}`, { method, headers, body: body ?? null });
    if (!response.ok) throw new Error(await response.text());
    return await response.json() as { state: string; error?: string };
  };
  const sent: number[] = [], fetched: number[] = [];
  for (let i = 1; i <= 21; i++) {
    const version = `1.${i}`;
    const { bytes } = await packPlugin(filesOf({ "plugin.js": large(version) }), {});
    packages["/large.ghp"] = bytes;
    const start = performance.now();
    const order = { name: "large", version, url: `${files.url}/large.ghp`, size: bytes.length };
    let { state, error } = await ask("POST", "/plugin-installs", JSON.stringify(order));
    while (state === "downloading" || state === "loading") {
      ({ state, error } = await ask("GET", "/plugin-installs/large"));
    }
    fetched.push(performance.now() - start);
    if (state !== "installed") throw new Error(`the plug-in is ${state}: ${error}`);
    const next = await packPlugin(filesOf({ "plugin.js": large(`2.${i}`) }), {});
    const again = performance.now();
    await ask("POST", "/plugins", next.bytes, "application/gzip");
    sent.push(performance.now() - again);
  }
  return [
    {
      name: "package of 50 KB, sent to the control API, to running, p50",
      value: percentile(sent, 0.5),
      unit: "ms",
    },
    { name: "  fetched from an address, to its last word, p50", value: percentile(fetched, 0.5), unit: "ms" },
  ];
}

/** Upgrades again and again while 200 calls a second come in: every call has to be answered. */
async function upgradeUnderLoad(): Promise<BenchRow[]> {
  await using bench = await makeBench("process", {});
  await bench.manager.install("large", large("1.0"));
  let calls = 0, failed = 0, going = true;
  const times: number[] = [], open: Promise<void>[] = [];
  const load = (async () => {
    const begun = performance.now();
    while (going) {
      calls++;
      const start = performance.now();
      open.push(
        bench.call("large", "HELLO", { Text: "x" }).then(
          () => void times.push(performance.now() - start),
          () => {
            failed++;
          },
        ),
      );
      const due = begun + calls * 5;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
  })();
  const upgrades = 20;
  for (let i = 1; i <= upgrades; i++) {
    await bench.manager.install("large", large(`1.${i}`));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  going = false;
  await load;
  await Promise.all(open);
  return [
    { name: `calls at 200/s during ${upgrades} upgrades`, value: calls, unit: "calls" },
    { name: "  of them failed", value: failed, unit: "calls", goal: "0" },
    { name: "  p99 of their time", value: percentile(times, 0.99), unit: "ms" },
  ];
}

/** Fifty plug-ins in one host: until all run, and what each adds to the host's memory. */
async function fifty(): Promise<BenchRow[]> {
  const one = { "p0.js": pluginSource("p0", HELLO) };
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`p${i}.js`, pluginSource(`p${i}`, HELLO)]),
  );
  let alone: number;
  {
    await using bench = await makeBench("process", one);
    alone = (await processMemory(bench.manager.hosts()[0]!.pid)).pssMiB;
  }
  const start = performance.now();
  await using bench = await makeBench("process", files);
  const took = performance.now() - start;
  const running = bench.manager.list().filter(({ state }) => state === "running").length;
  if (running !== 50) throw new Error(`${running} of 50 plug-ins run`);
  const all = (await processMemory(bench.manager.hosts()[0]!.pid)).pssMiB;
  return [
    { name: "50 plug-ins, start of the manager to all running", value: took, unit: "ms" },
    { name: "  memory of each beyond the first", value: (all - alone) / 49, unit: "MiB", goal: "1.5" },
  ];
}

/** Four plug-ins in one host, and in four hosts of a tier each: what each further host takes. */
async function tiers(): Promise<BenchRow[]> {
  const files = Object.fromEntries([0, 1, 2, 3].map((i) => [`p${i}.js`, pluginSource(`p${i}`, HELLO)]));
  const measured = async (tierOf: (entry: string) => string) => {
    const start = performance.now();
    await using bench = await makeBench("process", files, {
      admit: ({ entry }) => Promise.resolve({ tier: tierOf(entry), check: () => {} }),
    });
    const took = performance.now() - start, hosts = bench.manager.hosts();
    const memory = await Promise.all(hosts.map(({ pid }) => processMemory(pid)));
    return { took, hosts: hosts.length, pssMiB: memory.reduce((sum, { pssMiB }) => sum + pssMiB, 0) };
  };
  const one = await measured(() => "carrier"), four = await measured((entry) => entry);
  if (one.hosts !== 1 || four.hosts !== 4) throw new Error(`${one.hosts} and ${four.hosts} hosts`);
  return [
    { name: "4 plug-ins in one host, start to all running", value: one.took, unit: "ms" },
    { name: "4 plug-ins of 4 tiers, in a host each", value: four.took, unit: "ms" },
    { name: "  memory of each further host", value: (four.pssMiB - one.pssMiB) / 3, unit: "MiB" },
  ];
}

if (import.meta.main) printRows("Life of plug-ins", await benchPlugins());
