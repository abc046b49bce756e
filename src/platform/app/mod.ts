/**
 * The phone app's service.
 *
 * @module
 */
export { appMigrations, type AppTables } from "./schema.ts";
export { type App, type AppParts, startApp } from "./service.ts";
export type { AppSettings } from "./settings.ts";
