/**
 * What a run of the load tool saw, as text, and beside an earlier one.
 *
 * @module
 */
import type { Quantiles } from "./histogram.ts";
import { type CountName, COUNTS, type Tally, type TimeName, TIMES } from "./tally.ts";

/** What a stretch of a run cost. Seconds and MiB. */
export interface Stretch {
  readonly name: string;
  readonly seconds: number;
  /** Processor time of the platform and of this tool, in seconds of one core. */
  readonly platformCpu: number;
  readonly toolCpu: number;
  /** Of all cores of the machine: the share that others took. */
  readonly othersShare: number;
  readonly platformMiB: number;
  readonly toolMiB: number;
}

/** One look at the platform's memory during the traffic. */
export interface Sample {
  readonly second: number;
  readonly platformMiB: number;
}

/** A run. */
export interface LoadReport {
  readonly date: string;
  readonly runtime: string;
  readonly cores: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly stretches: readonly Stretch[];
  readonly counts: Readonly<Record<CountName, number>>;
  readonly times: Readonly<Record<TimeName, Quantiles>>;
  /** Of the gateways: registered at the end, and with a channel. */
  readonly registered: number;
  readonly channels: number;
  /** Datagrams that the kernel dropped at the platform's access port. */
  readonly dropped: number | undefined;
  readonly samples: readonly Sample[];
  /** How the platform's memory went during the traffic, in MiB an hour. */
  readonly slopeMiBPerHour: number | undefined;
}

/** The report of what was seen. */
export function reportOf(
  tally: Tally,
  rest: Omit<LoadReport, "counts" | "times" | "slopeMiBPerHour" | "date" | "runtime" | "cores">,
): LoadReport {
  return {
    date: new Date().toISOString(),
    runtime: `Deno ${Deno.version.deno}`,
    cores: navigator.hardwareConcurrency,
    ...rest,
    counts: tally.counts,
    times: Object.fromEntries(TIMES.map((name) => [name, tally.times[name].quantiles()])) as Record<
      TimeName,
      Quantiles
    >,
    slopeMiBPerHour: slopeOf(rest.samples),
  };
}

/** The share of the samples at the beginning that is left out: caches fill, and code is compiled. */
const WARMING_UP = 0.2;

/**
 * The line of least squares through the samples, those of the warming up left out, in MiB an hour; undefined with fewer
 * than three.
 */
export function slopeOf(all: readonly Sample[]): number | undefined {
  const samples = all.slice(Math.floor(all.length * WARMING_UP));
  if (samples.length < 3) return undefined;
  const n = samples.length,
    mean = (of: (sample: Sample) => number) => samples.reduce((sum, s) => sum + of(s), 0) / n;
  const second = mean((s) => s.second), mib = mean((s) => s.platformMiB);
  const up = samples.reduce((sum, s) => sum + (s.second - second) * (s.platformMiB - mib), 0);
  const across = samples.reduce((sum, s) => sum + (s.second - second) ** 2, 0);
  return across === 0 ? undefined : up / across * 3600;
}

/** The report as text. */
export function textOf(report: LoadReport): string {
  const lines = [
    `${report.date.slice(0, 16).replace("T", " ")} UTC, ${report.runtime}, ${report.cores} cores`,
  ];
  for (const { name, seconds, platformCpu, toolCpu, othersShare, platformMiB, toolMiB } of report.stretches) {
    lines.push(
      `${name.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s   platform ${
        share(platformCpu, seconds)
      } of a core, ` +
        `${platformMiB.toFixed(0)} MiB   this tool ${share(toolCpu, seconds)}, ${toolMiB.toFixed(0)} MiB   ` +
        `others took ${(othersShare * 100).toFixed(0)} % of the machine`,
    );
  }
  lines.push(`registered ${report.registered}, channels ${report.channels}`);
  lines.push(
    COUNTS.filter((name) => report.counts[name] > 0).map((name) => `${name} ${report.counts[name]}`).join(
      ", ",
    ),
  );
  if (report.dropped !== undefined) {
    lines.push(`datagrams dropped by the kernel before the platform: ${report.dropped}`);
  }
  lines.push("milliseconds        count      mean       p50       p90       p99       max");
  for (const name of TIMES) {
    const { count, mean, p50, p90, p99, max } = report.times[name];
    if (count === 0) continue;
    const cells = [count, mean, p50, p90, p99, max].map((n) => String(n).padStart(9)).join(" ");
    lines.push(`  ${name.padEnd(13)} ${cells}`);
  }
  if (report.slopeMiBPerHour !== undefined) {
    lines.push(`the platform's memory during the traffic: ${signed(report.slopeMiBPerHour)} MiB an hour`);
  }
  return lines.join("\n");
}

/** What changed since `before`: latencies, costs and counts side by side, with their ratio. */
export function comparison(before: LoadReport, now: LoadReport): string {
  const rows: [string, number, number][] = [];
  for (const stretch of now.stretches) {
    const old = before.stretches.find(({ name }) => name === stretch.name);
    if (!old) continue;
    rows.push([`${stretch.name}: seconds`, old.seconds, stretch.seconds]);
    rows.push([
      `${stretch.name}: platform, share of a core`,
      old.platformCpu / old.seconds,
      stretch.platformCpu / stretch.seconds,
    ]);
    rows.push([`${stretch.name}: platform, MiB`, old.platformMiB, stretch.platformMiB]);
  }
  for (const name of TIMES) {
    const was = before.times[name], is = now.times[name];
    if (!was || was.count === 0 || is.count === 0) continue;
    rows.push([`${name}: p50 ms`, was.p50, is.p50], [`${name}: p99 ms`, was.p99, is.p99]);
  }
  for (const name of COUNTS) {
    const was = before.counts[name] ?? 0, is = now.counts[name];
    if (was !== is) rows.push([name, was, is]);
  }
  return [
    `beside ${before.date.slice(0, 16)}:`,
    ...rows.map(([name, was, is]) =>
      `  ${name.padEnd(40)} ${figure(was)} -> ${figure(is)}   ${was === 0 ? "" : `x${(is / was).toFixed(2)}`}`
    ),
  ].join("\n");
}

function share(cpu: number, seconds: number): string {
  return seconds > 0 ? (cpu / seconds).toFixed(3) : "0";
}

function figure(n: number): string {
  return (Number.isInteger(n) ? String(n) : n.toFixed(2)).padStart(10);
}

function signed(n: number): string {
  return `${n < 0 ? "" : "+"}${n.toFixed(1)}`;
}
