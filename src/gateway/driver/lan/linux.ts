/**
 * The home network of a Linux machine: a bridge with ports, or single interfaces.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import { isLocal } from "../../../net/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import type { Runner } from "../linux/mod.ts";
import {
  checkedAccess,
  checkedBandwidth,
  type DeviceAccess,
  type DeviceBandwidth,
  type Lan,
  type LanDevice,
  type LanPort,
} from "./lan.ts";
import {
  type Link,
  parseForwarding,
  parseLeases,
  parseLinks,
  parseNeighbours,
  parsePrivateInterfaces,
  parseRouteInterfaces,
} from "./links.ts";
import { accessRules, TABLE } from "./rules.ts";
import { HANDLE, IFB, PRIORITY, type Shaped, shapingCommands } from "./shaping.ts";

/** Where dnsmasq keeps its leases: on OpenWrt, on Debian and its kin, elsewhere. */
const LEASE_FILES = ["/tmp/dhcp.leases", "/var/lib/misc/dnsmasq.leases", "/var/lib/dnsmasq/dnsmasq.leases"];
/** The kernel takes 15 bytes; these are what is safe in the input of every program. */
const INTERFACE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;
/** What is shown where nothing was set. */
const NOTHING = "";
const WIFI_NAME = /^(?:wl|wlan|wifi|ath\d|ra\d|phy\d+-)/;

/** What {@linkcode LinuxLan} works with. */
export interface LinuxLanOptions {
  readonly clock: Pick<Clock, "now">;
  readonly runner: Runner;
  /** The interfaces of the home network; undefined: those with private addresses that no default route goes out by. */
  readonly interfaces?: readonly string[] | undefined;
  /** Interfaces that are on the air, as the WiFi part knows them; others are told by their names. */
  readonly wifiInterfaces?: () => Promise<readonly string[]>;
  readonly leaseFiles?: readonly string[] | undefined;
}

/** The {@linkcode Lan} of Linux. */
export class LinuxLan implements Lan {
  readonly #options: LinuxLanOptions;
  /** Rules are changed one after the other. */
  #changing: Promise<unknown> = Promise.resolve();
  /** How the machine showed what was set last; undefined: setting failed. */
  #access: string | undefined;
  #bandwidth: string | undefined;

  constructor(options: LinuxLanOptions) {
    const odd = options.interfaces?.find((name) => !INTERFACE_NAME.test(name));
    if (odd !== undefined) {
      throw new DriverError("invalid", `not the name of an interface: "${odd.slice(0, 32)}"`);
    }
    this.#options = options;
  }

  async ports(): Promise<LanPort[]> {
    const [members, wifi] = await Promise.all([this.#members(), this.#wifi()]);
    return members.filter(({ name }) => !wifi(name)).map(({ name, up, receivedBytes, sentBytes }, i) => ({
      name: `LAN${i + 1}`,
      interface: name,
      up,
      receivedBytes,
      sentBytes,
    }));
  }

  async devices(): Promise<LanDevice[]> {
    const [interfaces, ports, leases, wifi] = await Promise.all([
      this.#interfaces(),
      this.ports(),
      this.#leases(),
      this.#wifi(),
    ]);
    const portNames = new Map(ports.map((port) => [port.interface, port.name]));
    const found = new Map<string, LanDevice>();
    for (const name of interfaces) {
      const { runner } = this.#options;
      const [neighbours, learned] = await Promise.all([
        runner.json("ip", ["-json", "-s", "neigh", "show", "dev", name]).then(parseNeighbours),
        this.#learned(name),
      ]);
      // A bridge knows who is behind it; elsewhere those are there who were heard lately.
      const here = learned
        ? [...learned.keys()]
        : neighbours.filter(({ alive }) => alive).map(({ mac }) => mac);
      for (const mac of here) {
        const at = learned?.get(mac) ?? name;
        const address = neighbours.find((neighbour) => neighbour.mac === mac)?.address ??
          leases.get(mac)?.address;
        const hostName = leases.get(mac)?.hostName;
        found.set(mac, {
          mac,
          ...(address !== undefined && { address }),
          ...(hostName !== undefined && { hostName }),
          connection: wifi(at) ? "wifi" : "cable",
          port: portNames.get(at) ?? at,
        });
      }
    }
    return [...found.values()].sort((a, b) => a.mac < b.mac ? -1 : 1);
  }

  setAccess(devices: readonly DeviceAccess[]): Promise<void> {
    return this.#change(async () => {
      const limited = checkedAccess(devices), { runner } = this.#options;
      this.#access = undefined;
      const interfaces = limited.length > 0 ? await this.#interfaces() : [];
      try {
        await runner.output("nft", ["-f", "-"], { input: accessRules(limited, interfaces) });
      } catch (error) {
        // Where there is no nftables, nothing was ever forbidden.
        if (limited.length > 0 || !(error instanceof DriverError && error.code === "unsupported")) {
          throw error;
        }
      }
      this.#access = limited.length > 0 ? await this.#shownAccess() : NOTHING;
    });
  }

