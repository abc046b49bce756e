/**
 * The push service's table.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";

/** A message that a gateway pushed. */
export interface PushMessageRow {
  /** Sorts by arrival. */
  id: string;
  mac: string;
  plugin: string;
  /** As the gateway said it: `YYYYMMDDhhmmss`. */
  time: string;
  /** Base64, as it came. */
  message: string;
  md5: string;
  received_at: number;
}

/** The tables of the push service. */
export type PushTables = {
  push_message: PushMessageRow;
};

/** Makes the tables of {@linkcode PushTables}. */
export const pushMigrations: Migrations = {
  "2026-11-22-push": {
    async up(db) {
      await db.schema.createTable("push_message")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("mac", "text", (c) => c.notNull())
        .addColumn("plugin", "text", (c) => c.notNull())
        .addColumn("time", "text", (c) => c.notNull())
        .addColumn("message", "text", (c) => c.notNull())
        .addColumn("md5", "text", (c) => c.notNull())
        .addColumn("received_at", "bigint", (c) => c.notNull())
        .addUniqueConstraint("push_message_once", ["mac", "md5"])
        .execute();
      await db.schema.createIndex("push_message_by_gateway").on("push_message").columns(["mac", "id"])
        .execute();
    },
  },
};
