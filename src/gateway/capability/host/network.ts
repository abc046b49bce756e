/**
 * What plug-ins may ask of the network.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import { plainHttp } from "../http.ts";
import { Shares } from "../shares.ts";
import { measureDownload } from "../speed.ts";
import { type FullHostDeps, optionsOf, textOf } from "./deps.ts";

/** What one plug-in may have under way: a part of what the gateway does at one time. */
const PINGS_EACH = 2, LOOKUPS_EACH = 4, REQUESTS_EACH = 3;

/** Diagnosis, names, HTTP. */
export function networkFunctions({ driver, http }: FullHostDeps): Capabilities {
  const pings = new Shares("ping", PINGS_EACH), lookups = new Shares("lookup", LOOKUPS_EACH);
  const requests = new Shares("http", REQUESTS_EACH);
  return {
    "network.traceroute": {
      /** The routers on the way to `[destination, { maxHops, interface }]`: `{ hop, address, ms }` each. */
      "network.traceroute": async ([destination, options], { plugin, signal }) => {
        const { maxHops, interface: out } = optionsOf(options);
        const hops = await pings.within(plugin, () =>
          driver.diagnosis.traceroute(String(destination ?? ""), {
            maxHops: typeof maxHops === "number" ? maxHops : 16,
            interface: typeof out === "string" ? out : undefined,
            signal,
          }));
        return hops.map((hop) => ({ ...hop }));
      },
    },
    "network.dns": {
      /** The addresses of `[name, type]`, with type A or AAAA. */
      "network.lookup": async ([name, given], { plugin, signal }) => {
        const type = given ?? "A"; // an undefined of the plug-in's comes as null
        if (type !== "A" && type !== "AAAA") throw new Error("type: A or AAAA");
        return await lookups.within(plugin, () => driver.diagnosis.lookup(String(name ?? ""), type, signal));
      },
    },
    "network.http": {
      /** See {@linkcode plainHttp}. */
      "network.http": (args, { plugin, manifest, signal }) =>
        requests.within(plugin, () => plainHttp(http, manifest.hosts, args, signal)),
    },
    "network.download": {
      /** Fetches `[url, { seconds }]` and throws it away: `{ bytes, seconds, rate, whole }`, the rate in bits a second. */
      "network.download": async ([url, options], { signal }) => {
        const { seconds } = optionsOf(options);
        return {
          ...await measureDownload(
            http,
            textOf("url", url, 2048),
            typeof seconds === "number" ? seconds : 10,
            signal,
          ),
        };
      },
    },
    "network.inform": {
      /** Has the machine report to its ITMS: `{ ok, text }`. */
      "network.inform": async (_args, { signal }) => ({ ...await driver.diagnosis.inform(signal) }),
    },
    "network.ping": {
      /** Pings `[destination, { count, size, interface }]`. */
      "network.ping": async ([destination, options], { plugin, signal }) => {
        const { count, size, interface: out } = optionsOf(options);
        const report = await pings.within(plugin, () =>
          driver.diagnosis.ping(String(destination ?? ""), {
            count: typeof count === "number" ? count : 4,
            size: typeof size === "number" ? size : 56,
            interface: typeof out === "string" ? out : undefined,
            signal,
          }));
        return { ...report };
      },
    },
  };
}
