/**
 * The routes of the fleet.
 *
 * @module
 */
import { Routes } from "../../control/mod.ts";
import type { Fleet } from "./fleet.ts";
import { groupRoutes } from "./group_routes.ts";
import { seenRoutes } from "./seen_routes.ts";
import { tagRoutes } from "./tag_routes.ts";

/** All of them. `now`: milliseconds since 1970. */
export function fleetRoutes(fleet: Fleet, now: () => number): Routes {
  return new Routes().mount("", groupRoutes(fleet, now)).mount("", tagRoutes(fleet)).mount(
    "",
    seenRoutes(fleet),
  );
}
