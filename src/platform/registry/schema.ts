/**
 * The registry's tables, as rows, and the migration that makes them.
 *
 * Times are milliseconds since 1970; truth values are 0 and 1, so that both databases keep them alike.
 *
 * @module
 */
import { sql } from "kysely";
import { type Migrations, onServer } from "../../storage/mod.ts";

/** One preset home gateway, and what is known of it. */
export interface GatewayRow {
  /** 12 upper-case hex digits. */
  mac: string;
  /** `<OUI>-<SerialNumber>`. */
  sn: string;
  loid: string;
  vendor: string | null;
  model: string | null;
  region: string | null;
  /** An operations platform (`host:port`) that goes before every policy. */
  pinned_operations: string | null;
  /** 1: the next Boot is answered with result 3 (restore defaults and go through distribution). */
  renew: number;
  firmware: string | null;
  hardware: string | null;
  os_version: string | null;
  app_version: string | null;
  card: string | null;
  wan_ip: string | null;
  /** The source of its UDP packets, `host:port`, as of the last flush. */
  address: string | null;
  /** The DevRND that triggers and bindings are checked with, and the one before it. */
  dev_rnd: string | null;
  previous_dev_rnd: string | null;
  registered_at: number | null;
  last_seen_at: number | null;
  online: number;
  created_at: number;
  updated_at: number;
  /** When it was removed: it is as if it were not there, until it is restored or purged. */
  deleted_at: number | null;
}

/** A gateway that goes back to its factory presets, until all who have to act on it have. */
export interface GatewayResetRow {
  mac: string;
  at: number;
}

/** What a command does on the gateway. */
export type CommandKind =
  | "post"
  | "install"
  | "uninstall"
  | "run"
  | "stop"
  | "list"
  /** Restore the plug-in as it left the factory. */
  | "factory"
  /** Give it its parameters. */
  | "configure"
  /** Send it to another platform (RequestDistri). */
  | "redistribute";

/** Where a command stands. The last four are final. */
export type CommandStatus =
  | "queued"
  | "sent"
  | "acked"
  | "succeeded"
  | "failed"
  | "timed_out"
  | "cancelled";

/** One remote command, from its request to its end. */
export interface CommandRow {
  id: string;
  mac: string;
  kind: CommandKind;
  plugin: string;
  version: string;
  /** The inner request as JSON text; `{}` for kinds that carry none. */
  parameter: string;
  /** Who asked: `admin`, `user:<id>`. */
  actor: string;
  status: CommandStatus;
  /** The gateway's outer Result, once there is one. */
  result: number | null;
  /** The decoded inner reply as JSON text, once there is one. */
  reply: string | null;
  /** Why it did not succeed: a stable code, and a sentence. */
  error_code: string | null;
  error: string | null;
  /** How far an installation is, 0 to 100. */
  progress: number | null;
  /** How often it was sent. */
  attempt: number;
  created_at: number;
  deadline_at: number;
  sent_at: number | null;
  acked_at: number | null;
  finished_at: number | null;
  /** 1: nothing else runs on its gateway while it does. */
  exclusive: number;
  /** 1: doing it twice is doing it once, so that it is sent again where its answer was lost. */
  repeatable: number;
  /** How often it is sent at most. */
  max_attempts: number;
  /** The pause before it is sent again where the gateway was busy, in milliseconds; null: then it has failed. */
  retry_delay_ms: number | null;
  /** The node that runs it, and in which of its lives, where there are several nodes: nobody else may change it. */
  node?: string | null | undefined;
  epoch?: number | null | undefined;
}

/** Why a command was sent once more: what its row alone does not tell. */
export interface CommandEventRow {
  command_id: string;
  at: number;
  /** The attempt that came to nothing, and when it was sent. */
  attempt: number;
  sent_at: number | null;
  reason: "lost" | "not_sent" | "busy" | "restarted";
  /** One sentence for people. */
  detail: string;
}

