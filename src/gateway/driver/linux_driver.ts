/**
 * The real machine, part by part.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
import { LinuxDiagnosis } from "./diagnosis/mod.ts";
import { type Dnsmasq, LinuxNameServers } from "./dns/mod.ts";
import type { Driver } from "./driver.ts";
import { LinuxLan } from "./lan/mod.ts";
import { LinuxPon } from "./pon/mod.ts";
import { LinuxPower, type PowerCommands } from "./power/mod.ts";
import { LinuxServices } from "./service/mod.ts";
import { LinuxVoip } from "./voip/mod.ts";
import { LinuxWan } from "./wan/mod.ts";
import { LinuxWifi } from "./wifi/mod.ts";
import { LinuxMachine, OpenWrt, type Runner, SystemRunner, Vendor } from "./linux/mod.ts";

/** What the settings say about the machine. Commands are words: no shell looks at them. */
export interface LinuxSettings {
  /** Reboot, recovery, upgrade. */
  readonly commands?: PowerCommands;
  /** Does what Linux has no common way for. */
  readonly vendorCommand?: readonly string[] | undefined;
  /** Interfaces towards the outside, whether or not a route goes out by them. */
  readonly wanInterfaces?: readonly string[] | undefined;
  readonly dnsmasq?: Dnsmasq | undefined;
  /** Interfaces towards the home; undefined: those with private addresses that no default route goes out by. */
  readonly lanInterfaces?: readonly string[] | undefined;
  /** hostapd's files, or folders of them. */
  readonly hostapdFiles?: readonly string[] | undefined;
  /** Where dnsmasq keeps its leases. */
  readonly leaseFiles?: readonly string[] | undefined;
  /** Where it may write down what it has to know after a restart. */
  readonly dataDir?: string | undefined;
}

/** What the driver works with. */
export interface LinuxOptions extends LinuxSettings {
  readonly clock: Clock;
  /** Runs the machine's programs; default: those on PATH. */
  readonly runner?: Runner;
  /** Files that name servers are written in, the first that there is counts. */
  readonly resolvFiles?: readonly string[];
}

/** The {@linkcode Driver} for Linux. */
export class LinuxDriver extends LinuxMachine implements Driver {
  readonly name = "linux";
  readonly diagnosis: LinuxDiagnosis;
  readonly wan: LinuxWan;
  readonly pon: LinuxPon;
  readonly voip: LinuxVoip;
  readonly dns: LinuxNameServers;
  readonly service: LinuxServices;
  readonly power: LinuxPower;
  readonly lan: LinuxLan;
  readonly wifi: LinuxWifi;

  constructor(options: LinuxOptions) {
    const { clock, runner = new SystemRunner({ clock }), dataDir } = options;
    super({ clock });
    const openWrt = new OpenWrt(runner), vendor = new Vendor(runner, options.vendorCommand);
    const resolv = options.resolvFiles && { resolvFiles: options.resolvFiles };
    this.diagnosis = new LinuxDiagnosis(clock, runner, vendor);
    this.wan = new LinuxWan({ clock, runner, openWrt, vendor, interfaces: options.wanInterfaces, ...resolv });
    this.pon = new LinuxPon(runner, vendor, () => this.wan.interface());
    this.voip = new LinuxVoip(vendor);
    this.dns = new LinuxNameServers({ runner, openWrt, dnsmasq: options.dnsmasq, ...resolv });
    this.service = new LinuxServices(runner, vendor, dataDir && `${dataDir}/lights.json`);
    this.power = new LinuxPower(runner, options.commands ?? {});
    const wifi = this.wifi = new LinuxWifi({ clock, runner, openWrt, hostapdFiles: options.hostapdFiles });
    this.lan = new LinuxLan({
      clock,
      runner,
      interfaces: options.lanInterfaces,
      leaseFiles: options.leaseFiles,
      wifiInterfaces: async () => (await wifi.networks()).map((network) => network.interface),
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.wifi[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}
