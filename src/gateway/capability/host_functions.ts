/**
 * What plug-ins may ask of the gateway, by capability. What these throw reaches the plug-in, and through it the
 * caller: messages hold no secrets.
 *
 * @module
 */
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import type { Capabilities } from "../../sandbox/mod.ts";
import { type Clock, systemClock } from "../../base/mod.ts";
import { type Driver, isPublic } from "../driver/mod.ts";
import type { Identity } from "../identity.ts";
import type { PasswordGuard, StateStore } from "../state/mod.ts";
import { type HttpPorts, plainHttp } from "./http.ts";

/** What the functions work with. */
export interface HostDeps {
  readonly driver: Driver;
  readonly identity: Identity;
  readonly state: StateStore;
  readonly passwords: PasswordGuard;
  /** Whether the gateway is registered at its platform. */
  readonly registered: () => boolean;
  readonly clock?: Clock;
  /** Other ways to the network than the real ones, for tests. */
  readonly http?: Partial<HttpPorts>;
}

/** The functions. */
export function hostFunctions(deps: HostDeps): Capabilities {
  const { driver, identity, state, passwords, registered, clock = systemClock } = deps;
  const http: HttpPorts = {
    clock,
    lookup: (name, type, signal) => driver.lookup(name, type, signal),
    // Not our own address either, where that is a public one: what listens on it may trust whoever is here.
    mayReach: (address) => isPublic(address) && !driver.interfaces().some((own) => own.address === address),
    connect: (hostname, port) => Deno.connect({ hostname, port }),
    startTls: (conn, hostname) => Deno.startTls(conn as Deno.TcpConn, { hostname }),
    ...deps.http,
  };
  return {
    /** Processor load, 0 to 100. */
    "system.cpu": { "system.cpuPercent": () => driver.cpuPercent() },
    /** Memory in use, 0 to 100, and its sizes in KiB. */
    "system.memory": { "system.memory": async () => ({ ...await driver.memory() }) },
    /** What the machine is; parts that are unknown are absent. */
    "system.info": {
      "system.info": async () => ({
        driver: driver.name,
        softwareVersion: identity.firmwareVer,
        hardwareVersion: identity.hardwareVer,
        appVersion: identity.appVer,
        model: identity.model,
        vendor: identity.vendor,
        card: identity.card,
        wanAddress: driver.wanAddress(),
        lanAddress: driver.lanAddress() ?? "",
        ...await driver.info(),
      }),
    },
    /** Processes that run or wait to, over 1, 5 and 15 minutes; null where the machine does not tell. */
    "system.load": {
      "system.load": () => {
        const load = driver.load();
        return load ? [...load] : null;
      },
    },
    /** Seconds since the machine started; null where it does not tell. */
    "system.uptime": { "system.uptime": async () => (await driver.info()).uptimeSeconds ?? null },
    /** Network interfaces: `{ name, address, prefix }` each. */
    "system.interfaces": {
      "system.interfaces": () =>
        driver.interfaces().map(({ name, address, prefix }) => ({ name, address, prefix })),
    },
    /** The time of day in milliseconds since 1970, and how far local time is ahead of UTC, in minutes. */
    "system.time": {
      "system.time": () => ({
        now: clock.now(),
        utcOffsetMinutes: -new Date(clock.now()).getTimezoneOffset() + 0,
      }),
    },
    "device.identity": {
      "device.identity": () => ({
        driver: driver.name,
        mac: identity.mac,
        loid: identity.loid,
        card: identity.card,
        registered: registered(),
        softwareVersion: identity.firmwareVer,
        hardwareVersion: identity.hardwareVer,
        appVersion: identity.appVer,
      }),
    },
    "device.password": {
      /** The SN for binding, made with the DevRND of this moment; fails where the password is wrong. */
      "device.checkPassword": async ([candidate]) => {
        await passwords.check(typeof candidate === "string" ? candidate : "");
        return { sn: bindingSn(state.get().devRnd, identity.sn) };
      },
    },
    "network.traceroute": {
      /** The routers on the way to `[destination, { maxHops }]`: `{ hop, address, ms }` each. */
      "network.traceroute": async ([destination, options], { signal }) => {
        const maxHops = typeof options === "object" && options !== null && !Array.isArray(options)
          ? options["maxHops"]
          : undefined;
        const hops = await driver.traceroute(String(destination ?? ""), {
          maxHops: typeof maxHops === "number" ? maxHops : 16,
          signal,
        });
        return hops.map((hop) => ({ ...hop }));
      },
    },
    "network.dns": {
      /** The addresses of `[name, type]`, with type A or AAAA. */
      "network.lookup": async ([name, type = "A"], { signal }) => {
        if (type !== "A" && type !== "AAAA") throw new Error("type: A or AAAA");
        return await driver.lookup(String(name ?? ""), type, signal);
      },
    },
    "network.http": {
      /** See {@linkcode plainHttp}. */
      "network.http": (args, { manifest, signal }) => plainHttp(http, manifest.hosts, args, signal),
    },
    "network.ping": {
      /** Pings `[destination, { count, size }]`. */
      "network.ping": async ([destination, options], { signal }) => {
        const { count, size } = typeof options === "object" && options !== null && !Array.isArray(options)
          ? options
          : {};
        return {
          ...await driver.ping(String(destination ?? ""), {
            count: typeof count === "number" ? count : 4,
            size: typeof size === "number" ? size : 56,
            signal,
          }),
        };
      },
    },
  };
}
