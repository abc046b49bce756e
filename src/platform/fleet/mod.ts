/**
 * Gateways as a fleet: filters, groups, tags, what was last seen on them, and their histories.
 *
 * @module
 */
export { ALL, type Filter, FILTER_FIELDS, FilterError, MAX_FILTER, parseFilter } from "./filter.ts";
export { Fleet, type FleetDeps } from "./fleet.ts";
export { fleetRoutes } from "./routes.ts";
export {
  fleetMigrations,
  type FleetTables,
  HISTORY_KINDS,
  type HistoryKind,
  type OwnTables as FleetOwnTables,
} from "./schema.ts";
export { beginning } from "./search.ts";
export { MAX_TAGS } from "./tags.ts";
