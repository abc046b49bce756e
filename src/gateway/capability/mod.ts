/**
 * How capability commands reach plug-ins, and what plug-ins may ask of the gateway.
 *
 * @module
 */
export { chosen } from "./chosen.ts";
export {
  type CapabilityAnswer,
  type CapabilityCall,
  type CapabilityOutcome,
  Dispatcher,
  type Origin,
} from "./dispatcher.ts";
export { type HostDeps, hostFunctions } from "./host_functions.ts";
export { rightsFunctions, type RightsKeeper } from "./rights.ts";
