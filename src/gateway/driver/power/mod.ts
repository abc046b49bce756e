/**
 * What is done to the machine as a whole.
 *
 * @module
 */
export { LinuxPower, type PowerCommands } from "./linux.ts";
export type { Firmware, Power } from "./power.ts";
export { type PowerEvents, SimulatedPower } from "./simulated.ts";
