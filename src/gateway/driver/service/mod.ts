/**
 * Lights, NFC, sleep.
 *
 * @module
 */
export { LinuxServices } from "./linux.ts";
export type { HouseServices, ServiceStatus } from "./service.ts";
export { SimulatedServices } from "./simulated.ts";
