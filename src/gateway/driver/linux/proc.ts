/**
 * Reading what Linux writes under /proc: text in, numbers out.
 *
 * @module
 */
import type { MemoryUse } from "../machine.ts";

/** Processor time since boot, in ticks: in all, and idle. */
export interface CpuTimes {
  readonly total: number;
  readonly idle: number;
}

/** The first line of /proc/stat. Guest time is part of user time already; waiting for a disk counts as idle. */
export function parseCpuTimes(stat: string): CpuTimes | undefined {
  const line = /^cpu +([\d ]+)$/m.exec(stat);
  if (!line) return undefined;
  const ticks = line[1]!.trim().split(/ +/).map(Number).slice(0, 8);
  if (ticks.length < 4) return undefined;
  return { total: ticks.reduce((sum, n) => sum + n, 0), idle: ticks[3]! + (ticks[4] ?? 0) };
}

/** The load between two samples, 0 to 100 with one decimal; undefined where no time passed. */
export function cpuLoad(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total, idle = after.idle - before.idle;
  if (total <= 0) return undefined;
  return Math.round(Math.min(100, Math.max(0, 100 * (1 - idle / total))) * 10) / 10;
}

/** /proc/meminfo. Kernels before 3.14 do not say what is available: then what is free, or could be freed. */
export function parseMemory(meminfo: string): MemoryUse | undefined {
  const kb = (name: string) => {
    const line = new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(meminfo);
    return line ? Number(line[1]) : undefined;
  };
  const totalKb = kb("MemTotal");
  if (!totalKb) return undefined;
  const availableKb = kb("MemAvailable") ?? (kb("MemFree") ?? 0) + (kb("Buffers") ?? 0) + (kb("Cached") ?? 0);
  return { totalKb, availableKb, percent: Math.round(1000 * (1 - availableKb / totalKb)) / 10 };
}

/** The processor's name in /proc/cpuinfo, as x86, ARM and MIPS kernels write it. */
export function parseCpuClass(cpuinfo: string): string | undefined {
  for (const name of ["model name", "cpu model", "Hardware", "Processor", "system type", "isa", "CPU part"]) {
    const line = new RegExp(`^${name}\\s*:\\s*(.+)$`, "m").exec(cpuinfo);
    if (line) return line[1]!.trim();
  }
  return undefined;
}

/** Seconds since boot in /proc/uptime. */
export function parseUptime(uptime: string): number | undefined {
  const seconds = Number(uptime.split(" ", 1)[0]);
  return uptime !== "" && Number.isFinite(seconds) ? Math.floor(seconds) : undefined;
}

/** The interface of the IPv4 default route with the best metric, in /proc/net/route. */
export function parseDefaultInterface(routes: string): string | undefined {
  let best: { name: string; metric: number } | undefined;
  for (const line of routes.split("\n").slice(1)) {
    const [name, destination, , , , , metric, mask] = line.split("\t");
    if (name === undefined || destination !== "00000000" || mask !== "00000000") continue;
    if (!best || Number(metric) < best.metric) best = { name, metric: Number(metric) };
  }
  return best?.name;
}
