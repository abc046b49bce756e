/**
 * Pieces of dnsmasq's configuration, and the list of redirections that they are made of. Nothing gets into a piece that
 * is not a host name or an IP address: a line end in a name would be another option.
 *
 * @module
 */
import { isIpAddress } from "../../../net/mod.ts";
import { DriverError } from "../errors.ts";
import type { Redirection } from "./dns.ts";

/** The most redirections. */
export const MAX_REDIRECTIONS = 256;
const NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;
const HEAD = "# Written by Gatehouse: changed here, it is overwritten.\n";

/** Asks these servers and none else; empty where there are none. */
export function serversConf(addresses: readonly string[]): string {
  if (addresses.length === 0) return "";
  return HEAD + "no-resolv\n" + addresses.map((address) => `server=${address}\n`).join("");
}

/** The servers in such a piece. */
export function serversOf(conf: string): string[] {
  return [...conf.matchAll(/^server=(\S+)$/gm)].map(([, address]) => address!);
}

/** Gives these answers; empty where there are none. @throws {DriverError} `invalid` */
export function redirectConf(redirections: readonly Redirection[]): string {
  if (redirections.length === 0) return "";
  if (redirections.length > MAX_REDIRECTIONS) {
    throw new DriverError("invalid", `more than ${MAX_REDIRECTIONS} redirections`);
  }
  return HEAD + redirections.map(({ name, address }) => {
    if (!NAME.test(name)) throw new DriverError("invalid", `not a host name: "${name.slice(0, 64)}"`);
    if (!isIpAddress(address)) {
      throw new DriverError("invalid", `not an IP address: "${address.slice(0, 64)}"`);
    }
    return `address=/${name}/${address}\n`;
  }).join("");
}

/**
 * Reads a list of redirections: a line each, an address and the names for it, as in a hosts file; `#` begins a remark.
 *
 * @throws {DriverError} `invalid`, with the number of the line
 */
export function parseRedirections(text: string): Redirection[] {
  const found: Redirection[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) continue;
    const [address = "", ...names] = words;
    const fault = (what: string) => new DriverError("invalid", `line ${i + 1} of the redirections: ${what}`);
    if (!isIpAddress(address)) throw fault(`not an IP address: "${address.slice(0, 64)}"`);
    if (names.length === 0) throw fault("no host name");
    for (const written of names) {
      const name = written.toLowerCase().replace(/\.$/, "");
      if (!NAME.test(name)) throw fault(`not a host name: "${name.slice(0, 64)}"`);
      found.push({ name, address });
    }
    if (found.length > MAX_REDIRECTIONS) throw fault(`more than ${MAX_REDIRECTIONS}`);
  }
  return found;
}
