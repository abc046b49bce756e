/**
 * The tables by which nodes know who holds what.
 *
 * @module
 */
import type { RawBuilder } from "kysely";
import { sql } from "kysely";
import type { Migrations } from "../../storage/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";

/** A node, in its life of the moment. */
export interface NodeRow {
  node: string;
  /** Counts up whenever it joins, and whenever others give it up: what an earlier one wrote no longer counts. */
  epoch: number;
  /** Until when it holds what it holds, by the database's clock; 0: it left, or was given up. */
  expires_at: number;
  joined_at: number;
}

/** Who holds a gateway. A node of another epoch than its row in `cluster_node` says holds nothing. */
export interface OwnerRow {
  mac: string;
  /** The node that hears its heartbeats, and can trigger it. */
  node: string | null;
  epoch: number | null;
  /** The node that its plug-in channel ends at. */
  channel_node: string | null;
  channel_epoch: number | null;
}

/** Something that one node does for all. */
export interface DutyRow {
  name: string;
  node: string;
  epoch: number;
}

/** The cluster itself. */
export interface ClusterRow {
  /** Always 1. */
  id: number;
  /** Keeps clusters apart that share a NATS server. */
  name: string;
}

/** A plug-in's file, for the nodes that did not take it in. */
export interface PluginFileRow {
  sha256: string;
  content: Uint8Array;
}

/** The tables of this part. */
export type OwnTables = {
  cluster: ClusterRow;
  cluster_node: NodeRow;
  cluster_duty: DutyRow;
  gateway_owner: OwnerRow;
  plugin_file: PluginFileRow;
};

/** All that this part sees. */
export type NodeTables = RegistryTables & OwnTables;

/** Milliseconds since 1970 by PostgreSQL's own clock, at this very moment: nodes' clocks decide nothing. */
export const DATABASE_NOW: RawBuilder<number> = sql<
  number
>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/** Makes the tables of {@linkcode OwnTables}. */
export const nodeMigrations: Migrations = {
  "2026-11-23-x-nodes": {
    async up(db) {
      await db.schema.createTable("cluster")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull())
        .execute();
      await db.schema.createTable("cluster_node")
        .addColumn("node", "text", (c) => c.primaryKey())
        .addColumn("epoch", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .addColumn("joined_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createTable("cluster_duty")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("node", "text", (c) => c.notNull())
        .addColumn("epoch", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createTable("gateway_owner")
        .addColumn("mac", "text", (c) => c.primaryKey())
        .addColumn("node", "text").addColumn("epoch", "bigint")
        .addColumn("channel_node", "text").addColumn("channel_epoch", "bigint")
        .execute();
      await db.schema.alterTable("command").addColumn("node", "text").execute();
      await db.schema.alterTable("command").addColumn("epoch", "bigint").execute();
    },
  },
  "2026-11-23-y-files-of-nodes": {
    async up(db) {
      await db.schema.createTable("plugin_file")
        .addColumn("sha256", "text", (c) => c.primaryKey())
        .addColumn("content", sql`bytea`, (c) => c.notNull())
        .execute();
    },
  },
};
