/**
 * Telephone lines.
 *
 * @module
 */
export { LinuxVoip } from "./linux.ts";
export { SimulatedVoip } from "./simulated.ts";
export type { Voip, VoipLine } from "./voip.ts";
