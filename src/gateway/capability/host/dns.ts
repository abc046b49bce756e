/**
 * What plug-ins may ask of the name service.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import { parseRedirections } from "../../driver/mod.ts";
import { plainHttp } from "../http.ts";
import { downloadUrl } from "../speed.ts";
import { writerOf } from "../../parameters/mod.ts";
import { type FullHostDeps, textOf } from "./deps.ts";

/** Servers and redirections. */
export function dnsFunctions({ driver, house, http }: FullHostDeps): Capabilities {
  return {
    "dns.read": {
      /** The addresses of the servers in use. */
      "dns.servers": async () => [...await driver.dns.servers()],
      /** The redirections in force: `{ name, address }` each. */
      "dns.redirections": () => house.redirect.get().map((one) => ({ ...one })),
    },
    "dns.write": {
      /** Asks these `[addresses]`; none: those that the connection tells. */
      "dns.setServers": async ([addresses], call) => {
        if (!Array.isArray(addresses) || addresses.length > 4) {
          throw new Error("addresses: not a list of 4 at most");
        }
        const list = addresses.map((address) => textOf("address", address, 45));
        await house.nameServers.set(list, writerOf(call));
        return undefined;
      },
      /** Redirects names by the list at `[url]`, on the internet; empty: no name any more. How many there are. */
      "dns.redirect": async ([url], call) => {
        const target = textOf("url", url);
        if (target === "") {
          await house.redirect.set([], "", writerOf(call));
          return 0;
        }
        const { host } = downloadUrl(target);
        const { status, body } = await plainHttp(http, [host], [target], call.signal);
        if (status !== 200) throw new Error(`the server answered ${status}`);
        const rules = parseRedirections(String(body));
        await house.redirect.set(rules, target, writerOf(call));
        return rules.length;
      },
    },
  };
}
