/**
 * The real machine, by what Linux says under /proc and /sys, or else by what the runtime says.
 *
 * @module
 */
import { type Clock, sleep, type Timer } from "../../../base/mod.ts";
import { inNetwork, isLocal, isLoopback } from "../../../net/mod.ts";
import { DriverError } from "../errors.ts";
import type { InterfaceAddress, Machine, MachineInfo, MemoryUse } from "../machine.ts";
import {
  cpuLoad,
  type CpuTimes,
  parseCpuClass,
  parseCpuTimes,
  parseDefaultInterface,
  parseMemory,
  parseUptime,
} from "./proc.ts";
import {
  hasWifiName,
  runtimeCpuTimes,
  runtimeInfo,
  runtimeLoad,
  runtimeMemory,
  runtimeOsVersion,
} from "./runtime.ts";

/** Processor load is measured over this time, once for everybody who asks. */
const SAMPLE_MS = 5_000;
/** The shortest time between two samples that says anything: ten ticks. */
const SHORTEST_SAMPLE_MS = 100;
/** How long the list of interfaces is good for. */
const INTERFACES_MS = 2_000;
/** How long the default route is good for: looking it up starts a program, and holds everything up for its time. */
const ROUTE_MS = 10_000;

/** What it works with; `root` stands before /proc and /sys, for tests. */
export interface LinuxMachineOptions {
  readonly clock: Clock;
  readonly root?: string;
  readonly interfaces?: () => readonly InterfaceAddress[];
  /** Reads a file under /proc at once; undefined where it can't be read. */
  readonly readNow?: (path: string) => string | undefined;
}

/** The {@linkcode Machine} of Linux. */
export class LinuxMachine implements Machine, AsyncDisposable {
  readonly #clock: Clock;
  readonly #root: string;
  readonly #readRoutes: (path: string) => string | undefined;
  readonly #readInterfaces: () => readonly InterfaceAddress[];
  readonly #stop = new AbortController();
  #sample: { at: number; times: CpuTimes } | undefined;
  #load: number | undefined;
  #measuring: Promise<number> | undefined;
  #timer: Timer | undefined;
  #route: { until: number; name: string | undefined } | undefined;
  #interfaces: { until: number; list: readonly InterfaceAddress[] } | undefined;

  constructor({ clock, root = "", interfaces = systemInterfaces, readNow = catNow }: LinuxMachineOptions) {
    this.#clock = clock;
    this.#root = root;
    this.#readInterfaces = interfaces;
    this.#readRoutes = readNow;
  }

  /** Sampling begins with the first question, and goes on while there are questions. */
  async cpuPercent(): Promise<number> {
    const { at } = this.#sample ?? { at: -Infinity };
    if (this.#load !== undefined && this.#clock.monotonic() - at < SAMPLE_MS) return this.#load;
    return await (this.#measuring ??= this.#measure().finally(() => this.#measuring = undefined));
  }

  async memory(): Promise<MemoryUse> {
    const memory = parseMemory(await this.#read("/proc/meminfo") ?? "") ?? await this.#ask(runtimeMemory);
    if (!memory) throw new DriverError("unsupported", "this machine does not tell its memory");
    return memory;
  }

  async info(): Promise<MachineInfo> {
    const [cpuinfo, meminfo, uptime, hostName, release] = await Promise.all(
      [
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/uptime",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/osrelease",
      ]
        .map((path) => this.#read(path)),
    );
    return compact({
      ...await this.#ask(runtimeInfo),
      ...compact({
        osVersion: release === undefined ? undefined : `Linux ${release.trim()}`,
        cpuClass: parseCpuClass(cpuinfo ?? ""),
        hostName: hostName?.trim(),
        ramKb: parseMemory(meminfo ?? "")?.totalKb,
        flashKb: await this.#flashKb(),
        uptimeSeconds: parseUptime(uptime ?? ""),
      }),
      ipv6: this.interfaces().some(({ address }) =>
        address.includes(":") && !isLocal(address) && !isLoopback(address)
      ),
      wifi: await this.#hasWifi(),
    });
  }

  osVersion(): string {
    return runtimeOsVersion() ?? "Linux";
  }

  interfaces(): readonly InterfaceAddress[] {
    const now = this.#clock.monotonic();
    if (!this.#interfaces || now >= this.#interfaces.until) {
      this.#interfaces = { until: now + INTERFACES_MS, list: this.#readInterfaces() };
    }
    return this.#interfaces.list;
  }

  wanAddress(towards?: string): string {
    if (towards !== undefined && isLoopback(towards)) return "127.0.0.1";
    const own = this.interfaces().filter(({ address }) => !address.includes(":") && !isLoopback(address));
    const near = towards && own.find(({ address, prefix }) => inNetwork(towards, address, prefix));
    if (near) return near.address;
    const out = own.length > 1 ? this.#outward() : undefined;
    return (own.find(({ name }) => name === out) ?? own[0])?.address ?? "0.0.0.0";
  }

  lanAddress(): string | undefined {
    const out = this.#outward();
    return this.interfaces().find(({ name, address }) =>
      name !== out && !address.includes(":") && isLocal(address) && !isLoopback(address)
    )?.address;
  }

  load(): readonly [number, number, number] | undefined {
    return runtimeLoad();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    return Promise.resolve();
  }

  async #measure(): Promise<number> {
    // A sample that is too old says what was long ago: begin anew, with a short one.
    if (!this.#sample || this.#clock.monotonic() - this.#sample.at > 2 * SAMPLE_MS) {
      this.#sample = await this.#times();
    }
    const wait = this.#sample.at + SHORTEST_SAMPLE_MS - this.#clock.monotonic();
    if (wait > 0) await sleep(this.#clock, wait, this.#stop.signal);
    return this.#load = await this.#next() ?? this.#load ?? 0;
  }

  async #next(): Promise<number | undefined> {
    const before = this.#sample!;
    this.#sample = await this.#times();
    this.#keepSample();
    return cpuLoad(before.times, this.#sample.times);
  }

  /** One more sample after the last question, so that the next answer covers the time just before it. */
  #keepSample(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(() => {
      this.#times().then((sample) => {
        if (!this.#measuring) this.#sample = sample;
      }, () => {});
    }, SAMPLE_MS);
  }

