/**
 * The platform's own upkeep: backups of its database.
 *
 * @module
 */
export { type Backup, Backups } from "./backups.ts";
export { systemRoutes } from "./routes.ts";
