/**
 * What came to be settable of links after their tables were made, and how the played centre behaves.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";

/** Adds the columns and the table. */
export const linkMigrations: Migrations = {
  "2026-11-29-short-message-links": {
    async up(db) {
      for (const table of ["sms_account", "sms_peer"]) {
        await db.schema.alterTable(table).addColumn("times", "text").execute();
      }
      await db.schema.alterTable("sms_peer")
        .addColumn("prove_answer", "integer", (c) => c.notNull().defaultTo(0)).execute();
      for (const [column, before] of [["version", 0x30], ["prove_answer", 0]] as const) {
        await db.schema.alterTable("sms_name_server")
          .addColumn(column, "integer", (c) => c.notNull().defaultTo(before)).execute();
      }
      await db.schema.createTable("sms_simulator")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("behaviour", "text", (c) => c.notNull())
        .execute();
    },
  },
};
