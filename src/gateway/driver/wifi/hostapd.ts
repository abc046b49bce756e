/**
 * WiFi where hostapd runs it: its files say what a network is, its control sockets change it while it runs, and `iw`
 * tells and sets the power.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, messageOf } from "../../../base/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import { parseLinks } from "../lan/mod.ts";
import type { Runner } from "../linux/mod.ts";
import {
  changedConf,
  type Conf,
  type ConfNetwork,
  parseConf,
  passwordOf,
  securityOf,
  securitySettings,
} from "./hostapd_conf.ts";
import { allStations, type Control, hostapdControl, parseFields } from "./hostapd_control.ts";
import { mbmOf, mostDbm, powerPercent } from "./power.ts";
import {
  checkChange,
  type Wifi,
  type Wlan,
  type WlanChange,
  type WlanStation,
  type WlanTraffic,
  type WpsStatus,
} from "./wifi.ts";
import { replaceFile } from "./replace_file.ts";
import { WpsButton } from "./wps.ts";

/** Where hostapd's files are looked for. */
const CONF_PLACES = ["/etc/hostapd", "/etc/hostapd.conf"];

/** What {@linkcode HostapdWifi} works with. */
export interface HostapdOptions {
  readonly clock: Clock;
  readonly runner: Runner;
  /** Its files, or folders of them. */
  readonly files?: readonly string[] | undefined;
  readonly control?: Control;
}

/** A network with where it is described. */
interface Place {
  readonly index: number;
  readonly path: string;
  readonly conf: Conf;
  /** Which of the file's networks. */
  readonly position: number;
  readonly network: ConfNetwork;
  /** Its control socket, and that of its radio. */
  readonly socket: string;
  readonly radio: string;
}

