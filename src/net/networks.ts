/**
 * Questions about IP addresses: in which network, and of what kind.
 *
 * @module
 */
import { isIpAddress } from "./addresses.ts";

/** The bits of an address; undefined for what is none. A zone (`%eth0`) is ignored. */
export function addressBits(
  address: string,
): { readonly bits: bigint; readonly length: 32 | 128 } | undefined {
  const plain = address.split("%", 1)[0]!;
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(plain);
  if (four) {
    const parts = four.slice(1).map(Number);
    if (parts.some((part) => part > 255)) return undefined;
    return { bits: BigInt(parts.reduce((sum, part) => sum * 256 + part, 0)), length: 32 };
  }
  if (!plain.includes(":") || !URL.canParse(`http://[${plain}]/`)) return undefined;
  const written = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
  const [head, tail] = written.split("::") as [string, string | undefined];
  const groups = (text: string) => text === "" ? [] : text.split(":");
  const left = groups(head), right = groups(tail ?? "");
  const all = tail === undefined
    ? left
    : [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
  return { bits: all.reduce((sum, group) => sum << 16n | BigInt(`0x${group}`), 0n), length: 128 };
}

/** Whether `address` lies in the network `network`/`prefix`. */
export function inNetwork(address: string, network: string, prefix: number): boolean {
  const a = addressBits(address), n = addressBits(network);
  if (!a || !n || a.length !== n.length || prefix > a.length) return false;
  const shift = BigInt(a.length - prefix);
  return a.bits >> shift === n.bits >> shift;
}

/** A network of either family: an IPv4 one is the part of IPv6 that `::ffff:0:0/96` holds it in. */
export interface IpNetwork {
  readonly bits: bigint;
  /** How many of the 128 bits count. */
  readonly prefix: number;
}

/**
 * Reads `ADDRESS/BITS`, or an address that stands for itself; undefined where `text` is neither. Bits behind the
 * prefix are ignored.
 *
 * @example
 * ```ts
 * import { networkHas, parseNetwork } from "./mod.ts";
 * const lan = parseNetwork("192.168.0.0/16")!;
 * if (!networkHas(lan, "192.168.7.1") || networkHas(lan, "192.169.0.1")) throw new Error("not so");
 * ```
 */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, address = "", length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = longBits(address), most = address.includes(":") ? 128 : 32;
  const prefix = length === undefined ? most : Number(length);
  return bits === undefined || prefix > most ? undefined : { bits, prefix: prefix + 128 - most };
}

/** Whether `address` is in `network`; an IPv4 address and its `::ffff:` form are the same. */
export function networkHas({ bits, prefix }: IpNetwork, address: string): boolean {
  const theirs = longBits(address), shift = BigInt(128 - prefix);
  return theirs !== undefined && theirs >> shift === bits >> shift;
}

/** An address of either family as 128 bits. */
function longBits(address: string): bigint | undefined {
  const found = isIpAddress(address) ? addressBits(address) : undefined;
  return found && (found.length === 32 ? (0xffffn << 32n) | found.bits : found.bits);
}

const LOOPBACK = [["127.0.0.0", 8], ["::1", 128]] as const;
const LOCAL = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["fc00::", 7],
  ["fe80::", 10],
] as const;

/** Whether only this machine can be behind `address`. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.some(([network, prefix]) => inNetwork(address, network, prefix));
}

/** Whether `address` is private (RFC 1918, RFC 4193) or link-local. */
export function isLocal(address: string): boolean {
  return LOCAL.some(([network, prefix]) => inNetwork(address, network, prefix));
}

/** What is no address of somebody on the internet (the IANA registries of special-purpose addresses). */
const SPECIAL = [
  ["0.0.0.0", 8],
  ["100.64.0.0", 10],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

/**
 * Whether `address` may be that of a host on the internet: not loopback, private, link-local, multicast, reserved,
 * or an IPv4 address in the guise of an IPv6 one.
 */
export function isPublic(address: string): boolean {
  const found = addressBits(address);
  if (!found || address.includes("%")) return false;
  if (found.length === 128 && !inNetwork(address, "2000::", 3)) return false;
  return !isLoopback(address) && !isLocal(address) &&
    !SPECIAL.some(([network, prefix]) => inNetwork(address, network, prefix));
}
