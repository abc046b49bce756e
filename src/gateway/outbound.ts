/**
 * Fetching what a platform names by a URL (plug-ins, firmware): from the platform's side, and not out of the home or
 * out of the gateway itself, whoever wrote the URL (server-side request forgery).
 *
 * The name is looked up once, the address is judged, and the connection goes to that very address: a name server can't
 * change its mind in between. Redirections are errors, as they could point anywhere.
 *
 * @module
 */
import { GatehouseError } from "../base/mod.ts";
import { fetchFrom, plainAddress } from "../net/mod.ts";
import { inNetwork, type InterfaceAddress, isLoopback } from "./driver/mod.ts";

/** Fetches, hands the response on, and lets go of the connection once `use` is through. */
export type Fetcher = <T>(
  url: string,
  init: RequestInit,
  use: (response: Response) => Promise<T>,
) => Promise<T>;

/** From wherever the URL says. For tests, and where somebody on this machine chose the URL. */
export const openFetcher: Fetcher = async (url, init, use) =>
  await use(await fetch(url, { ...init, redirect: "error" }));

/** What is known of the places around the gateway. */
export interface Surroundings {
  /** The gateway's own addresses. */
  interfaces(): readonly InterfaceAddress[];
  /** Those of them that are on the home's side. */
  lan(): readonly InterfaceAddress[];
  /** The address of the platform that gives orders now; undefined: there is none. */
  platform(): string | undefined;
}

/** Nobody's, this machine's own, or an IPv4 address in the guise of an IPv6 one. */
const NEVER = [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
  ["::", 8],
  ["fe80::", 10],
  ["ff00::", 8],
  ["2002::", 16],
] as const;

/**
 * Whether a platform may have something fetched from `address`: not from the gateway itself and not from the home,
 * but always from where the platform itself is. Private addresses elsewhere are a carrier's own network.
 */
export function mayFetchFrom(address: string, { interfaces, lan, platform }: Surroundings): boolean {
  const home = platform();
  if (home !== undefined && (address === home || (isLoopback(home) && isLoopback(address)))) return true;
  if (address.includes("%") || NEVER.some(([network, prefix]) => inNetwork(address, network, prefix))) {
    return false;
  }
  if (interfaces().some((own) => own.address === address)) return false;
  // A network that the platform is in too is not the home's: a machine with one network has no other to be called LAN.
  return !lan().some(({ address: own, prefix }) =>
    inNetwork(address, own, prefix) && !(home !== undefined && inNetwork(home, own, prefix))
  );
}

/** A fetcher for what platforms name. It throws GatehouseError `closed` for an address that is not to be spoken to. */
export function platformFetcher(
  lookup: (host: string) => Promise<string>,
  surroundings: Surroundings,
): Fetcher {
  return async (url, init, use) => {
    const { hostname } = new URL(url);
    const address = plainAddress(await lookup(hostname.replace(/^\[|\]$/g, "")));
    init.signal?.throwIfAborted();
    if (!mayFetchFrom(address, surroundings)) {
      throw new GatehouseError(
        "closed",
        `"${hostname}" is inside the home or the gateway: nothing is fetched from there`,
      );
    }
    const { method, headers, signal } = init;
    return await fetchFrom(address, url, { method, headers, signal }, async (response) => {
      if (response.status >= 300 && response.status < 400) {
        throw new TypeError(`"${hostname}" answers with a redirection: it is not followed`);
      }
      return await use(response);
    });
  };
}
