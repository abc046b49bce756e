/**
 * All migrations of the service.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";
import { routingMigrations } from "./routing/schema.ts";
import { smsMigrations as ownMigrations } from "./schema.ts";

/** Makes the tables of the service and of its routing. */
export const smsMigrations: Migrations = { ...ownMigrations, ...routingMigrations };
