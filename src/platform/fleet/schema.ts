/**
 * The tables for finding many gateways: tags, groups, what was last seen on them, and their history.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";

/** A word that operators put on a gateway. */
export interface TagRow {
  mac: string;
  tag: string;
}

/** A named set of gateways: those that were put into it, or those that a filter finds at the moment. */
export interface GroupRow {
  name: string;
  description: string;
  /** An RSQL filter; null: the members are in `gateway_group_member`. */
  filter: string | null;
  created_at: number;
  created_by: string;
  updated_at: number;
}

/** A member of a group without a filter. */
export interface GroupMemberRow {
  group_name: string;
  mac: string;
}

/** A plug-in as it was last seen on a gateway. */
export interface SeenPluginRow {
  mac: string;
  name: string;
  version: string;
  running: number;
  seen_at: number;
}

/** A parameter as it was last read of or written to a gateway. */
export interface SeenParameterRow {
  mac: string;
  name: string;
  value: string;
  seen_at: number;
}

/** Something that happened to a gateway. */
export interface HistoryRow {
  /** Sorts by time. */
  id: string;
  mac: string;
  at: number;
  kind: HistoryKind;
  /** JSON: what goes with it. */
  detail: string;
}

/** What can happen to a gateway. */
export const HISTORY_KINDS = [
  "registered",
  "online",
  "offline",
  "changed",
  "removed",
  "restored",
  /** An app user became its owner, or is it no longer. */
  "bound",
  "unbound",
  /** It goes back to its factory presets. */
  "reset",
  /** A plug-in came, went, or was found in another version or state than before. */
  "plugin",
] as const;
/** One of {@linkcode HISTORY_KINDS}. */
export type HistoryKind = typeof HISTORY_KINDS[number];

/** The tables of this part. */
export type OwnTables = {
  gateway_tag: TagRow;
  gateway_group: GroupRow;
  gateway_group_member: GroupMemberRow;
  gateway_plugin: SeenPluginRow;
  gateway_parameter: SeenParameterRow;
  gateway_history: HistoryRow;
};

/** All that this part sees. */
export type FleetTables = RegistryTables & OwnTables;

/** Makes the tables of {@linkcode OwnTables}. Its name sorts behind the registry's, whose gateways they refer to. */
export const fleetMigrations: Migrations = {
  "2026-11-23-the-fleet": {
    async up(db) {
      await db.schema.createTable("gateway_tag")
        .addColumn("mac", "text", (c) => c.notNull().references("gateway.mac").onDelete("cascade"))
        .addColumn("tag", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("gateway_tag_pk", ["mac", "tag"]).execute();
      await db.schema.createIndex("gateway_tag_tag").on("gateway_tag").columns(["tag", "mac"]).execute();
      await db.schema.createTable("gateway_group")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("description", "text", (c) => c.notNull())
        .addColumn("filter", "text")
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createTable("gateway_group_member")
        .addColumn(
          "group_name",
          "text",
          (c) => c.notNull().references("gateway_group.name").onDelete("cascade"),
        )
        .addColumn("mac", "text", (c) => c.notNull().references("gateway.mac").onDelete("cascade"))
        .addPrimaryKeyConstraint("gateway_group_member_pk", ["group_name", "mac"]).execute();
      await db.schema.createIndex("gateway_group_member_mac").on("gateway_group_member").column("mac")
        .execute();
      await db.schema.createTable("gateway_plugin")
        .addColumn("mac", "text", (c) => c.notNull().references("gateway.mac").onDelete("cascade"))
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("running", "integer", (c) => c.notNull())
        .addColumn("seen_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("gateway_plugin_pk", ["mac", "name"]).execute();
      await db.schema.createIndex("gateway_plugin_name").on("gateway_plugin").columns(["name", "version"])
        .execute();
      await db.schema.createTable("gateway_parameter")
        .addColumn("mac", "text", (c) => c.notNull().references("gateway.mac").onDelete("cascade"))
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("value", "text", (c) => c.notNull())
        .addColumn("seen_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("gateway_parameter_pk", ["mac", "name"]).execute();
      await db.schema.createTable("gateway_history")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("mac", "text", (c) => c.notNull())
        .addColumn("at", "bigint", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("detail", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("gateway_history_mac").on("gateway_history").columns(["mac", "id"])
        .execute();
      await db.schema.createIndex("gateway_history_at").on("gateway_history").column("at").execute();
      for (const column of ["region", "model", "firmware"]) {
        // With all that the overview counts in it, so that it need not look at the rows.
        await db.schema.createIndex(`gateway_${column}`).on("gateway").columns([
          "deleted_at",
          column,
          "online",
        ])
          .execute();
      }
      await db.schema.createIndex("gateway_totals").on("gateway")
        .columns(["deleted_at", "online", "registered_at"]).execute();
    },
  },
};