/** The {@linkcode Wifi} of hostapd. */
export class HostapdWifi implements Wifi, Disposable {
  readonly #runner: Runner;
  readonly #files: readonly string[];
  readonly #control: Control;
  readonly #button: WpsButton;
  /** Whether the radio was taken off the air as a whole. */
  #heldOff = false;
  /** Changes come one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor({ clock, runner, files = CONF_PLACES, control = hostapdControl(clock) }: HostapdOptions) {
    this.#runner = runner;
    this.#files = files;
    this.#control = control;
    this.#button = new WpsButton(clock, control);
  }

  async networks(): Promise<Wlan[]> {
    return await Promise.all((await this.#places()).map((place) => this.#network(place)));
  }

  configure(index: number, change: WlanChange): Promise<void> {
    return this.#change(async () => {
      const place = await this.#place(index), before = await this.#network(place);
      checkChange(before, change);
      const { powerPercent, enabled } = change;
      const settings = this.#settings(place, before, change);
      const dbm = powerPercent === undefined ? undefined : await this.#mostDbm(place);
      const undo = await this.#bringIn(place, before, settings);
      try {
        if (dbm !== undefined) {
          const mbm = String(mbmOf(powerPercent!, dbm));
          await this.#runner.output("iw", ["dev", place.network.interface, "set", "txpower", "fixed", mbm]);
        }
        if (settings.size > 0) {
          await replaceFile(place.path, changedConf(place.conf, place.position, settings));
        }
      } catch (error) {
        await undo();
        throw error instanceof DriverError
          ? error
          : new DriverError("failed", messageOf(error), { cause: error });
      }
      // While the radio is off, a network that is enabled is not on the air either.
      if (enabled !== undefined && enabled !== before.enabled && !this.#heldOff) {
        await this.#switch(place, enabled);
      }
    });
  }

  async traffic(index: number): Promise<WlanTraffic> {
    const { network } = await this.#place(index);
    const json = await this.#runner.json("ip", [
      "-json",
      "-s",
      "-d",
      "link",
      "show",
      "dev",
      network.interface,
    ]);
    const [link] = parseLinks(json);
    if (!link) throw new DriverError("failed", `${network.interface} has no counters`);
    return { receivedBytes: link.receivedBytes, sentBytes: link.sentBytes };
  }

  async stations(): Promise<WlanStation[]> {
    const all = (await this.#places()).map(({ socket, index }) => allStations(this.#control, socket, index));
    return (await Promise.all(all)).flat();
  }

  setRadio(on: boolean): Promise<void> {
    return this.#change(async () => {
      const places = await this.#places();
      this.#heldOff = !on;
      for (const place of places) {
        if (!on || enabledOf(place)) await this.#switch(place, on);
      }
    });
  }

  async radioOn(): Promise<boolean> {
    const networks = (await this.networks()).filter(({ enabled }) => enabled);
    return networks.length === 0 ? !this.#heldOff : networks.some(({ onAir }) => onAir);
  }

  startWps(index: number, seconds: number): Promise<void> {
    return this.#change(async () => await this.#button.start((await this.#place(index)).socket, seconds));
  }

  stopWps(): Promise<void> {
    return this.#change(async () =>
      await this.#button.stop((await this.#places()).map(({ socket }) => socket))
    );
  }

  async wps(): Promise<WpsStatus> {
    return await this.#button.status((await this.#places()).map(({ socket }) => socket));
  }

  [Symbol.dispose](): void {
    this.#button[Symbol.dispose]();
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  async #ask(socket: string, command: string): Promise<string> {
    return (await this.#control(socket, command)).trim();
  }

  /** Every network, in the order of bands, files and lines. */
  async #places(): Promise<Place[]> {
    const found: Place[] = [];
    const next = { two: 1, five: 5 };
    for (const path of await this.#paths()) {
      const conf = parseConf(await Deno.readTextFile(path).catch(() => ""));
      if (!conf) continue;
      if (conf.controlDir === undefined) throw unsupported(`${path} gives hostapd no ctrl_interface`);
      conf.networks.forEach((network, position) => {
        found.push({
          index: conf.fiveGhz ? next.five++ : next.two++,
          path,
          conf,
          position,
          network,
          socket: `${conf.controlDir}/${network.interface}`,
          radio: `${conf.controlDir}/${conf.networks[0]!.interface}`,
        });
      });
    }
    if (found.length === 0) throw unsupported("there is no WiFi: no configuration of hostapd was found");
    return found.sort((a, b) => a.index - b.index);
  }

  async #paths(): Promise<string[]> {
    const paths: string[] = [];
    for (const place of this.#files) {
      const names = await Array.fromAsync(Deno.readDir(place), ({ name }) => name).catch(() => undefined);
      if (!names) paths.push(place);
      else {paths.push(
          ...names.filter((name) => name.endsWith(".conf")).sort().map((name) => join(place, name)),
        );}
    }
    return paths;
  }

  async #place(index: number): Promise<Place> {
    const place = (await this.#places()).find((one) => one.index === index);
    if (!place) throw new DriverError("invalid", `there is no WiFi network with the index ${index}`);
    return place;
  }

  async #network(place: Place): Promise<Wlan> {
    const { index, network, conf } = place;
    const [onAir, powerPercent] = await Promise.all([this.#onAir(place), this.#powerPercent(place)]);
    const security = securityOf(network.settings);
    return {
      index,
      interface: network.interface,
      ssid: network.settings.get("ssid") ?? "",
      enabled: enabledOf(place),
      onAir,
      ...(security !== undefined && { security }),
      password: passwordOf(network.settings),
      // The radio's, and `acs_survey` where it is to choose.
      channel: Number(conf.networks[0]!.settings.get("channel") ?? 0) || 0,
      ...(powerPercent !== undefined && { powerPercent }),
    };
  }

  async #onAir({ socket, network, conf }: Place): Promise<boolean> {
    const status = parseFields(await this.#ask(socket, "STATUS"));
    if (status.get("state") !== "ENABLED") return false;
    if (conf.networks.length === 1) return network.settings.get("start_disabled") !== "1";
    const json = await this.#runner.json("ip", ["-json", "link", "show", "dev", network.interface]);
    return JSON.stringify(json).includes('"UP"');
  }

  /** A radio with one network is switched itself; of one with several, the network's interface. */
  async #switch({ conf, radio, network }: Place, on: boolean): Promise<void> {
    if (conf.networks.length > 1) {
      await this.#runner.output("ip", ["link", "set", "dev", network.interface, on ? "up" : "down"]);
      return;
    }
    const state = parseFields(await this.#ask(radio, "STATUS")).get("state");
    if ((state === "DISABLED") === !on) return;
    if (await this.#ask(radio, on ? "ENABLE" : "DISABLE") !== "OK") {
      throw new DriverError("failed", `hostapd did not switch ${network.interface} ${on ? "on" : "off"}`);
    }
  }

  /** The lines of the file that a change means. */
  #settings(place: Place, before: Wlan, change: WlanChange): Map<string, string | undefined> {
    const settings = new Map<string, string | undefined>();
    const { ssid, security, password, channel, enabled } = change;
    if (ssid !== undefined) settings.set("ssid", ssid);
    if (security !== undefined || password !== undefined) {
      const kind = security ?? before.security;
      if (kind === undefined) {
        throw unsupported(`${before.interface} is protected in a way that can't be changed from here`);
      }
      const secret = kind === "open" ? "" : password ?? before.password;
      for (const [key, value] of securitySettings(kind, secret)) settings.set(key, value);
    }
    if (channel !== undefined && channel !== before.channel) {
      if (place.position > 0) {
        throw new DriverError("invalid", "the channel is set at the radio's first network");
      }
      settings.set("channel", String(channel));
    }
    if (enabled !== undefined && enabled !== before.enabled) {
      settings.set("start_disabled", enabled ? undefined : "1");
    }
    return settings;
  }

  /** Tells the running hostapd; gives what takes it back. All or nothing. */
  async #bringIn(
    place: Place,
    before: Wlan,
    settings: ReadonlyMap<string, string | undefined>,
  ): Promise<() => Promise<void>> {
    const { socket, radio, network } = place;
    const told: string[] = [];
    const set = async (key: string, value: string | undefined) => {
      // What is not to be there is what it would be if it had never been there.
      const word = value ?? UNSET[key];
      return word === undefined || await this.#ask(socket, `SET ${key} ${word}`) === "OK";
    };
    const renew = async () => {
      if (settings.has("channel") && before.onAir) {
        // A radio changes its channel only when it is brought up.
        const down = await this.#ask(radio, "DISABLE"), up = await this.#ask(radio, "ENABLE");
        return down === "OK" && up === "OK";
      }
      const reload = [...settings.keys()].some((key) => key !== "channel" && key !== "start_disabled");
      return !reload || !before.onAir || await this.#ask(socket, "RELOAD") === "OK";
    };
    const undo = async () => {
      for (const key of told) await set(key, network.settings.get(key)).catch(() => false);
      await renew().catch(() => false);
    };
    for (const [key, value] of settings) {
      told.push(key);
      if (!await set(key, value)) {
        await undo();
        throw new DriverError("failed", `hostapd does not take this ${key}`);
      }
    }
    if (!await renew()) {
      await undo();
      throw new DriverError("failed", `hostapd did not bring ${network.interface} up with this`);
    }
    return undo;
  }

  #powerPercent({ network }: Place): Promise<number | undefined> {
    return powerPercent(this.#runner, network.interface);
  }

  #mostDbm({ network }: Place): Promise<number> {
    return mostDbm(this.#runner, network.interface);
  }
}

/** What hostapd takes for settings that are not there; the rest it ignores where the protection does not use it. */
const UNSET: Readonly<Record<string, string>> = { wpa: "0", start_disabled: "0" };

function enabledOf({ network }: Place): boolean {
  return network.settings.get("start_disabled") !== "1";
}
