/**
 * Where webhooks may lead: to the internet, and to what the platform's operator names; not into the network that the
 * platform stands in, whoever wrote the URL (server-side request forgery).
 *
 * @module
 */
import { inNetwork, isIpAddress, isPublic, plainAddress } from "../../net/mod.ts";

/** Longest URL, in characters. */
export const MAX_URL = 2048;

/** Judges hosts and addresses. */
export class Targets {
  readonly #hosts = new Set<string>();
  readonly #networks: (readonly [network: string, prefix: number])[] = [];

  /** `allowed`: host names, addresses, and networks as `10.1.0.0/16`, that may be spoken to besides the internet. */
  constructor(allowed: readonly string[] = []) {
    for (const one of allowed) {
      const [address = "", prefix] = one.toLowerCase().split("/");
      if (!isIpAddress(address)) this.#hosts.add(address);
      else this.#networks.push([address, Number(prefix ?? (address.includes(":") ? 128 : 32))]);
    }
  }

  /** Why `url` can't be a webhook's, as far as that can be said without asking a name server; undefined: it can. */
  fault(url: string): string | undefined {
    if (!URL.canParse(url)) return "not a URL";
    const { protocol, username, password, hostname } = new URL(url);
    if (protocol !== "http:" && protocol !== "https:") return "its scheme is not http or https";
    if (username !== "" || password !== "") return "it holds a name or password";
    const host = hostOf(hostname);
    return isIpAddress(host) && !this.allows(host, host) ? refusal(host) : undefined;
  }

  /** Whether `host` may be spoken to at `address`, which is what its name was resolved to. */
  allows(host: string, address: string): boolean {
    const plain = plainAddress(address);
    return isPublic(plain) || this.#hosts.has(host.toLowerCase()) ||
      this.#networks.some(([network, prefix]) => inNetwork(plain, network, prefix));
  }
}

/** The host of a URL's `hostname`: IPv6 without its brackets, names without the dot at their end. */
export function hostOf(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** What is said where an address is not spoken to. */
export function refusal(address: string): string {
  return `${address} is not on the internet: --webhook-allow names what else may be called`;
}
