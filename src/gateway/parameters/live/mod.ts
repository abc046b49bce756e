/**
 * Parameters tied to the running gateway.
 *
 * @module
 */
export { bindDevice, type DeviceFacts } from "./device.ts";
export { bindNetwork, type NetworkFacts } from "./network.ts";
export { Mgt, type MgtParts, mgtPresets, type MgtSettings } from "./mgt.ts";
