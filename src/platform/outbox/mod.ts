/**
 * What happened, written in the transaction of the change itself, for those who must hear of it whatever comes next.
 *
 * @module
 */
export { type About, type Happening, type Listener, Outbox, type Telling, type Translate } from "./outbox.ts";
export { outboxMigrations, type OutboxRow, type OutboxTables } from "./schema.ts";
