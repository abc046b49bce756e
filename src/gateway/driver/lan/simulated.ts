/**
 * A home that does not exist: devices that come and go, and what they send and get. All of it follows from a seed and
 * from what was set, so that the same questions at the same times have the same answers.
 *
 * @module
 */
import { type Clock, type Random, seededRandom } from "../../../base/mod.ts";
import {
  checkedAccess,
  checkedBandwidth,
  type DeviceAccess,
  type DeviceBandwidth,
  type Lan,
  type LanDevice,
  type LanPort,
} from "./lan.ts";

/** So long a device stays or stays away before it thinks again, in milliseconds. */
export const SPELL_MS = 600_000;
/** Traffic is counted in steps of this, where not too many were missed. */
const STEP_MS = 60_000;
const MOST_STEPS = 10_000;

/** Somebody who lives here, or visits. */
interface Resident {
  readonly mac: string;
  readonly address: string;
  readonly hostName: string;
  /** A port, or the index of a WiFi network. */
  readonly at: { readonly port: string } | { readonly network: number };
  /** How often it is there, 0 to 1. */
  readonly presence: number;
  readonly downKbps: number;
  readonly upKbps: number;
}

const RESIDENTS: readonly Resident[] = [
  resident(1, "television", { port: "LAN1" }, 1, 8_000, 100),
  resident(2, "storage", { port: "LAN2" }, 1, 200, 400),
  resident(3, "phone", { network: 5 }, 0.7, 2_000, 200),
  resident(4, "tablet", { network: 5 }, 0.4, 3_000, 100),
  resident(5, "laptop", { network: 1 }, 0.5, 4_000, 800),
  resident(6, "printer", { network: 1 }, 1, 5, 5),
];
/** Who comes when somebody presses the button. */
export const VISITOR: Resident = resident(7, "visitor", { network: 1 }, 1, 500, 50);

function resident(
  number: number,
  hostName: string,
  at: Resident["at"],
  presence: number,
  downKbps: number,
  upKbps: number,
): Resident {
  const mac = `02:00:5E:00:53:${number.toString(16).padStart(2, "0").toUpperCase()}`;
  return { mac, address: `192.168.1.${100 + number}`, hostName, at, presence, downKbps, upKbps };
}

/** Bytes from the gateway's side. */
export interface Counters {
  receivedBytes: number;
  sentBytes: number;
}

/** Somebody who is here now. */
export interface Present extends Resident {
  readonly connectedSeconds: number;
  readonly traffic: Readonly<Counters>;
}

/** The home itself: what {@linkcode SimulatedLan} and the simulated WiFi are views of. */
export class SimulatedHome {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #seed: number;
  readonly #counters = new Map<string, Counters>();
  readonly #since = new Map<string, number>();
  /** Until when somebody who was thrown off stays away. */
  readonly #away = new Map<string, number>();
  #residents = RESIDENTS;
  #access = new Map<string, DeviceAccess>();
  #bandwidth = new Map<string, DeviceBandwidth>();
  #at: number;
  /** Whether a WiFi network is on the air; set by the WiFi part. */
  onAir: (network: number) => boolean = () => true;

  constructor({ clock, random }: { clock: Pick<Clock, "monotonic">; random: Random }) {
    this.#clock = clock;
    this.#seed = Math.floor(random.float() * 2 ** 32);
    this.#at = clock.monotonic();
    this.#settle(this.#at);
  }

