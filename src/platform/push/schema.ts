/**
 * The push service's tables.
 *
 * @module
 */
import { sql } from "kysely";
import type { Migrations } from "../../storage/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";

/** A message that a gateway pushed. */
export interface PushMessageRow {
  id: string;
  /**
   * Its place among all messages. Numbers go up in the order in which messages become visible to readers, also where
   * several nodes write: whoever has read up to a number has missed none before it. There are gaps.
   */
  seq: number;
  mac: string;
  plugin: string;
  /** As the gateway said it: `YYYYMMDDhhmmss`. */
  time: string;
  /** Base64, as it came. */
  message: string;
  md5: string;
  received_at: number;
}

/** The one row that hands out `seq`: whoever writes messages holds it until they are committed. */
export interface PushCounterRow {
  name: "seq";
  value: number;
}

/** The tables of the push service, and what it notes of gateways. */
export type PushTables = Pick<RegistryTables, "gateway_reset"> & {
  push_message: PushMessageRow;
  push_counter: PushCounterRow;
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
  "2026-11-23-push-order": {
    async up(db) {
      await db.schema.alterTable("push_message").addColumn("seq", "bigint").execute();
      await sql`update push_message set seq = numbered.n
        from (select id, row_number() over (order by id) as n from push_message) as numbered
        where push_message.id = numbered.id`.execute(db);
      await db.schema.createIndex("push_message_in_order").on("push_message").column("seq").unique()
        .execute();
      await db.schema.createIndex("push_message_of_gateway").on("push_message").columns(["mac", "seq"])
        .execute();
      await db.schema.createIndex("push_message_by_age").on("push_message").column("received_at").execute();
      await db.schema.dropIndex("push_message_by_gateway").execute();
      await db.schema.createTable("push_counter")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("value", "bigint", (c) => c.notNull())
        .execute();
      await sql`insert into push_counter (name, value)
        select 'seq', coalesce(max(seq), 0) from push_message`.execute(db);
    },
  },
};
