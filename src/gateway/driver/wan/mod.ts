/**
 * The connections to the outside.
 *
 * @module
 */
export { LinuxWan, type LinuxWanOptions, nameServers } from "./linux.ts";
export { SIMULATED_WAN, SimulatedWan } from "./simulated.ts";
export type { PppoeStatus, Wan, WanConnection, WanRate } from "./wan.ts";
