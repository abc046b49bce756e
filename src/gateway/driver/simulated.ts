/**
 * A machine that does not exist, for demonstrations and tests where the real one must not be asked. Says so: its
 * name stands in GET_VERSION and QUERY_SYSTEM_INFO. Repeatable from its random source.
 *
 * @module
 */
import type { Clock, Random } from "../../base/mod.ts";
import type { Diagnosis } from "./diagnosis/diagnosis.ts";
import { SimulatedDiagnosis } from "./diagnosis/simulated.ts";
import type { NameServers } from "./dns/dns.ts";
import type { Driver } from "./driver.ts";
import { absent } from "./errors.ts";
import type { InterfaceAddress, MachineInfo, MemoryUse } from "./machine.ts";
import type { Pon } from "./pon/pon.ts";
import type { Power } from "./power/power.ts";
import type { HouseServices } from "./service/service.ts";
import type { Voip } from "./voip/voip.ts";
import type { Wan } from "./wan/wan.ts";

const TOTAL_KB = 262_144;

/** The {@linkcode Driver} that simulates. */
export class SimulatedDriver implements Driver {
  readonly name = "simulated";
  readonly diagnosis: Diagnosis;
  readonly wan: Wan = absent("wan");
  readonly pon: Pon = absent("pon");
  readonly voip: Voip = absent("voip");
  readonly dns: NameServers = absent("dns");
  readonly service: HouseServices = absent("service");
  readonly power: Power = absent("power");
  readonly #random: Random;
  readonly #clock: Pick<Clock, "monotonic">;
  #cpu = 12;
  #usedKb = 90_000;

  constructor({ clock, random }: { clock: Pick<Clock, "monotonic">; random: Random }) {
    this.#clock = clock;
    this.#random = random;
    this.diagnosis = new SimulatedDiagnosis(random);
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
