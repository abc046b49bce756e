/**
 * What the gateway does with its machine over time: timers, upgrades, what is done after an answer.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, type Log } from "../../base/mod.ts";
import type { Driver } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";
import type { Zone } from "../schedule/mod.ts";
import { AttachedDevices } from "./attached_devices.ts";
import { DnsRedirect } from "./dns_redirect.ts";
import { LedTimer } from "./led_timer.ts";
import { NameServerSetting } from "./name_servers.ts";
import { PowerActions } from "./power_actions.ts";
import { Sleep } from "./sleep.ts";
import { Upgrades } from "./upgrade.ts";
import type { Fetcher } from "../outbound.ts";
import { WifiSettings } from "./wifi_settings.ts";
import { WifiTimer } from "./wifi_timer.ts";

const NAME = "InternetGatewayDevice.DeviceInfo.X_GATEHOUSE_Name";

/** What a {@linkcode House} works with. */
export interface HouseOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly driver: Driver;
  readonly tree: ParameterTree;
  readonly dataDir: string;
  readonly zone?: Zone;
  /** How a firmware is fetched; default: from wherever the order says. */
  readonly fetcher?: Fetcher;
  /** Told before a recovery that somebody here, not the platform, asked for. */
  readonly onRecovery?: (by: string) => Promise<void>;
}

/** Runs from the moment it is made. */
export class House implements AsyncDisposable {
  readonly power: PowerActions;
  readonly upgrades: Upgrades;
  readonly ledTimer: LedTimer;
  readonly nameServers: NameServerSetting;
  readonly redirect: DnsRedirect;
  readonly sleep: Sleep;
  readonly devices: AttachedDevices;
  readonly wifi: WifiSettings;
  readonly wifiTimer: WifiTimer;
  readonly #stack = new AsyncDisposableStack();

  constructor(private readonly options: HouseOptions) {
    const { clock, log, driver, tree, dataDir, zone, fetcher, onRecovery } = options,
      { power, service, dns, lan, wifi } = driver;
    const restore = () => tree.restore({ source: "app", by: "recovery" });
    this.nameServers = this.#stack.use(new NameServerSetting({ clock, log, dns, tree }));
    this.redirect = this.#stack.use(new DnsRedirect({ clock, log, dns, tree }));
    this.ledTimer = this.#stack.use(new LedTimer({ clock, log, service, tree, zone }));
    this.sleep = this.#stack.use(new Sleep({ clock, log, service }));
    this.devices = this.#stack.use(new AttachedDevices({ clock, log, lan, tree }));
    this.wifi = this.#stack.use(new WifiSettings({ clock, wifi, tree }));
    this.wifiTimer = this.#stack.use(new WifiTimer({ clock, log, wifi, tree, zone }));
    this.upgrades = this.#stack.use(
      new Upgrades({ clock, log, power, dir: join(dataDir, "firmware"), fetcher }),
    );
    this.power = this.#stack.use(new PowerActions({ clock, log, power, restore, onRecovery }));
  }

  /** What the family calls the gateway; the machine's own name where they did not say. */
  async name(): Promise<string> {
    const given = String(this.options.tree.peek(NAME) ?? "");
    return given === "" ? (await this.options.driver.info()).hostName ?? "" : given;
  }

  /** Resolves when it is on the disk. Throws ParameterError. */
  async rename(name: string, writer: Writer): Promise<void> {
    await this.options.tree.set({ [NAME]: name }, writer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
