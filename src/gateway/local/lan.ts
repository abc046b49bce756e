/**
 * Which interfaces are the LAN, and who is on it.
 *
 * @module
 */
import { inNetwork, type InterfaceAddress, isLocal, isLoopback } from "../driver/mod.ts";

/** What is known of the gateway's own interfaces. */
export interface LanView {
  readonly interfaces: readonly InterfaceAddress[];
  /** Interfaces that the settings call the LAN; undefined: none were named. */
  readonly named?: readonly string[] | undefined;
  /** Interfaces that the settings call the outside: never the LAN, unless they are named as that too. */
  readonly outside?: readonly string[] | undefined;
  /** The own address on the way to the internet, if it can be told. */
  readonly wanAddress?: string | undefined;
}

/** Networks inside the machine: that one of them is there says nothing about where the home is. */
const INNER = /^(docker|virbr|veth|cni|flannel|lxc|lxd|podman|tun|tap|wg|zt)|^br-[0-9a-f]{12}$/;

/**
 * The addresses of the LAN side: those of the named interfaces; else all private ones, without those of the
 * outside: the ones that the settings name, or the one that leads to the internet where another one is left (behind
 * another router, the internet's side has a private address too).
 */
export function lanAddresses({ interfaces, named, outside, wanAddress }: LanView): InterfaceAddress[] {
  const local = interfaces.filter(({ address }) => isLocal(address));
  if (named !== undefined) return local.filter(({ name }) => named.includes(name));
  if (outside !== undefined) return local.filter(({ name }) => !outside.includes(name));
  const wan = interfaces.find(({ address }) => address === wanAddress)?.name;
  const rest = local.filter(({ name }) => name !== wan);
  return rest.some(({ name, address }) => !address.includes(":") && !INNER.test(name)) ? rest : local;
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
