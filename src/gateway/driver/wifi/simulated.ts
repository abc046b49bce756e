/**
 * The WiFi of a simulated home.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { type SimulatedHome, VISITOR } from "../lan/mod.ts";
import {
  checkChange,
  type Wifi,
  type Wlan,
  type WlanChange,
  type WlanStation,
  type WlanTraffic,
  type WpsStatus,
} from "./wifi.ts";

type Network = Required<Omit<Wlan, "onAir">>;

/** After so long somebody has joined, where the button was pressed for longer, in milliseconds. */
const JOINED_MS = 10_000;

function network(index: number, ssid: string, channel: number, enabled = true): Network {
  return {
    index,
    interface: `wlan${index}`,
    ssid,
    enabled,
    security: "wpa2",
    password: "simulated-home",
    channel,
    powerPercent: 100,
  };
}

/** The {@linkcode Wifi} of a simulated home. */
export class SimulatedWifi implements Wifi {
  readonly #home: SimulatedHome;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #networks = new Map(
    [network(1, "Simulated", 6), network(2, "Simulated-Guest", 6, false), network(5, "Simulated-5G", 36)]
      .map((one) => [one.index, one]),
  );
  #radio = true;
  #wps:
    | { readonly index: number; readonly began: number; readonly ends: number; joined: boolean }
    | undefined;

  constructor(home: SimulatedHome, clock: Pick<Clock, "monotonic">) {
    this.#home = home;
    this.#clock = clock;
    home.onAir = (index) => this.#onAir(index);
  }

  networks(): Promise<Wlan[]> {
    return Promise.resolve([...this.#networks.values()].map((one) => this.#shown(one)));
  }

  // Asynchronous, so that what is wrong rejects.
  // deno-lint-ignore require-await
  async configure(index: number, change: WlanChange): Promise<void> {
    const before = this.#network(index);
    checkChange(this.#shown(before), change);
    this.#home.live();
    const after = { ...before, ...change };
    if (after.security === "open") after.password = "";
    this.#networks.set(index, after);
    // A radio has one channel and one power.
    for (const other of this.#networks.values()) {
      if (other.index >= 5 === index >= 5) {
        const { channel, powerPercent } = after;
        this.#networks.set(other.index, { ...other, channel, powerPercent });
      }
    }
    // Who knows only the earlier name or password is out.
    if (
      before.ssid !== after.ssid || before.password !== after.password || before.security !== after.security
    ) {
      this.#home.throwOff(index);
    } else this.#home.live();
  }

  // deno-lint-ignore require-await
  async traffic(index: number): Promise<WlanTraffic> {
    this.#network(index);
    return this.#home.counted(index);
  }

  stations(): Promise<WlanStation[]> {
    this.#join();
    return Promise.resolve(
      this.#home.present().flatMap(({ mac, at, connectedSeconds, traffic }) =>
        "port" in at ? [] : [{
          mac,
          index: at.network,
          signalDbm: -40 - 3 * Number.parseInt(mac.slice(-1), 16),
          connectedSeconds,
          receivedBytes: traffic.receivedBytes,
          sentBytes: traffic.sentBytes,
        }]
      ),
    );
  }

  setRadio(on: boolean): Promise<void> {
    this.#home.live();
    this.#radio = on;
    this.#home.live();
    return Promise.resolve();
  }

  radioOn(): Promise<boolean> {
    return Promise.resolve(this.#radio);
  }

  // deno-lint-ignore require-await
  async startWps(index: number, seconds: number): Promise<void> {
    this.#network(index);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 120) {
      throw new DriverError("invalid", "the time for joining is not 1 to 120 seconds");
    }
    const began = this.#clock.monotonic();
    this.#wps = { index, began, ends: began + 1000 * seconds, joined: false };
  }

  stopWps(): Promise<void> {
    this.#join();
    if (!this.#wps?.joined) this.#wps = undefined;
    return Promise.resolve();
  }

  wps(): Promise<WpsStatus> {
    this.#join();
    const wps = this.#wps;
    if (!wps) return Promise.resolve({ state: "idle" });
    if (wps.joined) return Promise.resolve({ state: "success", peer: VISITOR.mac });
    return Promise.resolve({ state: this.#clock.monotonic() < wps.ends ? "active" : "timeout" });
  }

  /** Where the button was pressed long enough, on a network that is on the air, somebody came. */
  #join(): void {
    const wps = this.#wps, joins = wps && wps.began + JOINED_MS;
    if (!wps || wps.joined || !this.#onAir(wps.index)) return;
    if (joins! >= wps.ends || this.#clock.monotonic() < joins!) return;
    wps.joined = true;
    this.#home.welcome(wps.index);
  }

  #onAir(index: number): boolean {
    return this.#radio && (this.#networks.get(index)?.enabled ?? false);
  }

  #network(index: number): Network {
    const found = this.#networks.get(index);
    if (!found) throw new DriverError("invalid", `there is no WiFi network with the index ${index}`);
    return found;
  }

  #shown(one: Network): Wlan {
    return { ...one, onAir: this.#onAir(one.index) };
  }
}
