/**
 * The WiFi of a Linux machine: OpenWrt's, where it is OpenWrt, else hostapd's.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import type { OpenWrt, Runner } from "../linux/mod.ts";
import { HostapdWifi } from "./hostapd.ts";
import type { Control } from "./hostapd_control.ts";
import { hostapdControl } from "./hostapd_control.ts";
import { UciWifi } from "./uci.ts";
import type { Wifi, Wlan, WlanChange, WlanStation, WlanTraffic, WpsStatus } from "./wifi.ts";

/** What {@linkcode LinuxWifi} works with. */
export interface LinuxWifiOptions {
  readonly clock: Clock;
  readonly runner: Runner;
  readonly openWrt: OpenWrt;
  readonly hostapdFiles?: readonly string[] | undefined;
  readonly control?: Control;
}

/** The {@linkcode Wifi} of Linux. What it is made of is found out when it is first asked. */
export class LinuxWifi implements Wifi, AsyncDisposable {
  #found: Promise<HostapdWifi | UciWifi> | undefined;

  constructor(private readonly options: LinuxWifiOptions) {}

  async networks(): Promise<readonly Wlan[]> {
    return await (await this.#wifi()).networks();
  }

  async configure(index: number, change: WlanChange): Promise<void> {
    await (await this.#wifi()).configure(index, change);
  }

  async traffic(index: number): Promise<WlanTraffic> {
    return await (await this.#wifi()).traffic(index);
  }

  async stations(): Promise<readonly WlanStation[]> {
    return await (await this.#wifi()).stations();
  }

  async setRadio(on: boolean): Promise<void> {
    await (await this.#wifi()).setRadio(on);
  }

  async radioOn(): Promise<boolean> {
    return await (await this.#wifi()).radioOn();
  }

  async startWps(index: number, seconds: number): Promise<void> {
    await (await this.#wifi()).startWps(index, seconds);
  }

  async stopWps(): Promise<void> {
    await (await this.#wifi()).stopWps();
  }

  async wps(): Promise<WpsStatus> {
    return await (await this.#wifi()).wps();
  }

  /** A button that is pressed is let go by hostapd itself, after two minutes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const wifi = await this.#found?.catch(() => undefined);
    wifi?.[Symbol.dispose]();
  }

  #wifi(): Promise<Wifi> {
    return this.#found ??= this.#find().catch((error) => {
      this.#found = undefined;
      throw error;
    });
  }

  async #find(): Promise<HostapdWifi | UciWifi> {
    const { clock, runner, openWrt, hostapdFiles, control = hostapdControl(clock) } = this.options;
    return await openWrt.interfaces()
      ? new UciWifi({ clock, runner, openWrt, control })
      : new HostapdWifi({ clock, runner, files: hostapdFiles, control });
  }
}
