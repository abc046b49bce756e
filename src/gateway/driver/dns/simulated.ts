/**
 * The name service of a home gateway that does not exist.
 *
 * @module
 */
import { isIpAddress } from "../../../net/mod.ts";
import { DriverError } from "../errors.ts";
import type { NameServers, Redirection } from "./dns.ts";
import { redirectConf } from "./dnsmasq.ts";

const TOLD = ["192.0.2.53", "192.0.2.54"];

/** The {@linkcode NameServers} that simulates. */
export class SimulatedNameServers implements NameServers {
  #servers: readonly string[] = TOLD;
  #redirections: readonly Redirection[] = [];

  /** Those in use; costs nothing to ask. */
  current(): readonly string[] {
    return this.#servers;
  }

  servers(): Promise<readonly string[]> {
    return Promise.resolve(this.#servers);
  }

  setServers(addresses: readonly string[]): Promise<void> {
    const bad = addresses.find((address) => !isIpAddress(address));
    if (bad !== undefined) return Promise.reject(new DriverError("invalid", `not an IP address: "${bad}"`));
    this.#servers = addresses.length > 0 ? addresses : TOLD;
    return Promise.resolve();
  }

  redirect(redirections: readonly Redirection[]): Promise<void> {
    try {
      redirectConf(redirections); // refuses what a real one would refuse
    } catch (error) {
      return Promise.reject(error);
    }
    this.#redirections = redirections;
    return Promise.resolve();
  }

  /** The address that a name was redirected to, by itself or by what it is under. */
  redirected(name: string): string | undefined {
    const plain = name.toLowerCase().replace(/\.$/, "");
    return this.#redirections.find((one) => plain === one.name || plain.endsWith(`.${one.name}`))?.address;
  }

  /** As the factory made it. */
  recover(): void {
    this.#servers = TOLD;
    this.#redirections = [];
  }
}
