/**
 * The name server's tables, as rows, and the migration that makes them.
 *
 * @module
 */
import type { CreateTableBuilder } from "kysely";
import { binaryType, type Migrations } from "../../../storage/mod.ts";

/** A gateway that may ask this name server, and is told what changes. */
export interface GnsGatewayRow {
  code: string;
  secret: Uint8Array;
  /** Where it takes updates; null: it only asks. */
  host: string | null;
  port: number | null;
  /** 1: what it says of routes counts at once; 0: an operator looks at it first. */
  trusted: number;
  version: number;
  /** Up to which change it has been told. */
  told: number;
  created_at: number;
  updated_at: number;
  updated_by: string;
}

/** What a route says, in the words of the protocol; what a kind does not have is empty or 0. */
export interface GnsRouteFields {
  destination_id: string;
  gateway_ip: string;
  gateway_port: number;
  /** mt: the segment of numbers. */
  start_id: string;
  end_id: string;
  area_code: string;
  user_type: number;
  /** mo: the provider. */
  sp_id: string;
  sp_code: string;
  sp_access_type: number;
  service_id: string;
  start_code: number;
  end_code: number;
}

/** One route. */
export interface GnsRouteRow extends GnsRouteFields {
  kind: "mt" | "mo";
  /** From 0 upward, for each kind (8.7.4); never used again. */
  route_id: number;
  /** yyyymmddhhmmss: its version. */
  time_stamp: string;
  updated_by: string;
}

/** A change: what is to be told to gateways, and what waits to be looked at. In their order. */
export interface GnsChangeRow extends GnsRouteFields {
  id: number;
  kind: "mt" | "mo";
  route_id: number;
  /** 0 add, 1 delete, 2 update. */
  update_type: number;
  /** `waiting` for an operator, `valid`, or `refused`. */
  state: "waiting" | "valid" | "refused";
  time_stamp: string;
  /** The gateway or the operator that it comes from. */
  source: string;
  created_at: number;
  decided_by: string | null;
}

/** The next Route_Id of a kind. */
export interface GnsNextRow {
  kind: "mt" | "mo";
  next: number;
}

/** The tables of the name server. */
export type GnsTables = {
  gns_gateway: GnsGatewayRow;
  gns_route: GnsRouteRow;
  gns_change: GnsChangeRow;
  gns_next: GnsNextRow;
};

/** Makes the tables. */
export const gnsMigrations: Migrations = {
  "2026-11-23-name-server": {
    async up(db) {
      await db.schema.createTable("gns_gateway")
        .addColumn("code", "text", (c) => c.primaryKey())
        .addColumn("secret", binaryType(db), (c) => c.notNull())
        .addColumn("host", "text")
        .addColumn("port", "integer")
        .addColumn("trusted", "integer", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("told", "bigint", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .execute();
      await withFields(db.schema.createTable("gns_route"))
        .addColumn("updated_by", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("gns_route_pk", ["kind", "route_id"])
        .execute();
      await withFields(db.schema.createTable("gns_change").addColumn("id", "bigint", (c) => c.primaryKey()))
        .addColumn("update_type", "integer", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("source", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("decided_by", "text")
        .execute();
      await db.schema.createIndex("gns_change_state").on("gns_change").columns(["state", "id"]).execute();
      await db.schema.createTable("gns_next")
        .addColumn("kind", "text", (c) => c.primaryKey())
        .addColumn("next", "bigint", (c) => c.notNull())
        .execute();
    },
  },
};

/** The columns that say a route, which both tables have. */
function withFields(table: CreateTableBuilder<string, string>): CreateTableBuilder<string, string> {
  return table.addColumn("kind", "text", (c) => c.notNull())
    .addColumn("route_id", "bigint", (c) => c.notNull())
    .addColumn("destination_id", "text", (c) => c.notNull())
    .addColumn("gateway_ip", "text", (c) => c.notNull())
    .addColumn("gateway_port", "integer", (c) => c.notNull())
    .addColumn("start_id", "text", (c) => c.notNull())
    .addColumn("end_id", "text", (c) => c.notNull())
    .addColumn("area_code", "text", (c) => c.notNull())
    .addColumn("user_type", "integer", (c) => c.notNull())
    .addColumn("sp_id", "text", (c) => c.notNull())
    .addColumn("sp_code", "text", (c) => c.notNull())
    .addColumn("sp_access_type", "integer", (c) => c.notNull())
    .addColumn("service_id", "text", (c) => c.notNull())
    .addColumn("start_code", "bigint", (c) => c.notNull())
    .addColumn("end_code", "bigint", (c) => c.notNull())
    .addColumn("time_stamp", "text", (c) => c.notNull());
}
