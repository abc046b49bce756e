/**
 * From a host name to an address, with the system's resolver (so `/etc/hosts` counts) and a time limit.
 *
 * `Deno.resolveDns` would need a permission for each name server and does not know `/etc/hosts`.
 *
 * @module
 */
import { type Clock, withTimeout } from "../base/mod.ts";
import { isIpAddress } from "./addresses.ts";
import { NetError, toNetError } from "./errors.ts";

/** How a name is looked up. */
export interface LookupOptions {
  /** Default 5,000. The system's own try goes on behind the scenes, and its result is thrown away. */
  readonly timeoutMs?: number;
  /** Only addresses of IPv4 or of IPv6. Default: either, IPv4 first. */
  readonly family?: 4 | 6;
}

/** An address of `host`; an address is its own. @throws {NetError} `not_found`, `timeout`, `invalid_address`. */
export async function lookupHost(host: string, clock: Clock, options: LookupOptions = {}): Promise<string> {
  if (isIpAddress(host)) return host;
  if (!/^[\w.-]{1,253}$/.test(host)) {
    throw new NetError("invalid_address", `look up "${host}": not a host name`);
  }
  const { timeoutMs = 5_000, family = 0 } = options;
  // Loaded on first use: a role that is given addresses only never needs it.
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await withTimeout(
      clock,
      lookup(host, { family, order: "ipv4first" }),
      timeoutMs,
      () => new NetError("timeout", `look up "${host}": no answer in ${timeoutMs} ms`),
    );
    return found.address;
  } catch (error) {
    throw toNetError(error, `look up "${host}"`);
  }
}
