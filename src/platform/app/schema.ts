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
  /** Since when an operator keeps the user from signing in; null: nobody does. */
  locked_at: number | null;
}

/** One signed-in device: the family of all tokens that came of one sign-in. */
export interface SessionRow {
  id: string;
  user_id: string;
  /** What the device calls itself. */
  device: string;
  created_at: number;
  /** When its tokens were last renewed. */
  renewed_at: number;
  /** Until when they can be renewed. */
  expires_at: number;
  /** How often they were renewed. */
  generation: number;
  /** 1: the device has shown that it has the newest tokens. */
  confirmed: number;
}

/** A token of a session. Only its hash is kept. */
export interface TokenRow {
  /** Hex SHA-256 of the token. */
  hash: string;
  session_id: string;
  kind: "access" | "refresh";
  /** Which renewal it came of. One that is -1 must never be shown again. */
  generation: number;
  expires_at: number;
}

/** Who owns a gateway. It holds only while the gateway keeps the LOID that was proved. */
export interface BindingRow {
  mac: string;
  user_id: string;
  loid: string;
  bound_at: number;
}

/** What someone may do with a gateway that another user owns: all but sharing it, or only look. */
export type Rights = "use" | "view";

/** Somebody whom the owner lets use a gateway. Ends with the binding. */
export interface MemberRow {
  mac: string;
  user_id: string;
  rights: Rights;
  joined_at: number;
}

/** An owner's offer to become a member. Ends with the binding. */
export interface InvitationRow {
  id: string;
  mac: string;
  /** Whom it is for; null: whoever has the code, or nobody, where the name that was given is no user's. */
  user_id: string | null;
  /** The name that was given. */
  name: string | null;
  /** Hex SHA-256 of the code. */
  code_hash: string | null;
  rights: Rights;
  created_at: number;
  expires_at: number;
}

/** A proof that has bound a gateway: it does not bind it again. */
export interface UsedProofRow {
  mac: string;
  /** Hex SHA-256 of the proof in upper case. */
  proof_hash: string;
  used_at: number;
}

/** The tables of this service. */
export type OwnTables = {
  app_user: UserRow;
  app_session: SessionRow;
  app_token: TokenRow;
  app_binding: BindingRow;
  app_member: MemberRow;
  app_invitation: InvitationRow;
  app_used_proof: UsedProofRow;
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
  "2026-11-23-app-tokens-and-members": {
    async up(db) {
      // Whoever was signed in signs in again: what was kept of them can't be renewed.
      await db.schema.dropTable("app_session").execute();
      await db.schema.createTable("app_session")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("user_id", "text", (c) => c.notNull().references("app_user.id").onDelete("cascade"))
        .addColumn("device", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("renewed_at", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .addColumn("generation", "integer", (c) => c.notNull())
        .addColumn("confirmed", "integer", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("app_session_owner").on("app_session").columns(["user_id", "created_at"])
        .execute();
      await db.schema.createIndex("app_session_end").on("app_session").column("expires_at").execute();
      await db.schema.createTable("app_token")
        .addColumn("hash", "text", (c) => c.primaryKey())
        .addColumn("session_id", "text", (c) => c.notNull().references("app_session.id").onDelete("cascade"))
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("generation", "integer", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("app_token_session").on("app_token").columns(["session_id", "generation"])
        .execute();
      await db.schema.createIndex("app_token_end").on("app_token").column("expires_at").execute();
      await db.schema.createTable("app_member")
        .addColumn("mac", "text", (c) => c.notNull().references("app_binding.mac").onDelete("cascade"))
        .addColumn("user_id", "text", (c) => c.notNull().references("app_user.id").onDelete("cascade"))
        .addColumn("rights", "text", (c) => c.notNull())
        .addColumn("joined_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("app_member_pk", ["mac", "user_id"])
        .execute();
      await db.schema.createIndex("app_member_user").on("app_member").columns(["user_id", "mac"]).execute();
      await db.schema.createTable("app_invitation")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("mac", "text", (c) => c.notNull().references("app_binding.mac").onDelete("cascade"))
        .addColumn("user_id", "text", (c) => c.references("app_user.id").onDelete("cascade"))
        .addColumn("name", "text")
        .addColumn("code_hash", "text", (c) => c.unique())
        .addColumn("rights", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("app_invitation_mac").on("app_invitation").column("mac").execute();
      await db.schema.createIndex("app_invitation_user").on("app_invitation").column("user_id").execute();
      // Refers to no gateway: presetting one anew is no way to use a proof again.
      await db.schema.createTable("app_used_proof")
        .addColumn("mac", "text", (c) => c.notNull())
        .addColumn("proof_hash", "text", (c) => c.notNull())
        .addColumn("used_at", "bigint", (c) => c.notNull())
        .addPrimaryKeyConstraint("app_used_proof_pk", ["mac", "proof_hash"])
        .execute();
    },
  },
  "2026-11-29-app-user-locks": {
    async up(db) {
      await db.schema.alterTable("app_user").addColumn("locked_at", "bigint").execute();
    },
  },
};
