/**
 * Floor 4: the role of one home gateway.
 *
 * @module
 */
export { type GatewayPorts, startGateway } from "./gateway.ts";
export type { Gateway } from "./running.ts";
export type { GatewaySettings } from "./settings.ts";
export { DEFAULT_TIMING, type RegistrationStatus, type RegistrationTiming } from "./registration/mod.ts";
