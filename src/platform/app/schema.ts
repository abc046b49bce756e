/**
 * The phone app's tables, as rows, and the migration that makes them.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";

/** Someone who signed up in the app. */
export interface UserRow {
  id: string;
  /** Normalized: see `userName`. Unique. */
  name: string;
  /** As {@linkcode Passwords} writes it. */
  password: string;
  created_at: number;
}

/** One signed-in device. Only the hash of its token is kept. */
export interface SessionRow {
  /** Hex SHA-256 of the token. */
  token_hash: string;
  user_id: string;
  created_at: number;
  expires_at: number;
}

/** Who owns a gateway. It holds only while the gateway keeps the LOID that was proved. */
export interface BindingRow {
  mac: string;
  user_id: string;
  loid: string;
  bound_at: number;
}

/** The tables of this service. */
export type OwnTables = {
  app_user: UserRow;
  app_session: SessionRow;
  app_binding: BindingRow;
};

/** All that this service sees: its own tables beside those that it shares. */
export type AppTables = RegistryTables & OwnTables;

/** Makes the app's tables. Its name sorts behind the registry's, whose gateways the bindings refer to. */
export const appMigrations: Migrations = {
  "2026-11-22-users-and-bindings": {
    async up(db) {
      await db.schema.createTable("app_user")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull().unique())
        .addColumn("password", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createTable("app_session")
        .addColumn("token_hash", "text", (c) => c.primaryKey())
        .addColumn("user_id", "text", (c) => c.notNull().references("app_user.id").onDelete("cascade"))
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("app_session_user").on("app_session").columns(["user_id", "created_at"])
        .execute();
      await db.schema.createIndex("app_session_expiry").on("app_session").column("expires_at").execute();
      await db.schema.createTable("app_binding")
        .addColumn("mac", "text", (c) => c.primaryKey().references("gateway.mac").onDelete("cascade"))
        .addColumn("user_id", "text", (c) => c.notNull().references("app_user.id").onDelete("cascade"))
        .addColumn("loid", "text", (c) => c.notNull())
        .addColumn("bound_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("app_binding_user").on("app_binding").columns(["user_id", "mac"]).execute();
    },
  },
};
