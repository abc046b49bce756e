/**
 * Posts that may be sent again without being done twice: keys and answers in the platform's database.
 *
 * @module
 */
export { idempotencyMigrations, type IdempotencyTables } from "./schema.ts";
export { IdempotencyKeys } from "./store.ts";