/** One version of a plug-in in the platform's repository. */
export interface PluginRow {
  name: string;
  version: string;
  size: number;
  /** Hex SHA-256 of the file, which is also its name on disk. */
  sha256: string;
  /** The manifest as JSON text. */
  manifest: string;
  uploaded_at: number;
  uploaded_by: string;
  /** What the file is: one module's source, or a package. */
  format: "script" | "package";
  /** Ids of the keys that signed it, as a JSON array. */
  signed_by: string;
  /** Hex SHA-256 of the content that the signatures are over, and the signatures as JSON; null where there are none. */
  content_digest: string | null;
  signatures: string | null;
  /** What it is offered as; null: to whoever asks for this very version. */
  channel: "stable" | "beta" | null;
  channel_at: number;
  channel_by: string;
  /** For people: what is new in it. */
  notes: string;
}

/** A document of settings that operators edit, such as the distribution policy. */
export interface DocumentRow {
  name: string;
  body: string;
  updated_at: number;
  updated_by: string;
}

/** The tables that the platform's services share. */
export interface RegistryTables {
  gateway: GatewayRow;
  command: CommandRow;
  command_event: CommandEventRow;
  plugin: PluginRow;
  document: DocumentRow;
  gateway_reset: GatewayResetRow;
}

/** Makes the tables of {@linkcode RegistryTables}. */
export const registryMigrations: Migrations = {
  "2026-11-22-registry": {
    async up(db) {
      await db.schema.createTable("gateway")
        .addColumn("mac", "text", (c) => c.primaryKey())
        .addColumn("sn", "text", (c) => c.notNull().unique())
        .addColumn("loid", "text", (c) => c.notNull())
        .addColumn("vendor", "text").addColumn("model", "text").addColumn("region", "text")
        .addColumn("pinned_operations", "text")
        .addColumn("renew", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("firmware", "text").addColumn("hardware", "text")
        .addColumn("os_version", "text").addColumn("app_version", "text")
        .addColumn("card", "text").addColumn("wan_ip", "text").addColumn("address", "text")
        .addColumn("dev_rnd", "text").addColumn("previous_dev_rnd", "text")
        .addColumn("registered_at", "bigint").addColumn("last_seen_at", "bigint")
        .addColumn("online", "integer", (c) => c.notNull().defaultTo(0))
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("gateway_loid").on("gateway").column("loid").execute();
      await db.schema.createTable("command")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("mac", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("plugin", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("parameter", "text", (c) => c.notNull())
        .addColumn("actor", "text", (c) => c.notNull())
        .addColumn("status", "text", (c) => c.notNull())
        .addColumn("result", "integer").addColumn("reply", "text")
        .addColumn("error_code", "text").addColumn("error", "text")
        .addColumn("progress", "integer")
        .addColumn("attempt", "integer", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("deadline_at", "bigint", (c) => c.notNull())
        .addColumn("sent_at", "bigint").addColumn("acked_at", "bigint").addColumn("finished_at", "bigint")
        .execute();
      await db.schema.createIndex("command_mac").on("command").columns(["mac", "id"]).execute();
      await db.schema.createIndex("command_open").on("command").column("status")
        .where("status", "in", ["queued", "sent", "acked"]).execute();
      await db.schema.createTable("plugin")
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("size", "integer", (c) => c.notNull())
        .addColumn("sha256", "text", (c) => c.notNull())
        .addColumn("manifest", "text", (c) => c.notNull())
        .addColumn("uploaded_at", "bigint", (c) => c.notNull())
        .addColumn("uploaded_by", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("plugin_pk", ["name", "version"])
        .execute();
      await db.schema.createTable("document")
        .addColumn("name", "text", (c) => c.primaryKey())
        .addColumn("body", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .execute();
    },
  },
  "2026-11-22-registry-packages": {
    async up(db) {
      await db.schema.alterTable("plugin")
        .addColumn("format", "text", (c) => c.notNull().defaultTo("script")).execute();
      await db.schema.alterTable("plugin")
        .addColumn("signed_by", "text", (c) => c.notNull().defaultTo("[]")).execute();
    },
  },
  "2026-11-23-registry-plugin-channels": {
    async up(db) {
      const add = (name: string, type: "text" | "bigint", fallback?: string | number) =>
        db.schema.alterTable("plugin").addColumn(
          name,
          type,
          (c) => fallback === undefined ? c : c.notNull().defaultTo(fallback),
        ).execute();
      await add("content_digest", "text");
      await add("signatures", "text");
      await add("channel", "text");
      await add("channel_at", "bigint", 0);
      await add("channel_by", "text", "");
      await add("notes", "text", "");
      // What was there before there were channels could be installed by all: it stays so.
      await db.updateTable("plugin").set({ channel: "stable" }).execute();
      await db.schema.createIndex("command_install").on("command").columns(["plugin", "version", "kind"])
        .where("kind", "=", "install").execute();
    },
  },
  "2026-11-23-registry-removed-gateways": {
    async up(db) {
      await db.schema.alterTable("gateway").addColumn("deleted_at", "bigint").execute();
      await db.schema.createIndex("gateway_deleted").on("gateway").column("deleted_at")
        .where("deleted_at", "is not", null).execute();
    },
  },
  "2026-11-23-registry-command-policies": {
    async up(db) {
      const add = (name: string, fallback?: number) =>
        db.schema.alterTable("command").addColumn(
          name,
          "integer",
          (c) => fallback === undefined ? c : c.notNull().defaultTo(fallback),
        ).execute();
      await add("exclusive", 0);
      await add("repeatable", 1);
      await add("max_attempts", 3);
      await add("retry_delay_ms");
      await db.updateTable("command").set({ repeatable: 0 }).where("kind", "=", "post").execute();
      await db.schema.createTable("command_event")
        .addColumn("command_id", "text", (c) => c.notNull().references("command.id").onDelete("cascade"))
        .addColumn("at", "bigint", (c) => c.notNull())
        .addColumn("attempt", "integer", (c) => c.notNull())
        .addColumn("sent_at", "bigint")
        .addColumn("reason", "text", (c) => c.notNull())
        .addColumn("detail", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("command_event_command").on("command_event").columns(["command_id", "at"])
        .execute();
      await db.schema.createIndex("command_actor").on("command").columns(["actor", "id"]).execute();
      await db.schema.createIndex("command_status").on("command").columns(["status", "id"]).execute();
      await db.schema.createIndex("command_created").on("command").column("created_at").execute();
    },
  },
  "2026-11-29-registry-search-on-the-server": {
    async up(db) {
      // SQLite's own indexes serve a beginning; PostgreSQL's serve it only where they order by bytes.
      if (!onServer(db)) return;
      for (const column of ["mac", "sn"]) {
        await sql`create index ${sql.id(`gateway_${column}_beginning`)} on gateway
          (${sql.id(column)} text_pattern_ops)`.execute(db);
      }
    },
  },
  "2026-11-29-registry-commands-one-at-a-time": {
    async up(db) {
      // What waits was taken when only those that asked for it had their gateway for themselves.
      await db.updateTable("command").set({ exclusive: 1 }).where("status", "in", ["queued", "sent", "acked"])
        .execute();
      // The last day's, for the overview: without the many that ended before.
      await db.schema.createIndex("command_finished").on("command").columns(["status", "finished_at"])
        .where("finished_at", "is not", null).execute();
    },
  },
  "2026-11-29-registry-search-on-the-server-by-loid": {
    async up(db) {
      if (!onServer(db)) return;
      await sql`create index gateway_loid_beginning on gateway (loid text_pattern_ops)`.execute(db);
    },
  },
  "2026-11-29-registry-gateway-resets": {
    async up(db) {
      // Refers to no gateway: a reset must be noted also of one that is being removed.
      await db.schema.createTable("gateway_reset")
        .addColumn("mac", "text", (c) => c.primaryKey())
        .addColumn("at", "bigint", (c) => c.notNull())
        .execute();
    },
  },
};
