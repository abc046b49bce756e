/**
 * The distribution platform: the first address a gateway asks, which sends it to its operations platform.
 *
 * @module
 */
export { type Destination, destinationOf, type DryRun, dryRun } from "./dry_run.ts";
export { type Choice, choose, type Policy, PolicySchema, type PolicySubject } from "./policy.ts";
export {
  distributionMigrations,
  type DistributionTables,
  PolicyConflict,
  PolicyStore,
} from "./policy_store.ts";
export { PolicyScriptError, PolicyScripts, type Trial } from "./policy_script.ts";
export { type DistributionSettings, startDistribution } from "./service.ts";
