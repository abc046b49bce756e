/**
 * The machine's wireless networks as `WLANConfiguration` of the parameter tree: read where the machine tells, brought
 * into force before anything is kept.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
import { DriverError, type Wifi, type WifiSecurity, type Wlan, type WlanChange } from "../driver/mod.ts";
import type { ParameterChange, ParameterTree, ParameterValue, Writer } from "../parameters/mod.ts";

const TABLE = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.";
const TEMPLATE = "InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.";
/** How long one look at the machine is good for: whoever reads a network reads all of its parameters. */
const LOOK_MS = 1_000;

const BEACONS: Readonly<Record<WifiSecurity, string>> = {
  open: "None",
  wep: "Basic",
  wpa: "WPA",
  wpa2: "11i",
  mixed: "WPAand11i",
};

/** What {@linkcode WifiSettings} works with. */
export interface WifiSettingsOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly wifi: Wifi;
  readonly tree: ParameterTree;
}

/** Ties them together from the moment it is made. */
export class WifiSettings implements AsyncDisposable {
  readonly #options: WifiSettingsOptions;
  readonly #binding: Disposable;
  #indices: readonly number[] = [];
  #look: { readonly at: number; readonly networks: Promise<readonly Wlan[]> } | undefined;
  #first: Promise<unknown>;

  constructor(options: WifiSettingsOptions) {
    this.#options = options;
    this.#binding = options.tree.bind(TEMPLATE, {
      instances: ([lan]) => lan === 1 ? this.#indices : [],
      read: ({ template, indices }) => this.#read(template.slice(TEMPLATE.length), indices[1] ?? 0),
      apply: (changes) => this.#apply(changes),
    });
    // Which networks there are has to be known before anybody asks for their names.
    this.#first = this.networks().catch(() => {});
  }

  /** The networks now. Throws DriverError. */
  async networks(): Promise<readonly Wlan[]> {
    const networks = await this.#options.wifi.networks();
    this.#indices = networks.map(({ index }) => index);
    return networks;
  }

  /**
   * Changes a network as `writer`. Resolves when it is in force and on the disk. Throws DriverError where there is no
   * such network, ParameterError where the machine does not take it.
   */
  async configure(index: number, change: WlanChange, writer: Writer): Promise<void> {
    if (!(await this.networks()).some((network) => network.index === index)) {
      throw new DriverError("invalid", `there is no WiFi network with the index ${index}`);
    }
    const { ssid, security, password, channel, powerPercent, enabled } = change;
    const values: Record<string, ParameterValue | undefined> = {
      SSID: ssid,
      BeaconType: security && BEACONS[security],
      KeyPassphrase: password,
      Channel: channel,
      TransmitPower: powerPercent,
      Enable: enabled,
    };
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    await this.#options.tree.set(
      Object.fromEntries(given.map(([part, value]) => [`${TABLE}${index}.${part}`, value])),
      writer,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#first;
    this.#binding[Symbol.dispose]();
  }

  async #read(part: string, index: number): Promise<ParameterValue | undefined> {
    const now = this.#options.clock.monotonic();
    if (!this.#look || now >= this.#look.at + LOOK_MS) this.#look = { at: now, networks: this.networks() };
    const network = (await this.#look.networks.catch(() => [])).find((one) => one.index === index);
    if (!network) return undefined;
    switch (part) {
      case "Enable":
        return network.enabled;
      case "Status":
        return network.onAir ? "Up" : "Disabled";
      case "SSID":
        return network.ssid;
      case "BeaconType":
        return network.security && BEACONS[network.security];
      case "KeyPassphrase":
        return network.password;
      case "Channel":
        return network.channel;
      case "AutoChannelEnable":
        return network.channel === 0;
      case "TransmitPower":
        return network.powerPercent;
      case "TotalBytesSent":
      case "TotalBytesReceived": {
        const traffic = await this.#options.wifi.traffic(index).catch(() => undefined);
        const bytes = part === "TotalBytesSent" ? traffic?.sentBytes : traffic?.receivedBytes;
        // The type of the model ends there, and begins anew.
        return bytes === undefined ? undefined : bytes % 2 ** 32;
      }
      case "TotalAssociations": {
        const stations = await this.#options.wifi.stations().catch(() => undefined);
        return stations?.filter((one) => one.index === index).length;
      }
      default:
        return undefined;
    }
  }

  async #apply(changes: readonly ParameterChange[]): Promise<void> {
    this.#look = undefined;
    const networks = await this.networks();
    for (const index of new Set(changes.map(({ indices }) => indices[1] ?? 0))) {
      const now = networks.find((network) => network.index === index);
      if (!now) throw new DriverError("invalid", `there is no WiFi network with the index ${index}`);
      const change: { -readonly [Part in keyof WlanChange]: WlanChange[Part] } = {};
      for (const { name, indices, value } of changes) {
        if (indices[1] === index) take(change, name.slice(name.lastIndexOf(".") + 1), value, now);
      }
      // What is so already is not done again: it would throw everybody off the air.
      const differing = Object.entries(change).filter(([part, value]) => now[part as keyof Wlan] !== value);
      if (differing.length > 0) await this.#options.wifi.configure(index, Object.fromEntries(differing));
    }
    this.#look = undefined;
  }
}

function take(
  change: { -readonly [Part in keyof WlanChange]: WlanChange[Part] },
  part: string,
  value: ParameterValue | undefined,
  now: Wlan,
): void {
  // Unknown again: there is nothing to go back to.
  if (value === undefined) return;
  switch (part) {
    case "Enable":
      change.enabled = value === true;
      return;
    case "SSID":
      change.ssid = String(value);
      return;
    case "BeaconType": {
      const found = Object.entries(BEACONS).find(([, beacon]) => beacon === value)?.[0];
      if (found) change.security = found as WifiSecurity;
      return;
    }
    case "KeyPassphrase":
      change.password = String(value);
      return;
    case "Channel":
      change.channel = Number(value);
      return;
    case "AutoChannelEnable":
      if (value === true) change.channel = 0;
      else if (now.channel === 0 && change.channel === undefined) {
        throw new DriverError("invalid", "a channel has to be given where none is chosen automatically");
      }
      return;
    case "TransmitPower":
      change.powerPercent = Number(value);
      return;
    default:
      throw new DriverError("unsupported", `${part} can't be changed on this machine`);
  }
}
