/**
 * The fibre.
 *
 * @module
 */
export { LinuxPon } from "./linux.ts";
export type { Pon, PonOptics, PonRegistration, PonStatus } from "./pon.ts";
export { SimulatedPon } from "./simulated.ts";
