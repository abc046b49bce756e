/**
 * Reading what `ip -json` and `bridge -json` say about links, neighbours and who is behind which port.
 *
 * @module
 */

/** A link with its counters. */
export interface Link {
  readonly name: string;
  readonly up: boolean;
  readonly loopback: boolean;
  /** `bridge`, `veth` …; undefined for what is made of metal. */
  readonly kind: string | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Somebody whose hardware address is known. */
export interface Neighbour {
  readonly address: string;
  readonly mac: string;
  /** Whether it was heard lately, as far as the kernel tells. */
  readonly alive: boolean;
}

/** Neighbours that nobody heard of for so many seconds are gone. Bridges forget after the same time. */
const ALIVE_SECONDS = 300;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

type Loose = { readonly [name: string]: unknown };

function objects(value: unknown): Loose[] {
  return Array.isArray(value)
    ? value.filter((entry) => typeof entry === "object" && entry !== null && !Array.isArray(entry))
    : [];
}

function object(value: unknown): Loose {
  return objects([value])[0] ?? {};
}

function count(value: unknown): number {
  return typeof value === "number" && value >= 0 ? value : 0;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

/** `ip -json -s -d link`, by name as people sort names: `lan2` before `lan10`. */
export function parseLinks(json: unknown): Link[] {
  return objects(json).flatMap((link) => {
    const { ifname, flags, operstate } = link;
    if (typeof ifname !== "string") return [];
    const { rx, tx } = object(link["stats64"]), { info_kind } = object(link["linkinfo"]);
    const marks = texts(flags);
    return [{
      name: ifname,
      up: operstate === "UP" || (operstate === "UNKNOWN" && marks.includes("LOWER_UP")),
      loopback: marks.includes("LOOPBACK"),
      kind: typeof info_kind === "string" ? info_kind : undefined,
      receivedBytes: count(object(rx)["bytes"]),
      sentBytes: count(object(tx)["bytes"]),
    }];
  }).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** `ip -json -s neigh`: those with a hardware address, IPv4 only. */
export function parseNeighbours(json: unknown): Neighbour[] {
  return objects(json).flatMap(({ dst, lladdr, state, confirmed }) => {
    if (typeof dst !== "string" || !/^[\d.]+$/.test(dst)) return [];
    if (typeof lladdr !== "string" || !MAC.test(lladdr)) return [];
    const states = texts(state);
    if (states.includes("FAILED") || states.includes("INCOMPLETE")) return [];
    const fresh = states.some((one) => one === "REACHABLE" || one === "DELAY" || one === "PROBE");
    return [{
      address: dst,
      mac: lladdr.toUpperCase(),
      alive: fresh || (typeof confirmed === "number" && confirmed <= ALIVE_SECONDS),
    }];
  });
}

/** `bridge -json fdb`: which hardware address was learned behind which port. */
export function parseForwarding(json: unknown): Map<string, string> {
  const learned = new Map<string, string>();
  for (const { mac, ifname, state, flags } of objects(json)) {
    // What the bridge was told is its own, or multicast.
    if (typeof mac !== "string" || typeof ifname !== "string" || !MAC.test(mac)) continue;
    if (state === "permanent" || texts(flags).includes("self")) continue;
    learned.set(mac.toUpperCase(), ifname);
  }
  return learned;
}

/** The interfaces of `ip -json -4 address` with a private address, but for loopback. */
export function parsePrivateInterfaces(json: unknown, isPrivate: (address: string) => boolean): string[] {
  return objects(json).flatMap(({ ifname, flags, addr_info }) => {
    const own = objects(addr_info).some(({ local }) => typeof local === "string" && isPrivate(local));
    const marks = texts(flags);
    return typeof ifname === "string" && own && !marks.includes("LOOPBACK") && !marks.includes("POINTOPOINT")
      ? [ifname]
      : [];
  });
}

/** The interfaces that routes of `ip -json route` go out by. */
export function parseRouteInterfaces(json: unknown): string[] {
  return objects(json).flatMap(({ dev, nexthops }) =>
    [dev, ...objects(nexthops).map((hop) => hop["dev"])].filter((name) => typeof name === "string")
  );
}

/** Host names and addresses by hardware address, in what dnsmasq keeps of its leases; those at an end are left out. */
export function parseLeases(text: string, now: number): Map<string, { address: string; hostName?: string }> {
  const leases = new Map<string, { address: string; hostName?: string }>();
  for (const line of text.split("\n")) {
    const [end, mac, address, hostName] = line.split(" ");
    if (end === undefined || !/^\d+$/.test(end) || !MAC.test(mac ?? "") || !/^[\d.]+$/.test(address ?? "")) {
      continue;
    }
    // 0: for ever.
    if (Number(end) !== 0 && Number(end) * 1000 < now) continue;
    const named = hostName !== undefined && hostName !== "*" && hostName.length <= 64;
    leases.set(mac!.toUpperCase(), { address: address!, ...(named && { hostName }) });
  }
  return leases;
}
