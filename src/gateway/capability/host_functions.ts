/**
 * What plug-ins may ask of the gateway, by capability: one file an area, in `host/`. What these throw reaches the
 * plug-in, and through it the caller: messages hold no secrets.
 *
 * @module
 */
import type { Capabilities } from "../../sandbox/mod.ts";
import { systemClock } from "../../base/mod.ts";
import { isIpAddress } from "../../net/mod.ts";
import { isPublic } from "../driver/mod.ts";
import {
  deviceFunctions,
  dnsFunctions,
  type FullHostDeps,
  type HostDeps,
  lanFunctions,
  networkFunctions,
  powerFunctions,
  serviceFunctions,
  systemFunctions,
  wanFunctions,
  wifiFunctions,
} from "./host/mod.ts";

export type { HostDeps } from "./host/mod.ts";

/** The functions. */
export function hostFunctions(deps: HostDeps): Capabilities {
  const { driver, clock = systemClock } = deps;
  const full: FullHostDeps = {
    ...deps,
    clock,
    http: {
      clock,
      lookup: async (name, type, signal) => {
        const bare = name.replace(/^\[|\]$/g, "");
        if (isIpAddress(bare)) return bare.includes(":") === (type === "AAAA") ? [bare] : [];
        return await driver.diagnosis.lookup(name, type, signal);
      },
      // Not our own address either, where that is a public one: what listens on it may trust whoever is here.
      mayReach: (address) => isPublic(address) && !driver.interfaces().some((own) => own.address === address),
      connect: (hostname, port, signal) => Deno.connect({ hostname, port, signal }),
      startTls: (conn, hostname) => Deno.startTls(conn as Deno.TcpConn, { hostname }),
      ...deps.http,
    },
  };
  return {
    ...systemFunctions(full),
    ...deviceFunctions(full),
    ...networkFunctions(full),
    ...wanFunctions(full),
    ...dnsFunctions(full),
    ...serviceFunctions(full),
    ...powerFunctions(full),
    ...wifiFunctions(full),
    ...lanFunctions(full),
  };
}
