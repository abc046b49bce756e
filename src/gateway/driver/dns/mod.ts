/**
 * The name service of the house.
 *
 * @module
 */
export type { NameServers, Redirection } from "./dns.ts";
export { MAX_REDIRECTIONS, parseRedirections } from "./dnsmasq.ts";
export { type Dnsmasq, LinuxNameServers, type LinuxNameServersOptions } from "./linux.ts";
export { SimulatedNameServers } from "./simulated.ts";
