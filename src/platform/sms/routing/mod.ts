/**
 * Which way messages go: numbers, routes, and whoever is asked for them.
 *
 * @module
 */
export { nationalNumber } from "./numbers.ts";
export { type Route, RouteError, RouteStore, targetText } from "./route_store.ts";
export { RouteTable, type TableRoute } from "./route_table.ts";
export { RoutedOutlet } from "./routed_outlet.ts";
export { type Decision, type NameServer, Router } from "./router.ts";
export {
  type ForwardRow,
  type NameServerRow,
  type PeerRow,
  type ReceivedRow,
  type RouteKind,
  type RouteRow,
  routingMigrations,
  type RoutingTables,
} from "./schema.ts";
