/**
 * The table of what happened and has not been handed on.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";

/** Something that happened. It is there until it has been handed on: a moment. */
export interface OutboxRow {
  /** Sorts by time. */
  id: string;
  type: string;
  at: number;
  /** JSON. */
  data: string;
  /** Whom it is about, as JSON. */
  about: string;
}

/** The tables of this part. */
export type OutboxTables = { outbox: OutboxRow };

/** Makes the tables of {@linkcode OutboxTables}. */
export const outboxMigrations: Migrations = {
  "2026-11-29-b-outbox": {
    async up(db) {
      await db.schema.createTable("outbox")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("type", "text", (c) => c.notNull())
        .addColumn("at", "bigint", (c) => c.notNull())
        .addColumn("data", "text", (c) => c.notNull())
        .addColumn("about", "text", (c) => c.notNull())
        .execute();
    },
  },
};
