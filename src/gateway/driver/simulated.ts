/**
 * A machine that does not exist, for demonstrations and tests where the real one must not be asked. Says so: its
 * name stands in GET_VERSION and QUERY_SYSTEM_INFO. Repeatable from its random source.
 *
 * @module
 */
import type { Clock, Random } from "../../base/mod.ts";
import { SimulatedDiagnosis } from "./diagnosis/mod.ts";
import { SimulatedNameServers } from "./dns/mod.ts";
import type { Driver } from "./driver.ts";
import { SimulatedHome, SimulatedLan } from "./lan/mod.ts";
import type { InterfaceAddress, MachineInfo, MemoryUse } from "./machine.ts";
import { SimulatedPon } from "./pon/mod.ts";
import { SimulatedPower } from "./power/mod.ts";
import { SimulatedServices } from "./service/mod.ts";
import { SimulatedVoip } from "./voip/mod.ts";
import { SIMULATED_WAN, SimulatedWan } from "./wan/mod.ts";
import { SimulatedWifi } from "./wifi/mod.ts";

const TOTAL_KB = 262_144;

/** The {@linkcode Driver} that simulates. */
export class SimulatedDriver implements Driver {
  readonly name = "simulated";
  readonly diagnosis: SimulatedDiagnosis;
  readonly wan: SimulatedWan;
  readonly pon: SimulatedPon;
  readonly voip = new SimulatedVoip();
  readonly dns = new SimulatedNameServers();
  readonly service = new SimulatedServices();
  readonly power: SimulatedPower;
  readonly lan: SimulatedLan;
  readonly wifi: SimulatedWifi;
  readonly #random: Random;
  readonly #clock: Pick<Clock, "monotonic">;
  #startedAt: number;
  #clockSet: number | undefined;
  #cpu = 12;
  #usedKb = 90_000;

  constructor({ clock, random }: { clock: Clock; random: Random }) {
    this.#clock = clock;
    this.#random = random;
    this.#startedAt = clock.monotonic();
    this.diagnosis = new SimulatedDiagnosis(random, this.dns);
    this.wan = new SimulatedWan(clock, random, () => this.dns.current());
    this.pon = new SimulatedPon(clock, random);
    const home = new SimulatedHome({ clock, random });
    this.lan = new SimulatedLan(home);
    this.wifi = new SimulatedWifi(home, clock);
    this.power = new SimulatedPower({
      restarted: () => {
        this.#startedAt = clock.monotonic();
        for (const part of [this.wan, this.pon, this.service]) part.restart();
      },
      recovered: () => this.dns.recover(),
      clockSet: (now) => this.#clockSet = now,
    });
  }

  /** What the machine's clock was set to last, in milliseconds since 1970; undefined: it was not. */
  get clockSet(): number | undefined {
    return this.#clockSet;
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
      uptimeSeconds: Math.floor((this.#clock.monotonic() - this.#startedAt) / 1000),
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
      address: SIMULATED_WAN,
      prefix: 10,
    }];
  }

  wanAddress(): string {
    return SIMULATED_WAN;
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
