/**
 * Which interfaces are the LAN, and who is on it.
 *
 * @module
 */
import { inNetwork, isLocal, isLoopback } from "../driver/addresses.ts";
import type { InterfaceAddress } from "../driver/mod.ts";

/** What is known of the gateway's own interfaces. */
export interface LanView {
  readonly interfaces: readonly InterfaceAddress[];
  /** Interfaces that the settings call the LAN; undefined: none were named. */
  readonly named?: readonly string[] | undefined;
  /** The own address on the way to the internet, if it can be told. */
  readonly wanAddress?: string | undefined;
}

/**
 * The addresses of the LAN side: those of the named interfaces; else all private ones, without the interface that
 * leads to the internet where another one is left (behind another router, the internet's side has a private address).
 */
export function lanAddresses({ interfaces, named, wanAddress }: LanView): InterfaceAddress[] {
  const local = interfaces.filter(({ address }) => isLocal(address));
  if (named !== undefined) return local.filter(({ name }) => named.includes(name));
  const wan = interfaces.find(({ address }) => address === wanAddress)?.name;
  const rest = local.filter(({ name }) => name !== wan);
  return rest.some(({ address }) => !address.includes(":")) ? rest : local;
}

/**
 * Whether a connection comes from the LAN: from this machine itself, or from a private or link-local address in the
 * network of a LAN interface, to an address of a LAN interface.
 */
export function isLanConnection(peer: string, own: string, view: LanView): boolean {
  if (isLoopback(peer)) return true;
  if (!isLocal(peer)) return false;
  const lan = lanAddresses(view);
  return lan.some(({ address, prefix }) => inNetwork(peer, address, prefix)) &&
    lan.some(({ address }) => inNetwork(own, address, address.includes(":") ? 128 : 32));
}
