/**
 * Rollouts: one action on many gateways, stage by stage, with brakes.
 *
 * @module
 */
export { RolloutError, type RolloutErrorCode } from "./errors.ts";
export { type NewRollout, type RolloutParts, Rollouts } from "./rollouts.ts";
export { rolloutRoutes } from "./routes.ts";
export { rolloutMigrations, type RolloutStatus, type RolloutTables } from "./schema.ts";
export { RolloutStore } from "./store.ts";
export { ItemView, RolloutView } from "./views.ts";
