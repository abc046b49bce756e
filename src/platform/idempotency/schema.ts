/**
 * The table of posts that may be sent again.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";

/** A post with an `Idempotency-Key`: in work, or answered. */
export interface IdempotencyRow {
  /** Hex SHA-256 over caller and key. */
  id: string;
  actor: string;
  digest: string;
  /** The node that does it. */
  node: string;
  created_at: number;
  /** Until when it may be in work where there is no status. */
  due_at: number;
  status: number | null;
  /** A JSON object. */
  headers: string | null;
  /** null with a status: it was too large to keep. */
  body: string | null;
  /** Characters of `body`. */
  size: number;
}

/** The tables of this part. */
export type IdempotencyTables = { idempotency: IdempotencyRow };

/** Makes the tables of {@linkcode IdempotencyTables}. */
export const idempotencyMigrations: Migrations = {
  "2026-11-29-idempotency": {
    async up(db) {
      await db.schema.createTable("idempotency")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("actor", "text", (c) => c.notNull())
        .addColumn("digest", "text", (c) => c.notNull())
        .addColumn("node", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("due_at", "bigint", (c) => c.notNull())
        .addColumn("status", "integer")
        .addColumn("headers", "text").addColumn("body", "text")
        .addColumn("size", "integer", (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema.createIndex("idempotency_actor").on("idempotency").columns(["actor", "size"]).execute();
      await db.schema.createIndex("idempotency_age").on("idempotency").column("created_at").execute();
    },
  },
};
