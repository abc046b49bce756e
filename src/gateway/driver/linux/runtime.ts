/**
 * The machine by what the runtime tells of it. Deno opens /proc and /sys only to a program that has every
 * permission there is; one with the least permissions asks the runtime, and learns a little less. Its Node modules are
 * loaded when first asked: they cost a gateway some megabytes and milliseconds.
 *
 * @module
 */
import type { InterfaceAddress, MachineInfo, MemoryUse } from "../machine.ts";
import type { CpuTimes } from "./proc.ts";

/** Processor time since boot over all processors, in milliseconds. */
export async function runtimeCpuTimes(): Promise<CpuTimes | undefined> {
  const { cpus } = await import("node:os");
  const all = allowed(cpus) ?? [];
  let total = 0, idle = 0;
  for (const { times } of all) {
    total += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return total > 0 ? { total, idle } : undefined;
}

/** The machine's memory. */
export function runtimeMemory(): MemoryUse | undefined {
  const memory = allowed(Deno.systemMemoryInfo);
  if (!memory || memory.total === 0) return undefined;
  const { total, available } = memory;
  return {
    totalKb: Math.round(total / 1024),
    availableKb: Math.round(available / 1024),
    percent: Math.round(1000 * (1 - available / total)) / 10,
  };
}

/** What the machine is. */
export async function runtimeInfo(): Promise<
  { [Field in keyof MachineInfo]?: MachineInfo[Field] | undefined }
> {
  const [{ cpus }, { statfsSync }] = await Promise.all([import("node:os"), import("node:fs")]);
  const disk = allowed(() => statfsSync("/"));
  return {
    osVersion: runtimeOsVersion(),
    cpuClass: allowed(cpus)?.[0]?.model || undefined,
    hostName: allowed(Deno.hostname),
    ramKb: runtimeMemory()?.totalKb,
    flashKb: disk && Math.round(disk.blocks * disk.bsize / 1024) || undefined,
    uptimeSeconds: allowed(Deno.osUptime),
  };
}

/** Processes that run or wait to, over 1, 5 and 15 minutes. */
export function runtimeLoad(): readonly [number, number, number] | undefined {
  const load = allowed(Deno.loadavg);
  return load && [load[0] ?? 0, load[1] ?? 0, load[2] ?? 0];
}

/** `Linux` and its release. */
export function runtimeOsVersion(): string | undefined {
  const release = allowed(Deno.osRelease);
  return release && `Linux ${release}`;
}

/** Whether there is a WiFi interface that is up; undefined where the names do not tell. */
export function hasWifiName(interfaces: readonly InterfaceAddress[]): true | undefined {
  return interfaces.some(({ name }) => /^(wl|wifi|ath\d|ra\d)/.test(name)) || undefined;
}

/** Undefined where the permissions or the machine do not allow it. */
function allowed<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
