/**
 * The tables of operators, their sessions, API keys and the audit log.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";
import type { Role } from "./permissions.ts";

/** Someone who signs in to the console or the operators' API. */
export interface OperatorRow {
  id: string;
  /** Normalized as app users' names are. Unique. */
  name: string;
  /** As `Passwords` writes it. */
  password: string;
  role: Role;
  /** Groups of gateways that they are confined to, as a JSON array; null: all. */
  groups: string | null;
  /** 1: may not sign in, and their sessions are not good. */
  disabled: number;
  created_at: number;
  created_by: string;
  updated_at: number;
  signed_in_at: number | null;
}

/** One signed-in browser or program. Only the hash of its token is kept. */
export interface OperatorSessionRow {
  /** Hex SHA-256 of the token. */
  token_hash: string;
  operator_id: string;
  created_at: number;
  expires_at: number;
}

/** A machine's way in. Only the hash of the key is kept. */
export interface ApiKeyRow {
  id: string;
  name: string;
  /** Hex SHA-256 of the key. */
  key_hash: string;
  /** The key's first characters, to tell keys apart by. */
  hint: string;
  /** A JSON array of permissions. */
  permissions: string;
  groups: string | null;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

/** One entry of the audit log. */
export interface AuditRow {
  /** 1, 2, 3 … without gaps. */
  seq: number;
  at: number;
  /** `admin`, `operator:<id>`, `key:<id>`. */
  actor: string;
  actor_name: string;
  /** `PUT /api/v1/distribution/policy`, or `session.refused` and such. */
  action: string;
  /** The path as it was called. */
  target: string;
  status: number;
  address: string;
  request_id: string;
  /** JSON, or null where there was nothing. */
  before: string | null;
  after: string | null;
  /** Hex SHA-256 over the entry before's hash and this entry. */
  hash: string;
}

/** The tables of this part. */
export type PeopleTables = {
  operator: OperatorRow;
  operator_session: OperatorSessionRow;
  api_key: ApiKeyRow;
  audit: AuditRow;
};

/** Makes the tables of {@linkcode PeopleTables}. */
export const peopleMigrations: Migrations = {
  "2026-11-23-people": {
    async up(db) {
      await db.schema.createTable("operator")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull().unique())
        .addColumn("password", "text", (c) => c.notNull())
        .addColumn("role", "text", (c) => c.notNull())
        .addColumn("groups", "text")
        .addColumn("disabled", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("signed_in_at", "bigint")
        .execute();
      await db.schema.createTable("operator_session")
        .addColumn("token_hash", "text", (c) => c.primaryKey())
        .addColumn("operator_id", "text", (c) => c.notNull().references("operator.id").onDelete("cascade"))
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("operator_session_owner").on("operator_session")
        .columns(["operator_id", "created_at"]).execute();
      await db.schema.createTable("api_key")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("key_hash", "text", (c) => c.notNull().unique())
        .addColumn("hint", "text", (c) => c.notNull())
        .addColumn("permissions", "text", (c) => c.notNull())
        .addColumn("groups", "text")
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("expires_at", "bigint").addColumn("last_used_at", "bigint")
        .addColumn("revoked_at", "bigint")
        .execute();
      await db.schema.createTable("audit")
        .addColumn("seq", "bigint", (c) => c.primaryKey())
        .addColumn("at", "bigint", (c) => c.notNull())
        .addColumn("actor", "text", (c) => c.notNull())
        .addColumn("actor_name", "text", (c) => c.notNull())
        .addColumn("action", "text", (c) => c.notNull())
        .addColumn("target", "text", (c) => c.notNull())
        .addColumn("status", "integer", (c) => c.notNull())
        .addColumn("address", "text", (c) => c.notNull())
        .addColumn("request_id", "text", (c) => c.notNull())
        .addColumn("before", "text").addColumn("after", "text")
        .addColumn("hash", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("audit_actor").on("audit").columns(["actor", "seq"]).execute();
      await db.schema.createIndex("audit_at").on("audit").column("at").execute();
    },
  },
};
