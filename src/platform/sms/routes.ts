/**
 * The short-message service over HTTP, put together.
 *
 * @module
 */
import type { Deps } from "../../base/mod.ts";
import { Routes } from "../../control/mod.ts";
import { type AccountParts, accountRoutes } from "./account_routes.ts";
import type { Elsewheres } from "./elsewhere.ts";
import { type MessageParts, messageRoutes } from "./message_routes.ts";
import { type OperationsParts, operationsRoutes } from "./operations_routes.ts";
import { receivedRoutes } from "./received_routes.ts";
import { type SimulatorParts, simulatorRoutes } from "./simulator_routes.ts";

/** What the routes lean on. */
export interface RouteParts extends AccountParts, MessageParts, OperationsParts, SimulatorParts {
  readonly elsewhere: Elsewheres;
}

/** The routes of the service. */
export function smsRoutes(deps: Pick<Deps, "clock">, parts: RouteParts): Routes {
  const routes = new Routes();
  routes.mount("", accountRoutes(parts));
  routes.mount("", messageRoutes(parts));
  routes.mount("", receivedRoutes(parts.store));
  routes.mount("", operationsRoutes(parts));
  routes.mount("", simulatorRoutes(parts));
  routes.mount("", parts.elsewhere.routesOf(deps));
  return routes;
}
