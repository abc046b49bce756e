/**
 * Networks of IP addresses, as `10.0.0.0/8` or `2001:db8::/32` name them.
 *
 * @module
 */
import { isIpAddress } from "./addresses.ts";

/** A network: its first address as 16 bytes (an IPv4 one as `::ffff:a.b.c.d`) and how many bits of it count. */
export interface IpNetwork {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * Reads `ADDRESS/BITS`, or an address that stands for itself; undefined where `text` is neither. Bits behind the
 * prefix are ignored.
 *
 * @example
 * ```ts
 * import { inNetwork, parseNetwork } from "./mod.ts";
 * const lan = parseNetwork("192.168.0.0/16")!;
 * if (!inNetwork(lan, "192.168.7.1") || inNetwork(lan, "192.169.0.1")) throw new Error("not so");
 * ```
 */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, address = "", length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = addressBytes(address);
  if (!bytes) return undefined;
  const most = address.includes(":") ? 128 : 32;
  const bits = length === undefined ? most : Number(length);
  return bits <= most ? { bytes, bits: bits + 128 - most } : undefined;
}

/** Whether `address` is in `network`; an IPv4 address and its `::ffff:` form are the same. */
export function inNetwork({ bytes, bits }: IpNetwork, address: string): boolean {
  const theirs = addressBytes(address.split("%", 1)[0]!);
  if (!theirs) return false;
  const whole = bits >> 3, rest = bits & 7;
  for (let at = 0; at < whole; at++) if (bytes[at] !== theirs[at]) return false;
  return rest === 0 || (bytes[whole]! ^ theirs[whole]!) >> (8 - rest) === 0;
}

/** An address as 16 bytes; undefined where it is none. */
function addressBytes(address: string): Uint8Array | undefined {
  if (!isIpAddress(address)) return undefined;
  const bytes = new Uint8Array(16);
  if (!address.includes(":")) {
    bytes.set([0xff, 0xff, ...address.split(".").map(Number)], 10);
    return bytes;
  }
  // The URL parser writes every IPv6 address in groups of hex digits, also one that ends in a dotted quad.
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::", 2);
  const groupsOf = (text: string | undefined) =>
    text ? text.split(":").map((group) => parseInt(group, 16)) : [];
  const first = groupsOf(head), last = groupsOf(tail);
  const groups = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  groups.forEach((group, at) => bytes.set([group >> 8, group & 0xff], at * 2));
  return bytes;
}
