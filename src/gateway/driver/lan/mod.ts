/**
 * The home network.
 *
 * @module
 */
export { type DeviceAccess, type DeviceBandwidth, deviceMac, type Lan, MAX_DEVICES } from "./lan.ts";
export * from "./links.ts";
export { LinuxLan } from "./linux.ts";
export { SimulatedHome, SimulatedLan, VISITOR } from "./simulated.ts";
