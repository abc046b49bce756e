/**
 * The distribution platform: the first address a gateway asks, which sends it to its operations platform.
 *
 * @module
 */
export { destination, type DryRun, dryRun } from "./dry_run.ts";
export { type Choice, choose, type Policy, PolicySchema, type PolicySubject } from "./policy.ts";
export {
  distributionMigrations,
  type DistributionTables,
  PolicyConflict,
  PolicyStore,
} from "./policy_store.ts";
export { type DistributionSettings, startDistribution } from "./service.ts";
