/**
 * Who asks, where proxies stand between: `X-Forwarded-For` and `X-Forwarded-Proto`, believed of nobody but the proxies
 * that the operator named.
 *
 * @module
 */
import { type IpNetwork, isIpAddress, networkHas, plainAddress } from "../net/mod.ts";

/** Whom a request came from. */
export interface Origin {
  /** The caller's IP address: the right-most one that is no trusted proxy's. */
  readonly address: string;
  /** Whether a trusted proxy says that it came by HTTPS. */
  readonly secure: boolean;
}

/** Proxies in a row that are looked through; what lies beyond is not. */
const MAX_HOPS = 32;
/** Longest entry of the list that may be an address, with brackets, port and zone. */
const MAX_ENTRY = 80;

/**
 * Whom a request with `headers` from `peer` came from. The list is read from its right end, where the proxy next to us
 * wrote, for as long as its addresses are trusted proxies': what stands further left is whatever a stranger sent. An
 * entry that is no address ends the reading too, at the proxy that let it in.
 */
export function originOf(headers: Headers, peer: string, trusted: readonly IpNetwork[]): Origin {
  const isTrusted = (address: string) => trusted.some((network) => networkHas(network, address));
  if (!isTrusted(peer)) return { address: peer, secure: false };
  const list = headers.get("x-forwarded-for") ?? "";
  let address = plainAddress(peer), end = list.length;
  for (let hop = 0; hop < MAX_HOPS && end > 0 && isTrusted(address); hop++) {
    const comma = list.lastIndexOf(",", end - 1);
    const next = end - comma > MAX_ENTRY ? undefined : addressIn(list.slice(comma + 1, end).trim());
    if (next === undefined) break;
    address = next;
    end = comma;
  }
  const protocols = headers.get("x-forwarded-proto") ?? "";
  return { address, secure: /(^|,)\s*https\s*$/i.test(protocols.slice(-MAX_ENTRY)) };
}

/** The address in an entry: some proxies add the port, and then brackets to an IPv6 address. */
function addressIn(entry: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ??
    entry;
  return isIpAddress(bare) ? plainAddress(bare) : undefined;
}
