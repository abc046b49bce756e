// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * SUBMITs per second that the short-message service answers, beside a bare server of the same frames on this runtime.
 *
 * One load generator serves all of them in the same run, in rounds: raw sockets, PDUs made beforehand, the standard's
 * window of 16 on each connection. It answers DELIVERs as a provider would, so reports are paid for in full.
 *
 * @module
 */
import { Load, SmsServer } from "./cmpp_load.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";

/** `GATEHOUSE_BENCH_SECONDS=120` for one long round: does memory stay flat over millions of messages? */
const LONG = Deno.env.get("GATEHOUSE_BENCH_SECONDS");
const SECONDS = LONG === undefined ? 3 : Number(LONG), ROUNDS = LONG === undefined ? 3 : 1;
/** `GATEHOUSE_BENCH_POSTGRES=postgres://postgres@127.0.0.1:5432`: over a database there, in place of a file. */
const POSTGRES = Deno.env.get("GATEHOUSE_BENCH_POSTGRES");
const WARM_UP_MS = LONG === undefined ? 1_000 : 10_000;

/** What one run is. */
interface Run {
  readonly mode: "echo" | "memory" | "durable";
  readonly connections: number;
  readonly reports: boolean;
}

/** What one run gave. */
interface Figures {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Reports that came, a second. */
  readonly reportsPerSecond: number;
  /** The server's resident memory when measuring began, and when it ended. */
  readonly beganMiB: number;
  readonly endedMiB: number;
}

/** Measures; about two minutes. */
export async function benchCmpp(): Promise<BenchRow[]> {
  const all: readonly (Run & { name: string; goal?: string })[] = [
    { name: "bare framed echo in Deno, 1 connection", mode: "echo", connections: 1, reports: false },
    {
      name: "not durable, 1 connection",
      mode: "memory",
      connections: 1,
      reports: false,
      goal: "40,000/s",
    },
    { name: "not durable, 4 connections", mode: "memory", connections: 4, reports: false },
    { name: "not durable with reports, 1 connection", mode: "memory", connections: 1, reports: true },
    { name: "not durable with reports, 4 connections", mode: "memory", connections: 4, reports: true },
    { name: "durable, 1 connection", mode: "durable", connections: 1, reports: false },
    { name: "durable, 4 connections", mode: "durable", connections: 4, reports: false },
    { name: "durable with reports, 1 connection", mode: "durable", connections: 1, reports: true },
    {
      name: "durable with reports, 4 connections",
      mode: "durable",
      connections: 4,
      reports: true,
      goal: "20,000/s",
    },
  ];
  const runs = LONG === undefined ? all : all.filter(({ connections }) => connections === 1);
  const results = new Map<string, Figures[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) results.set(run.name, [...results.get(run.name) ?? [], await measure(run)]);
  }
  const best = (name: string, figure: keyof Figures) =>
    percentile(results.get(name)!.map((one) => one[figure]), 0.5);
  const bare = best(runs[0]!.name, "perSecond");
  return runs.flatMap(({ name, goal, mode, reports }) => {
    const value = best(name, "perSecond");
    const rows: BenchRow[] = [{
      name: `${name}${mode === "echo" ? "" : `, p99 ${best(name, "p99Ms").toFixed(1)} ms`}`,
      value,
      unit: "/s",
      ...(mode === "echo" ? {} : { ratio: value / bare }),
      // The ratio is to the bare server; the goal is of the figure itself.
      ...(goal === undefined ? {} : { goal: `${goal}, p99 under 20 ms` }),
    }];
    // In a short round the runtime's heap is still finding its size: only a long one says something.
    if (LONG !== undefined) {
      rows.push({
        name: `  resident memory after ${SECONDS} s, beside that at the start`,
        value: best(name, "endedMiB"),
        unit: "MiB",
        ratio: best(name, "endedMiB") / best(name, "beganMiB"),
      });
    }
    if (reports) {
      rows.push({ name: "  reports delivered meanwhile", value: best(name, "reportsPerSecond"), unit: "/s" });
    }
    return rows;
  });
}

async function measure(run: Run): Promise<Figures> {
  await using server = await SmsServer.start(run.mode, "normal", POSTGRES);
  const loads = await Promise.all(
    Array.from({ length: run.connections }, () => Load.connect(server.port, run.reports)),
  );
  await pause(WARM_UP_MS);
  for (const load of loads) load.reset();
  const beganMiB = await server.residentMiB(), began = performance.now();
  await pause(SECONDS * 1000);
  const seconds = (performance.now() - began) / 1000;
  const sum = (figure: (load: Load) => number) => loads.reduce((total, load) => total + figure(load), 0);
  const figures = {
    perSecond: sum((load) => load.answered) / seconds,
    reportsPerSecond: sum((load) => load.reports) / seconds,
    beganMiB,
    endedMiB: await server.residentMiB(),
    p99Ms: percentile(loads.flatMap((load) => load.latencies), 0.99),
  };
  const refused = sum((load) => load.refused);
  if (refused > 0) console.log(`  (${run.mode}: ${refused} were answered with an error)`);
  for (const load of loads) load.close();
  return figures;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  printRows(
    `Short messages (CMPP 3.0, window 16${POSTGRES === undefined ? "" : ", PostgreSQL"})`,
    await benchCmpp(),
  );
}
