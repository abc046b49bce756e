/**
 * A machine that does not exist, for demonstrations and tests where the real one must not be asked. Says so: its
 * name stands in GET_VERSION and QUERY_SYSTEM_INFO. Repeatable from its random source.
 *
 * @module
 */
import type { Clock, Random } from "../../base/mod.ts";
import type {
  Driver,
  Hop,
  InterfaceAddress,
  MachineInfo,
  MemoryUse,
  PingOptions,
  PingReport,
  TracerouteOptions,
} from "./driver.ts";

const TOTAL_KB = 262_144;

/** The {@linkcode Driver} that simulates. */
export class SimulatedDriver implements Driver {
  readonly name = "simulated";
  readonly #random: Random;
  readonly #clock: Pick<Clock, "monotonic">;
  #cpu = 12;
  #usedKb = 90_000;

  constructor({ clock, random }: { clock: Pick<Clock, "monotonic">; random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  cpuPercent(): Promise<number> {
    this.#cpu = this.#walk(this.#cpu, 8, 1, 95);
    return Promise.resolve(Math.round(this.#cpu * 10) / 10);
  }

  memory(): Promise<MemoryUse> {
    this.#usedKb = Math.round(this.#walk(this.#usedKb, 4_000, 60_000, 240_000));
    return Promise.resolve({
      totalKb: TOTAL_KB,
      availableKb: TOTAL_KB - this.#usedKb,
      percent: Math.round(1000 * this.#usedKb / TOTAL_KB) / 10,
    });
  }

  info(): Promise<MachineInfo> {
    return Promise.resolve({
      osVersion: "simulated",
      cpuClass: "simulated",
      hostName: "simulated-gateway",
      ramKb: TOTAL_KB,
      flashKb: 131_072,
      uptimeSeconds: Math.floor(this.#clock.monotonic() / 1000),
      ipv6: true,
      wifi: true,
    });
  }

  osVersion(): string {
    return "simulated";
  }

  interfaces(): readonly InterfaceAddress[] {
    return [{ name: "lan0", address: "192.168.1.1", prefix: 24 }, {
      name: "wan0",
      address: "100.64.0.2",
      prefix: 10,
    }];
  }

  wanAddress(): string {
    return "100.64.0.2";
  }

  lanAddress(): string {
    return "192.168.1.1";
  }

  ping(_destination: string, { count }: PingOptions): Promise<PingReport> {
    const times = Array.from({ length: count }, () => 1 + Math.round(this.#random.float() * 200) / 10);
    return Promise.resolve({
      sent: count,
      received: count,
      minMs: Math.min(...times),
      avgMs: Math.round(times.reduce((sum, time) => sum + time, 0) / count * 100) / 100,
      maxMs: Math.max(...times),
    });
  }

  traceroute(_destination: string, { maxHops }: TracerouteOptions): Promise<Hop[]> {
    const hops = ["100.64.0.1", "192.0.2.1", "192.0.2.9"].slice(0, maxHops);
    return Promise.resolve(hops.map((address, i) => ({ hop: i + 1, address, ms: 2 * (i + 1) })));
  }

  /** An address that documentation is written with: nothing can be reached there. */
  lookup(_name: string, type: "A" | "AAAA"): Promise<string[]> {
    return Promise.resolve([type === "A" ? "192.0.2.9" : "2001:db8::9"]);
  }

  load(): readonly [number, number, number] {
    const load = Math.round(this.#cpu) / 100;
    return [load, load, load];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #walk(value: number, step: number, min: number, max: number): number {
    return Math.min(max, Math.max(min, value + (this.#random.float() * 2 - 1) * step));
  }
}
