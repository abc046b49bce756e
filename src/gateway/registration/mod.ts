/**
 * How a gateway finds its platform, stays with it, and hears its triggers.
 *
 * @module
 */
export type { RegistrationState, RegistrationStatus } from "./context.ts";
export type { Registered } from "./operations.ts";
export { Registration, type RegistrationOptions } from "./registration.ts";
export { DEFAULT_TIMING, type RegistrationTiming } from "./timing.ts";
export { type Trigger, Triggers } from "./triggers.ts";
