/**
 * Message push: what gateways send without being asked.
 *
 * @module
 */
export { pushMigrations, type PushTables } from "./schema.ts";
export { type PushService, type PushSettings, startPush } from "./service.ts";
