/**
 * The distribution platform: the first address a gateway asks, which sends it to its operations platform.
 *
 * @module
 */
export { type Choice, choose, type Policy, PolicySchema, type PolicySubject } from "./policy.ts";
export { PolicyStore } from "./policy_store.ts";
export { type DistributionSettings, startDistribution } from "./service.ts";