  async #times(): Promise<{ at: number; times: CpuTimes }> {
    const times = parseCpuTimes(await this.#read("/proc/stat") ?? "") ?? await this.#ask(runtimeCpuTimes);
    if (!times) throw new DriverError("unsupported", "this machine does not tell its processor load");
    return { at: this.#clock.monotonic(), times };
  }

  /** What the disks hold that are not in memory. */
  async #flashKb(): Promise<number | undefined> {
    let sectors = 0;
    for (const name of await this.#list("/sys/block")) {
      if (/^(loop|ram|zram|dm-|md|sr)/.test(name)) continue;
      sectors += Number(await this.#read(`/sys/block/${name}/size`) ?? 0);
    }
    return sectors > 0 ? Math.round(sectors / 2) : undefined;
  }

  async #hasWifi(): Promise<boolean | undefined> {
    const names = await this.#list("/sys/class/net");
    if (names.length === 0) return hasWifiName(this.interfaces());
    const marks = await Promise.all(names.map((name) => this.#list(`/sys/class/net/${name}/wireless`)));
    return marks.some((entries) => entries.length > 0);
  }

  /** The runtime speaks of the real machine only. */
  async #ask<T>(runtime: () => T | Promise<T>): Promise<T | undefined> {
    return this.#root === "" ? await runtime() : undefined;
  }

  async #read(path: string): Promise<string | undefined> {
    return await Deno.readTextFile(this.#root + path).catch(() => undefined);
  }

  /** The interface of the default route. */
  #outward(): string | undefined {
    const now = this.#clock.monotonic();
    if (!this.#route || now >= this.#route.until) {
      const name = parseDefaultInterface(this.#readRoutes(`${this.#root}/proc/net/route`) ?? "");
      this.#route = { until: now + ROUTE_MS, name };
    }
    return this.#route.name;
  }

  async #list(path: string): Promise<string[]> {
    return await Array.fromAsync(Deno.readDir(this.#root + path), ({ name }) => name).catch(() => []);
  }
}

/** The runtime does not open /proc, but a program does. */
function catNow(path: string): string | undefined {
  try {
    const { success, stdout } = new Deno.Command("cat", { args: [path], stderr: "null" }).outputSync();
    return success ? new TextDecoder().decode(stdout.subarray(0, 64 * 1024)) : undefined;
  } catch {
    return undefined; // there is none, or we may not run it
  }
}

function systemInterfaces(): InterfaceAddress[] {
  return Deno.networkInterfaces().map(({ name, address, cidr }) => ({
    name,
    address,
    prefix: Number(cidr.split("/")[1] ?? 0),
  }));
}

function compact<T extends object>(source: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined)) as T;
}