  setBandwidth(devices: readonly DeviceBandwidth[]): Promise<void> {
    return this.#change(async () => {
      const limits = checkedBandwidth(devices), { runner } = this.#options;
      this.#bandwidth = undefined;
      try {
        const there = await Promise.all((await this.#interfaces()).map((name) => this.#shaped(name)));
        const foreign = there.find(({ root }) => root !== undefined && root.handle !== HANDLE);
        if (foreign && limits.some(({ downKbps }) => downKbps > 0)) {
          throw unsupported(`${foreign.interface} is shaped by something else (${foreign.root!.kind})`);
        }
        await this.#keepIfb(limits.some(({ upKbps }) => upKbps > 0));
        const input = shapingCommands(limits, there);
        if (input !== "") await runner.output("tc", ["-batch", "-"], { input });
      } catch (error) {
        if (limits.length > 0 || !(error instanceof DriverError && error.code === "unsupported")) throw error;
      }
      this.#bandwidth = limits.length > 0 ? await this.#shownBandwidth() : NOTHING;
    });
  }

  intact(): Promise<boolean> {
    return this.#change(async () =>
      (this.#access === NOTHING || this.#access === await this.#shownAccess()) &&
      (this.#bandwidth === NOTHING || this.#bandwidth === await this.#shownBandwidth())
    );
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  /** The interfaces that addresses are on. */
  async #interfaces(): Promise<readonly string[]> {
    if (this.#options.interfaces) return this.#options.interfaces;
    const { runner } = this.#options;
    const [addresses, routes] = await Promise.all([
      runner.json("ip", ["-json", "-4", "address", "show"]),
      runner.json("ip", ["-json", "-4", "route", "show", "default"]),
    ]);
    const outside = parseRouteInterfaces(routes);
    const found = parsePrivateInterfaces(addresses, isLocal).filter((name) =>
      !outside.includes(name) && INTERFACE_NAME.test(name)
    );
    if (found.length === 0) {
      throw unsupported("there is no interface towards a home network: name it in the settings");
    }
    return found;
  }

  /** What is plugged into the home network: the members of bridges, and interfaces that are none. */
  async #members(): Promise<Link[]> {
    const { runner } = this.#options, members: Link[] = [];
    for (const name of await this.#interfaces()) {
      const own = parseLinks(await runner.json("ip", ["-json", "-s", "-d", "link", "show", "dev", name]));
      if (own[0]?.kind !== "bridge") members.push(...own);
      else {
        members.push(
          ...parseLinks(await runner.json("ip", ["-json", "-s", "-d", "link", "show", "master", name])),
        );
      }
    }
    return members;
  }

  /** Undefined where it is no bridge. */
  async #learned(name: string): Promise<Map<string, string> | undefined> {
    const { runner } = this.#options;
    const [link] = parseLinks(await runner.json("ip", ["-json", "-s", "-d", "link", "show", "dev", name]));
    if (link?.kind !== "bridge") return undefined;
    return parseForwarding(await runner.json("bridge", ["-json", "fdb", "show", "br", name]));
  }

  async #wifi(): Promise<(name: string) => boolean> {
    const known = await this.#options.wifiInterfaces?.().catch(() => []) ?? [];
    return (name) => known.includes(name) || WIFI_NAME.test(name);
  }

  async #leases(): Promise<ReturnType<typeof parseLeases>> {
    for (const path of this.#options.leaseFiles ?? LEASE_FILES) {
      const text = await Deno.readTextFile(path).catch(() => undefined);
      if (text !== undefined) return parseLeases(text, this.#options.clock.now());
    }
    return new Map();
  }

  /** Our table without what it counts and learns, and the interfaces that it is for. */
  async #shownAccess(): Promise<string> {
    const interfaces = await this.#interfaces();
    const { stdout } = await this.#options.runner.run("nft", ["-s", "-t", "list", "table", "inet", TABLE]);
    return JSON.stringify([interfaces, stdout]);
  }

  async #shownBandwidth(): Promise<string> {
    const there = await Promise.all((await this.#interfaces()).map((name) => this.#shaped(name)));
    const { code } = await this.#options.runner.run("ip", ["-json", "link", "show", "dev", IFB]);
    return JSON.stringify([
      code,
      there.map(({ interface: name, root, filters }) => [name, root?.handle, filters.includes(PRIORITY)]),
    ]);
  }

  async #shaped(name: string): Promise<Shaped> {
    const { runner } = this.#options;
    const queues = await runner.json("tc", ["-json", "qdisc", "show", "dev", name]);
    const all = Array.isArray(queues) ? queues as { kind?: string; handle?: string; root?: boolean }[] : [];
    // The kernel's own have no handle.
    const root = all.find((queue) =>
      queue.root === true && queue.handle !== "0:" && queue.handle !== undefined
    );
    const ingress = all.some(({ kind }) => kind === "ingress" || kind === "clsact");
    const filters = ingress
      ? await runner.json("tc", ["-json", "filter", "show", "dev", name, "ingress"])
      : [];
    return {
      interface: name,
      ...(root && { root: { kind: String(root.kind), handle: root.handle! } }),
      ingress,
      filters: (Array.isArray(filters) ? filters as { pref?: unknown }[] : []).flatMap(({ pref }) =>
        typeof pref === "number" ? [pref] : []
      ),
    };
  }

  /** A fresh interface for what comes from devices, or none. */
  async #keepIfb(needed: boolean): Promise<void> {
    const { runner } = this.#options;
    const { code } = await runner.run("ip", ["-json", "link", "show", "dev", IFB]);
    if (code === 0) await runner.output("ip", ["link", "del", "dev", IFB]);
    if (!needed) return;
    const { code: made, stderr } = await runner.run("ip", ["link", "add", "name", IFB, "type", "ifb"]);
    if (made !== 0) throw unsupported(`this kernel has no ifb, which slows what devices send: ${stderr}`);
    await runner.output("ip", ["link", "set", "dev", IFB, "up"]);
  }
}