  /** Who is here. */
  present(): Present[] {
    this.live();
    return this.#residents.filter(({ mac }) => this.#since.has(mac)).map((one) => ({
      ...one,
      connectedSeconds: Math.floor((this.#at - this.#since.get(one.mac)!) / 1000),
      traffic: this.#counted(one.mac),
    }));
  }

  /** What went through a port (`LAN1`) or a WiFi network (`5`). */
  counted(place: string | number): Counters {
    this.live();
    return { ...this.#counted(String(place)) };
  }

  /** Brings everything up to now. To be called before anything is changed. */
  live(): void {
    const now = this.#clock.monotonic();
    const step = Math.max(STEP_MS, (now - this.#at) / MOST_STEPS);
    while (this.#at < now) {
      const until = Math.min(now, this.#at + step, SPELL_MS * (Math.floor(this.#at / SPELL_MS) + 1));
      this.#count(this.#at, until);
      this.#at = until;
      this.#settle(until);
    }
    // What was set since may have thrown somebody off.
    this.#settle(now);
  }

  /** Throws off whoever is on a WiFi network: they come back when they think again. */
  throwOff(network: number): void {
    const until = SPELL_MS * (Math.floor(this.#at / SPELL_MS) + 1);
    for (const { at, mac } of this.#residents) {
      if ("network" in at && at.network === network) this.#away.set(mac, until);
    }
    this.live();
  }

  /** Lets {@linkcode VISITOR} in on a WiFi network. */
  welcome(network: number): void {
    this.live();
    const visitor = { ...VISITOR, at: { network } };
    this.#residents = [...this.#residents.filter(({ mac }) => mac !== VISITOR.mac), visitor];
    this.live();
  }

  setAccess(devices: readonly DeviceAccess[]): void {
    this.live();
    this.#access = new Map(devices.map((device) => [device.mac, device]));
  }

  setBandwidth(devices: readonly DeviceBandwidth[]): void {
    this.live();
    this.#bandwidth = new Map(devices.map((device) => [device.mac, device]));
  }

  /** Who is here from this moment on. */
  #settle(now: number): void {
    const spell = Math.floor(now / SPELL_MS);
    this.#residents.forEach(({ mac, at, presence }, i) => {
      const here = this.#chance(i, spell) < presence && now >= (this.#away.get(mac) ?? 0) &&
        ("port" in at || this.onAir(at.network));
      if (!here) this.#since.delete(mac);
      else if (!this.#since.has(mac)) this.#since.set(mac, now);
    });
  }

  #count(from: number, to: number): void {
    this.#residents.forEach(({ mac, at, downKbps, upKbps }, i) => {
      if (!this.#since.has(mac) || this.#access.get(mac)?.internet === false) return;
      const eagerness = this.#chance(1000 + i, Math.floor(from / STEP_MS)), limit = this.#bandwidth.get(mac);
      const bytes = (kbps: number, most = 0) =>
        Math.round(Math.min(kbps * eagerness, most > 0 ? most : Infinity) * (to - from) / 8);
      const up = bytes(upKbps, limit?.upKbps), down = bytes(downKbps, limit?.downKbps);
      for (const place of [mac, "port" in at ? at.port : String(at.network)]) {
        const counters = this.#counted(place);
        counters.receivedBytes += up;
        counters.sentBytes += down;
      }
    });
  }

  #counted(place: string): Counters {
    const counters = this.#counters.get(place) ?? { receivedBytes: 0, sentBytes: 0 };
    this.#counters.set(place, counters);
    return counters;
  }

  #chance(who: number, when: number): number {
    return seededRandom(this.#seed ^ Math.imul(who + 1, 0x9e3779b1) ^ Math.imul(when + 1, 0x85ebca6b))
      .float();
  }
}

/** The {@linkcode Lan} of a simulated home. */
export class SimulatedLan implements Lan {
  constructor(private readonly home: SimulatedHome) {}

  ports(): Promise<LanPort[]> {
    const plugged = new Set(this.home.present().map(({ at }) => "port" in at ? at.port : ""));
    return Promise.resolve([1, 2, 3, 4].map((number) => {
      const name = `LAN${number}`;
      return { name, interface: `lan${number}`, up: plugged.has(name), ...this.home.counted(name) };
    }));
  }

  devices(): Promise<LanDevice[]> {
    return Promise.resolve(
      this.home.present().map(({ mac, address, hostName, at, connectedSeconds }) => ({
        mac,
        address,
        hostName,
        ..."port" in at
          ? { connection: "cable" as const, port: at.port }
          : { connection: "wifi" as const, port: `SSID${at.network}` },
        connectedSeconds,
      })),
    );
  }

  // Asynchronous, so that what is wrong with a list rejects.
  // deno-lint-ignore require-await
  async setAccess(devices: readonly DeviceAccess[]): Promise<void> {
    this.home.setAccess(checkedAccess(devices));
  }

  // deno-lint-ignore require-await
  async setBandwidth(devices: readonly DeviceBandwidth[]): Promise<void> {
    this.home.setBandwidth(checkedBandwidth(devices));
  }

  intact(): Promise<boolean> {
    return Promise.resolve(true);
  }
}
