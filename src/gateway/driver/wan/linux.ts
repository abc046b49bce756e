/**
 * The connections of a Linux machine: by OpenWrt's network manager where there is one, else the interfaces that default
 * routes go out by, those that dial, and those that the settings name.
 *
 * @module
 */
import * as v from "valibot";
import { type Clock, sleep } from "../../../base/mod.ts";
import { isIpAddress } from "../../../net/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import {
  hasDefaultRoute,
  type OpenWrt,
  type OpenWrtInterface,
  orElse,
  type Runner,
  type Vendor,
} from "../linux/mod.ts";
import { type IpLink, type IpRoute, parseCounters, parseLinks, parseRoutes } from "./ip.ts";
import type { PppoeStatus, Wan, WanConnection, WanRate } from "./wan.ts";

/** The time between the two looks at the counters, in milliseconds. */
const RATE_MS = 1_000;
const PPPOE = v.object({
  link: v.boolean(),
  connected: v.boolean(),
  reason: v.optional(v.string(), ""),
  uptimeSeconds: v.optional(v.number()),
});

/** What {@linkcode LinuxWan} works with. */
export interface LinuxWanOptions {
  readonly clock: Clock;
  readonly runner: Runner;
  readonly openWrt: OpenWrt;
  readonly vendor: Vendor;
  /** Interfaces that are connections to the outside, whether or not a route goes out by them. */
  readonly interfaces?: readonly string[] | undefined;
  /** Files that name servers are written in, the first that there is counts. */
  readonly resolvFiles?: readonly string[];
}

/** The resolver's own file is behind a stub, where there is one. */
const RESOLV_FILES: readonly string[] = [
  "/run/systemd/resolve/resolv.conf",
  "/tmp/resolv.conf.d/resolv.conf.auto",
  "/etc/resolv.conf",
];

/** The {@linkcode Wan} of Linux. */
export class LinuxWan implements Wan {
  constructor(private readonly options: LinuxWanOptions) {}

  async connections(): Promise<readonly WanConnection[]> {
    const { openWrt, runner } = this.options;
    const links = parseLinks(await runner.json("ip", ["-json", "-details", "address", "show"]));
    const managed = await openWrt.interfaces();
    if (managed) {
      const outer = managed.filter((one) => hasDefaultRoute(one) || /^wan\d*6?$/.test(one.interface));
      return outer.map((one, i) => managedConnection(one, links, i + 1));
    }
    const routes = await this.#routes(), dns = await nameServers(this.options.resolvFiles);
    const names = new Set([
      ...this.options.interfaces ?? [],
      ...routes.flatMap(({ dev }) => dev ?? []),
      ...links.filter(dials).map(({ ifname }) => ifname),
    ]);
    return [...names].flatMap((name) => links.find(({ ifname }) => ifname === name) ?? [])
      .map((link, i) => connectionOf(link, routes, dns, i + 1));
  }

  async rate(signal: AbortSignal): Promise<WanRate> {
    const { clock } = this.options, name = await this.interface();
    if (name === undefined) throw unsupported("there is no connection to the internet to measure");
    const before = await this.#counters(name), began = clock.monotonic();
    await sleep(clock, RATE_MS, signal);
    const after = await this.#counters(name), seconds = (clock.monotonic() - began) / 1000;
    const down = 8 * (after.rx - before.rx) / seconds, up = 8 * (after.tx - before.tx) / seconds;
    if (down < 0 || up < 0) throw new DriverError("failed", "the counters began anew while they were read");
    return { down: Math.round(down), up: Math.round(up), seconds };
  }

  pppoe(): Promise<PppoeStatus> {
    const { vendor } = this.options;
    return orElse(
      () => this.#ownPppoe(),
      () => vendor.ask("pppoe-status", "tell how dialling goes", {}, PPPOE),
    );
  }

  dial(account: string, password: string): Promise<void> {
    const { openWrt, vendor } = this.options;
    return orElse(async () => {
      const wan = (await openWrt.interfaces())?.find(({ proto }) => proto === "pppoe") ?? await openWrt.wan();
      if (!wan) throw unsupported("nothing here dials");
      const path = `network.${wan.interface}`;
      await openWrt.change("network", [
        { set: `${path}.proto`, to: "pppoe" },
        { set: `${path}.username`, to: account },
        { set: `${path}.password`, to: password },
      ]);
      await openWrt.restart(wan.interface);
    }, async () => {
      await vendor.ask("pppoe-dial", "dial", { account, password }, v.looseObject({}));
    });
  }

  /** The interface that what is for the internet goes out by. @throws {DriverError} */
  async interface(): Promise<string | undefined> {
    const [route] = await this.#routes();
    return route?.dev ?? this.options.interfaces?.[0];
  }

