/**
 * WiFi of OpenWrt: its settings by `uci`, what is on the air by `ubus`, stations and the button by hostapd's sockets.
 *
 * @module
 */
import * as v from "valibot";
import type { Clock } from "../../../base/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import { parseLinks } from "../lan/mod.ts";
import type { OpenWrt, Runner, UciChange } from "../linux/mod.ts";
import { allStations, type Control } from "./hostapd_control.ts";
import { mbmOf, mostDbm, powerPercent } from "./power.ts";
import {
  checkChange,
  type Wifi,
  type WifiSecurity,
  type Wlan,
  type WlanChange,
  type WlanStation,
  type WlanTraffic,
  type WpsStatus,
} from "./wifi.ts";
import { WpsButton } from "./wps.ts";

/** Where OpenWrt has hostapd put its sockets. */
const SOCKETS = "/var/run/hostapd";

/** What {@linkcode UciWifi} works with. */
export interface UciWifiOptions {
  readonly clock: Clock;
  readonly runner: Runner;
  readonly openWrt: OpenWrt;
  readonly control: Control;
  /** The folder of hostapd's sockets. */
  readonly sockets?: string;
}

/** A section of a configuration of OpenWrt's. */
export interface UciSection {
  readonly name: string;
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
}

interface Place {
  readonly index: number;
  readonly section: UciSection;
  readonly radio: UciSection;
  /** Its interface, where it is on the air. */
  readonly interface: string | undefined;
}

const STATUS = v.record(
  v.string(),
  v.object({
    up: v.boolean(),
    interfaces: v.optional(v.array(v.object({ section: v.string(), ifname: v.optional(v.string()) })), []),
  }),
);

const ENCRYPTION: Readonly<Record<WifiSecurity, string>> = {
  open: "none",
  wep: "wep-open",
  wpa: "psk",
  wpa2: "psk2",
  mixed: "psk-mixed",
};

/** Reads `uci -X show`. */
export function parseUci(text: string): UciSection[] {
  const sections: { name: string; type: string; options: Map<string, string> }[] = [];
  for (const line of text.split("\n")) {
    const [, name, option, value] = /^\w+\.([\w@[\]-]+)(?:\.(\w+))?=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    // A quote inside quotes is written '\''.
    const plain = value.replace(/^'(.*)'$/, "$1").replaceAll("'\\''", "'");
    if (option === undefined) sections.push({ name, type: plain, options: new Map() });
    else sections.find((section) => section.name === name)?.options.set(option, plain);
  }
  return sections;
}

/** How `encryption` protects; undefined where it is none of what apps know. */
export function uciSecurity(encryption: string | undefined): WifiSecurity | undefined {
  const kind = (encryption ?? "none").split("+")[0]!;
  if (kind.startsWith("wep")) return "wep";
  return ({ none: "open", psk: "wpa", psk2: "wpa2", "psk-mixed": "mixed" } as const)[kind];
}

