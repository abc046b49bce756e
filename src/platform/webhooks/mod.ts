/**
 * Webhooks: telling other programs over HTTP what happens, signed, and again until they take it.
 *
 * @module
 */
export { webhookSpecs } from "./events.ts";
export { webhookMigrations, type WebhookTables } from "./schema.ts";
export { startWebhooks, type WebhookParts, type Webhooks, type WebhookSettings } from "./service.ts";
