/**
 * All migrations of the service.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";
import { gnsMigrations } from "./gns/mod.ts";
import { linkMigrations } from "./link_schema.ts";
import { routingMigrations } from "./routing/mod.ts";
import { smsMigrations as ownMigrations } from "./schema.ts";

/** Makes the tables of the service, of its routing and of the name server. */
export const smsMigrations: Migrations = {
  ...ownMigrations,
  ...routingMigrations,
  ...gnsMigrations,
  ...linkMigrations,
};