/** The {@linkcode Wifi} of OpenWrt. */
export class UciWifi implements Wifi, Disposable {
  readonly #options: UciWifiOptions;
  readonly #button: WpsButton;
  /** Whether the radios were taken off the air as a whole. */
  #heldOff = false;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: UciWifiOptions) {
    this.#options = options;
    this.#button = new WpsButton(options.clock, options.control);
  }

  async networks(): Promise<Wlan[]> {
    return await Promise.all((await this.#places()).map((place) => this.#network(place)));
  }

  configure(index: number, change: WlanChange): Promise<void> {
    return this.#change(async () => {
      const place = await this.#place(index), before = await this.#network(place);
      checkChange(before, change);
      const changes = await this.#changes(place, before, change);
      if (changes.length === 0) return;
      await this.#options.openWrt.change("wireless", changes);
      // The network manager brings up whatever has changed.
      if (this.#heldOff) await this.#switch(false);
    });
  }

  async traffic(index: number): Promise<WlanTraffic> {
    const name = (await this.#place(index)).interface;
    // What is not on the air has no interface here, and nothing goes through it.
    if (name === undefined) throw unsupported("a network that is not on the air has no counters");
    const json = await this.#options.runner.json("ip", ["-json", "-s", "-d", "link", "show", "dev", name]);
    const [link] = parseLinks(json);
    if (!link) throw new DriverError("failed", `${name} has no counters`);
    return { receivedBytes: link.receivedBytes, sentBytes: link.sentBytes };
  }

  async stations(): Promise<WlanStation[]> {
    const found = (await this.#places()).flatMap(({ index, interface: name }) =>
      name === undefined ? [] : [allStations(this.#options.control, this.#socket(name), index)]
    );
    return (await Promise.all(found)).flat();
  }

  setRadio(on: boolean): Promise<void> {
    return this.#change(async () => {
      await this.#switch(on);
      this.#heldOff = !on;
    });
  }

  async radioOn(): Promise<boolean> {
    return Object.values(await this.#status()).some(({ up }) => up);
  }

  startWps(index: number, seconds: number): Promise<void> {
    return this.#change(async () => {
      const name = (await this.#place(index)).interface;
      if (name === undefined) throw unsupported("nobody can join a network that is not on the air");
      await this.#button.start(this.#socket(name), seconds);
    });
  }

  stopWps(): Promise<void> {
    return this.#change(async () => await this.#button.stop(await this.#sockets()));
  }

  async wps(): Promise<WpsStatus> {
    return await this.#button.status(await this.#sockets());
  }

  [Symbol.dispose](): void {
    this.#button[Symbol.dispose]();
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #socket(name: string): string {
    return `${this.#options.sockets ?? SOCKETS}/${name}`;
  }

  async #sockets(): Promise<string[]> {
    return (await this.#places()).flatMap(({ interface: name }) =>
      name === undefined ? [] : [this.#socket(name)]
    );
  }

  async #status(): Promise<v.InferOutput<typeof STATUS>> {
    const answer = await this.#options.runner.json("ubus", ["call", "network.wireless", "status"]);
    const result = v.safeParse(STATUS, answer);
    if (!result.success) throw new DriverError("failed", "ubus does not tell which radios there are");
    return result.output;
  }

  async #places(): Promise<Place[]> {
    const [sections, status] = await Promise.all([
      this.#options.runner.output("uci", ["-X", "show", "wireless"]).then(parseUci),
      this.#status(),
    ]);
    const next = { two: 1, five: 5 };
    const places = sections.flatMap((section): Place[] => {
      const radio = sections.find(({ name }) => name === section.options.get("device"));
      if (section.type !== "wifi-iface" || !radio || (section.options.get("mode") ?? "ap") !== "ap") {
        return [];
      }
      const on = status[radio.name]?.interfaces.find((one) => one.section === section.name)?.ifname;
      const five = radio.options.get("band") === "5g" ||
        /^11(?:a|ac|na)$/.test(radio.options.get("hwmode") ?? "");
      return [{ index: five ? next.five++ : next.two++, section, radio, interface: on }];
    });
    if (places.length === 0) throw unsupported("there is no WiFi: OpenWrt has no access point configured");
    return places.sort((a, b) => a.index - b.index);
  }

  async #switch(on: boolean): Promise<void> {
    for (const radio of new Set((await this.#places()).map((place) => place.radio.name))) {
      // Not written down: flash is worn by writing, and the timetable comes with us.
      const device = JSON.stringify({ device: radio });
      await this.#options.runner.output("ubus", ["call", "network.wireless", on ? "up" : "down", device]);
    }
  }

  async #place(index: number): Promise<Place> {
    const place = (await this.#places()).find((one) => one.index === index);
    if (!place) throw new DriverError("invalid", `there is no WiFi network with the index ${index}`);
    return place;
  }

  async #network({ index, section, radio, interface: name }: Place): Promise<Wlan> {
    const security = uciSecurity(section.options.get("encryption"));
    const power = name === undefined ? undefined : await powerPercent(this.#options.runner, name);
    const enabled = section.options.get("disabled") !== "1";
    return {
      index,
      interface: name ?? section.name,
      ssid: section.options.get("ssid") ?? "",
      enabled: enabled && radio.options.get("disabled") !== "1",
      onAir: enabled && name !== undefined,
      ...(security !== undefined && { security }),
      password: security === "open" ? "" : keyOf(section),
      channel: Number(radio.options.get("channel")) || 0,
      ...(power !== undefined && { powerPercent: power }),
    };
  }

  async #changes(place: Place, before: Wlan, change: WlanChange): Promise<UciChange[]> {
    const iface = `wireless.${place.section.name}`, radio = `wireless.${place.radio.name}`;
    const { ssid, security, password, channel, powerPercent: power, enabled } = change;
    const changes: UciChange[] = [];
    if (ssid !== undefined) changes.push({ set: `${iface}.ssid`, to: ssid });
    if (security !== undefined || password !== undefined) {
      const kind = security ?? before.security;
      if (kind === undefined) {
        throw unsupported(`${before.ssid} is protected in a way that can't be changed from here`);
      }
      changes.push({ set: `${iface}.encryption`, to: ENCRYPTION[kind] });
      const secret = password ?? before.password;
      if (kind === "wep") {
        changes.push({ set: `${iface}.key`, to: "1" }, { set: `${iface}.key1`, to: `s:${secret}` });
      } else if (kind !== "open") changes.push({ set: `${iface}.key`, to: secret });
    }
    if (channel !== undefined) {
      changes.push({ set: `${radio}.channel`, to: channel === 0 ? "auto" : String(channel) });
    }
    if (power !== undefined) {
      if (place.interface === undefined) {
        throw unsupported("only a network on the air tells what power it may send with");
      }
      const dbm = mbmOf(power, await mostDbm(this.#options.runner, place.interface)) / 100;
      changes.push({ set: `${radio}.txpower`, to: String(Math.max(0, Math.round(dbm))) });
    }
    if (enabled !== undefined) {
      changes.push({ set: `${iface}.disabled`, to: enabled ? "0" : "1" });
      if (enabled && place.radio.options.get("disabled") === "1") {
        changes.push({ set: `${radio}.disabled`, to: "0" });
      }
    }
    return changes;
  }
}

function keyOf({ options }: UciSection): string {
  const key = options.get("key") ?? "";
  // Of WEP it is the number of the key.
  return /^[1-4]$/.test(key) ? (options.get(`key${key}`) ?? "").replace(/^s:/, "") : key;
}
