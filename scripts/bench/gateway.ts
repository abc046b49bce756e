/**
 * What a gateway costs its box: start, processor and memory at rest and at its worst, and how fast the local port is
 * beside a bare TCP echo of the same frames on this runtime, in the same run, in rounds.
 *
 * @module
 */
import { encodeCapabilityRequest, encodeFrame, encodePost1 } from "../../src/protocol/smart_gateway/mod.ts";
import { type Fleet, startFleet } from "../../tests/support/fleet.ts";
import { descendants, processMemory } from "../lib/program.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { script } from "./servers/start.ts";

const REST_SECONDS = 30, ROUNDS = 3, STARTS = 5, EXCHANGES = 1500, WORST_EXCHANGES = 10_000;
/** The kernel's unit of processor time. */
const TICKS_PER_SECOND = 100;
export const PLUGIN = `
export const manifest = { name: "bench-local", version: "1.0", apiVersion: "2026-11-01",
  commands: { ECHO_LOCAL: { right: "local" } } };
export const commands = { ECHO_LOCAL: (request) => ({ Text: String(request.Text) }) };`;
const REQUEST = encodeFrame(encodePost1({
  method: "Post1",
  id: 1,
  pluginName: "bench-local",
  version: "1.0",
  parameter: encodeCapabilityRequest({
    cmdType: "ECHO_LOCAL",
    sequenceId: "0000BEEF",
    fields: { Text: "hello" },
  }),
}));

/** Measures; about two minutes, most of them at rest. */
export async function benchGateway(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const isolation of ["process", "inline"] as const) {
    await using fleet = await startFleet({ gatewayArgs: ["--isolation", isolation] });
    rows.push({
      name: `start to registered and ready, ${isolation}, median of ${STARTS}`,
      value: await starts(fleet),
      unit: "ms",
      goal: "400",
    });
    await fleet.plugin("bench-local.js", PLUGIN);
    await fleet.until("loaded", async () => await fleet.runs("bench-local"));
    rows.push(...await atRest(fleet, isolation), ...await exchanges(fleet, isolation));
    rows.push(...await worst(fleet, isolation));
  }
  return rows;
}

export async function family(fleet: Fleet): Promise<number[]> {
  return [fleet.gateway.pid, ...await descendants(fleet.gateway.pid)];
}

async function atRest(fleet: Fleet, isolation: string): Promise<BenchRow[]> {
  await new Promise((resolve) => setTimeout(resolve, 5_000)); // what the start left to do is done
  const pids = await family(fleet), before = await processorSeconds(pids), begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1000));
  const used = await processorSeconds(pids) - before, seconds = (performance.now() - begun) / 1000;
  return [
    {
      name: `processor at rest, of one core, ${isolation}`,
      value: 100 * used / seconds,
      unit: "%",
      goal: "0.5",
    },
    { name: `memory at rest (PSS), ${isolation}`, value: await memory(pids), unit: "MiB" },
  ];
}

/** Processor time that processes have used so far, in seconds. */
async function processorSeconds(pids: readonly number[]): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: pids.map((pid) => `/proc/${pid}/stat`) }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").reduce((sum, line) => {
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }, 0);
}

async function exchanges(fleet: Fleet, isolation: string): Promise<BenchRow[]> {
  await using echo = await script("framed_echo.ts", ["--no-lock", "--allow-net=127.0.0.1"]);
  const own = fleet.gateway.ports.local!, measured = { own: [] as Load[], bare: [] as Load[] };
  const alone = { own: [] as number[], bare: [] as number[] };
  await load(own, 4, 500);
  await load(Number(echo.port), 4, 500);
  for (let round = 0; round < ROUNDS; round++) {
    measured.bare.push(await load(Number(echo.port), 4, EXCHANGES));
    measured.own.push(await load(own, 4, EXCHANGES));
    alone.bare.push(...(await load(Number(echo.port), 1, 300)).times);
    alone.own.push(...(await load(own, 1, 300)).times);
  }
  const rate = (loads: Load[]) => percentile(loads.map((each) => each.rate), 0.5);
  const p99 = (loads: Load[]) => percentile(loads.flatMap((each) => each.times), 0.99);
  const { own: ours, bare } = measured;
  return [
    { name: `bare framed TCP echo, 4 at once, beside ${isolation}`, value: rate(bare), unit: "/s" },
    { name: `  p99`, value: p99(bare), unit: "ms" },
    {
      name: `local Post1 through a plug-in, 4 at once, ${isolation}`,
      value: rate(ours),
      unit: "/s",
      ratio: rate(ours) / rate(bare),
    },
    { name: `  p99`, value: p99(ours), unit: "ms", ratio: p99(ours) / p99(bare) },
    { name: `local Post1, one at a time, p50, ${isolation}`, value: percentile(alone.own, 0.5), unit: "ms" },
    { name: `  p99`, value: percentile(alone.own, 0.99), unit: "ms" },
    { name: `bare echo, one at a time, p50`, value: percentile(alone.bare, 0.5), unit: "ms" },
    { name: `  p99`, value: percentile(alone.bare, 0.99), unit: "ms" },
  ];
}

/** Memory after more of the same, and the most that its processes ever had resident by the kernel's own mark. */
async function worst(fleet: Fleet, isolation: string): Promise<BenchRow[]> {
  await load(fleet.gateway.ports.local!, 5, WORST_EXCHANGES);
  const pids = await family(fleet);
  let most = 0;
  for (const pid of pids) {
    const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).output();
    most += Number(/^VmHWM:\s+(\d+)/m.exec(new TextDecoder().decode(stdout))?.[1] ?? NaN) / 1024;
  }
  return [
    {
      name: `memory after ${WORST_EXCHANGES} exchanges (PSS), ${isolation}`,
      value: await memory(pids),
      unit: "MiB",
    },
    { name: `  resident at the worst, added up`, value: most, unit: "MiB" },
  ];
}

export async function memory(pids: readonly number[]): Promise<number> {
  return (await Promise.all(pids.map(processMemory))).reduce((sum, { pssMiB }) => sum + pssMiB, 0);
}

/** Starts it anew several times, until its control API says that it is registered. */
async function starts(fleet: Fleet): Promise<number> {
  const times: number[] = [];
  while (times.length < STARTS) {
    await fleet.gateway[Symbol.asyncDispose]();
    const begun = performance.now();
    await fleet.restartGateway();
    times.push(performance.now() - begun);
  }
  return percentile(times, 0.5);
}

interface Load {
  readonly rate: number;
  /** Milliseconds of each exchange, the connection included. */
  readonly times: number[];
}

/** `count` exchanges on a connection each, `atOnce` of them at a time. */
export async function load(port: number, atOnce: number, count: number): Promise<Load> {
  const times: number[] = [], begun = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    const buffer = new Uint8Array(4096);
    while (left-- > 0) {
      const start = performance.now();
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(REQUEST);
      let got = 0;
      for (let n; (n = await connection.read(buffer)) !== null;) got += n;
      if (got < 20) throw new Error(`an answer of ${got} bytes: the connection was refused`);
      times.push(performance.now() - start);
    }
  }));
  return { times, rate: count / (performance.now() - begun) * 1000 };
}

if (import.meta.main) printRows("A gateway on its box", await benchGateway());
