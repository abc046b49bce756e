/**
 * Message push: what gateways send without being asked.
 *
 * @module
 */
export { afterQuery, MessageView, pluginQuery, PushedMessages, STREAM_DESCRIPTION } from "./messages.ts";
export { pushMigrations, type PushTables } from "./schema.ts";
export { type PushService, type PushSettings, startPush } from "./service.ts";