  async #ownPppoe(): Promise<PppoeStatus> {
    const { openWrt, runner } = this.options;
    const managed = (await openWrt.interfaces())?.find(({ proto }) => proto === "pppoe");
    const links = parseLinks(await runner.json("ip", ["-json", "-details", "address", "show"]));
    if (managed) {
      const under = links.find(({ ifname }) => ifname === managed.device);
      const [error] = managed.errors;
      return {
        link: under ? isUp(under) : managed.up,
        connected: managed.up,
        reason: managed.up ? "" : error?.code ?? "",
        uptimeSeconds: managed.up ? managed.uptime : undefined,
      };
    }
    const link = links.find(dials);
    if (!link) throw unsupported("nothing here dials");
    const connected = link.addr_info.length > 0 && isUp(link);
    return { link: true, connected, reason: "" };
  }

  async #routes(): Promise<IpRoute[]> {
    const { runner } = this.options;
    const [four, six] = await Promise.all([
      runner.json("ip", ["-json", "-4", "route", "show", "default"]),
      // A kernel without IPv6 says so by failing.
      runner.json("ip", ["-json", "-6", "route", "show", "default"]).catch(() => undefined),
    ]);
    return [...parseRoutes(four), ...parseRoutes(six)];
  }

  async #counters(name: string): Promise<{ rx: number; tx: number }> {
    return parseCounters(await this.options.runner.json("ip", ["-json", "-s", "link", "show", "dev", name]));
  }
}

/** The name servers in the first of these files that there is. */
export async function nameServers(files = RESOLV_FILES): Promise<string[]> {
  for (const path of files) {
    const text = await Deno.readTextFile(path).catch(() => undefined);
    if (text === undefined) continue;
    return [...text.slice(0, 64 * 1024).matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address!)
      .filter((address) => isIpAddress(address.split("%", 1)[0]!)).slice(0, 8);
  }
  return [];
}

function connectionOf(
  link: IpLink,
  routes: readonly IpRoute[],
  dns: readonly string[],
  index: number,
): WanConnection {
  const route = routes.find(({ dev }) => dev === link.ifname);
  const global = link.addr_info.filter(({ scope }) => scope === "global");
  const four = global.find(({ family }) => family === "inet");
  const protocol = dials(link)
    ? "PPPoE"
    : four
    ? four.dynamic ? "DHCP" : "STATIC"
    : global.some(({ dynamic }) => dynamic)
    ? "SLAAC"
    : global.length > 0
    ? "STATIC"
    : "NONE";
  const { info_kind: kind, info_data: data } = link.linkinfo ?? {};
  const vlan = kind === "vlan" ? data?.id : undefined;
  return {
    index,
    name: nameOf(index, link.ifname, route ? "R" : "B", vlan),
    interface: link.ifname,
    services: route ? "INTERNET" : undefined,
    mode: link.master === undefined ? "route" : "bridge",
    protocol,
    vlan,
    priority: kind === "vlan" ? data?.egress_qos.find(({ from }) => from === 0)?.to : undefined,
    up: isUp(link),
    addresses: global.map(({ local }) => local).filter(isIpAddress).slice(0, 8),
    gateway: route?.gateway,
    dns: route ? dns : [],
    mac: link.link_type === "ether" ? link.address?.toUpperCase() : undefined,
  };
}

function managedConnection(one: OpenWrtInterface, links: readonly IpLink[], index: number): WanConnection {
  const interface_ = one.l3_device ?? one.device ?? one.interface;
  const link = links.find(({ ifname }) => ifname === interface_);
  const under = links.find(({ ifname }) => ifname === one.device) ?? link;
  const vlan = under?.linkinfo?.info_kind === "vlan" ? under.linkinfo.info_data?.id : undefined;
  const protocols: Record<string, WanConnection["protocol"]> = {
    pppoe: "PPPoE",
    dhcp: "DHCP",
    static: "STATIC",
    dhcpv6: "SLAAC",
  };
  return {
    index,
    name: nameOf(index, one.interface, "R", vlan),
    interface: interface_,
    services: hasDefaultRoute(one) ? "INTERNET" : undefined,
    mode: "route",
    protocol: Object.hasOwn(protocols, one.proto) ? protocols[one.proto]! : "NONE",
    vlan,
    up: one.up,
    addresses: [...one["ipv4-address"], ...one["ipv6-address"]].map(({ address }) => address).filter(
      isIpAddress,
    ),
    gateway: one.route.find(({ mask }) => mask === 0)?.nexthop,
    dns: one["dns-server"].filter(isIpAddress),
    mac: under?.address?.toUpperCase(),
    uptimeSeconds: one.up ? one.uptime : undefined,
  };
}

/** As gateways name them: `1_INTERNET_R_VID_41`; what is known of others is their interface. */
function nameOf(index: number, name: string, mode: "R" | "B", vlan: number | undefined): string {
  const service = mode === "R" ? "INTERNET" : name;
  return `${index}_${service}_${mode}${vlan === undefined ? "" : `_VID_${vlan}`}`;
}

function dials(link: IpLink): boolean {
  return link.linkinfo?.info_kind === "ppp" || link.link_type === "ppp";
}

/** A ppp link and a loopback are up with an unknown state. */
function isUp({ operstate, flags }: IpLink): boolean {
  return operstate === "UP" || (operstate === "UNKNOWN" && flags.includes("LOWER_UP"));
}
