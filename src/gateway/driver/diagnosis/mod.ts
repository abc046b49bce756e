/**
 * Looking for what is wrong with the network.
 *
 * @module
 */
export type {
  Diagnosis,
  Hop,
  InformReport,
  PingOptions,
  PingReport,
  TracerouteOptions,
} from "./diagnosis.ts";
export { LinuxDiagnosis } from "./linux.ts";
export { SimulatedDiagnosis } from "./simulated.ts";
