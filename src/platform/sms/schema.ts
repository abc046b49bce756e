/**
 * The short-message service's tables, as rows, and the migration that makes them.
 *
 * Msg_Ids are 16 hex digits; times are milliseconds since 1970; lists are JSON text. Contents and secrets are sealed.
 *
 * @module
 */
import { sql } from "kysely";
import { binaryType, type Migrations } from "../../storage/mod.ts";

/** One service provider. */
export interface AccountRow {
  sp_id: string;
  /** The shared secret, sealed: CONNECT's digest needs it as it is. */
  secret: Uint8Array;
  sp_code: string;
  /** JSON list; empty: any. */
  service_ids: string;
  /** JSON list of IP addresses it may connect from; empty: any. */
  addresses: string;
  /** The highest Version octet it may speak. */
  version: number;
  max_connections: number;
  rate_per_second: number;
  window: number;
  /** JSON of its own T, N and C; null: the service's. */
  times: string | null;
  created_at: number;
  updated_at: number;
}

/**
 * Where a message to a phone stands: `scheduled` for later, `waiting` to be handed to the centre, `sent` to it; the
 * others are final.
 */
export type MessageState = "scheduled" | "waiting" | "sent" | "delivered" | "failed" | "cancelled";

/** One message to one phone. */
export interface MessageRow {
  msg_id: string;
  sp_id: string;
  service_id: string;
  destination: string;
  state: MessageState;
  /** How it ended, as its report says. */
  stat: string | null;
  submitted_at: number;
  due_at: number;
  expires_at: number;
  done_at: number | null;
  /** What the centre calls it. */
  outlet_ref: string | null;
  /** The SUBMIT to this one number as a PDU of 3.0. */
  pdu: Uint8Array;
}

/** A message's row: its PDU is part of what its batch sealed together. */
export interface MessageTableRow extends Omit<MessageRow, "pdu"> {
  /** The PDU sealed by itself: only in rows of before there were batches. */
  pdu: Uint8Array | null;
  /** The row of contents, and where in it this PDU begins, and how long it is. */
  content_id: number | null;
  content_at: number | null;
  content_size: number | null;
}

/** The PDUs of the messages that were kept in one transaction, one after the other, sealed as one. */
export interface ContentRow {
  id: number;
  created_at: number;
  octets: Uint8Array;
}

/** What one transaction decided, until it has found its way into the other tables. */
export interface JournalRow {
  id: number;
  octets: Uint8Array;
}

/** A report or message that a provider has not taken yet. */
export interface OutboxRow {
  id: number;
  sp_id: string;
  /** The service it is counted under. */
  service_id: string;
  kind: "report" | "mo";
  created_at: number;
  /** The DELIVER as a PDU of 3.0; sealed where a phone wrote it. */
  pdu: Uint8Array;
}

/** Where a message from a phone stands: `waiting` for its provider; the others are final. */
export type ReceivedState = "waiting" | "delivered" | "failed";

/** What a phone wrote to a provider of this gateway, a part of a long text each. */
export interface ReceivedRow {
  /** As in the outbox. */
  id: number;
  msg_id: string;
  sp_id: string;
  service_id: string;
  source: string;
  destination: string;
  state: ReceivedState;
  /** Of DELIVER_RESP. */
  result: number | null;
  received_at: number;
  done_at: number | null;
  /** The DELIVER as a PDU of 3.0, sealed. */
  pdu: Uint8Array;
}

/** What QUERY asks for, by day (YYYYMMDD), provider and service. What waits is the rest. */
export interface CounterRow {
  day: string;
  sp_id: string;
  service_id: string;
  mt_messages: number;
  mt_users: number;
  mt_sent: number;
  mt_failed: number;
  mo_taken: number;
  mo_delivered: number;
  mo_failed: number;
}

/** How the played centre behaves, where an operator has said: one row. */
export interface SimulatorRow {
  id: number;
  /** JSON. */
  behaviour: string;
}

/** The one row that says up to which second since 1970 Msg_Ids may be in use, where that is ahead of the clock. */
export interface IdReserveRow {
  id: 1;
  second: number;
}

/** The tables of this service. */
export type SmsTables = {
  sms_simulator: SimulatorRow;
  sms_account: AccountRow;
  sms_message: MessageTableRow;
  sms_content: ContentRow;
  sms_journal: JournalRow;
  sms_outbox: OutboxRow;
  sms_received_text: ReceivedRow;
  sms_counter: CounterRow;
  sms_id_reserve: IdReserveRow;
};

/** Makes the tables. */
export const smsMigrations: Migrations = {
  "2026-11-22-short-messages": {
    async up(db) {
      await db.schema.createTable("sms_account")
        .addColumn("sp_id", "text", (c) => c.primaryKey())
        .addColumn("secret", binaryType(db), (c) => c.notNull())
        .addColumn("sp_code", "text", (c) => c.notNull().unique())
        .addColumn("service_ids", "text", (c) => c.notNull())
        .addColumn("addresses", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("max_connections", "integer", (c) => c.notNull())
        .addColumn("rate_per_second", "integer", (c) => c.notNull())
        .addColumn("window", "integer", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createTable("sms_message")
        .addColumn("msg_id", "text", (c) => c.primaryKey())
        .addColumn("sp_id", "text", (c) => c.notNull())
        .addColumn("service_id", "text", (c) => c.notNull())
        .addColumn("destination", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("stat", "text")
        .addColumn("submitted_at", "bigint", (c) => c.notNull())
        .addColumn("due_at", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .addColumn("done_at", "bigint")
        .addColumn("outlet_ref", "text")
        .addColumn("pdu", binaryType(db), (c) => c.notNull())
        .execute();
      await db.schema.createIndex("sms_message_open").on("sms_message").columns(["state", "due_at"])
        .where("state", "in", ["scheduled", "waiting", "sent"]).execute();
      await db.schema.createIndex("sms_message_age").on("sms_message").column("submitted_at").execute();
      await db.schema.createTable("sms_outbox")
        .addColumn("id", "bigint", (c) => c.notNull())
        .addColumn("sp_id", "text", (c) => c.notNull())
        .addColumn("service_id", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("pdu", binaryType(db), (c) => c.notNull())
        // One tree in place of two: it is only ever asked for by provider.
        .addPrimaryKeyConstraint("sms_outbox_pk", ["sp_id", "id"])
        .execute();
      await db.schema.createTable("sms_counter")
        .addColumn("day", "text", (c) => c.notNull())
        .addColumn("sp_id", "text", (c) => c.notNull())
        .addColumn("service_id", "text", (c) => c.notNull())
        .addColumn("mt_messages", "integer", (c) => c.notNull())
        .addColumn("mt_users", "integer", (c) => c.notNull())
        .addColumn("mt_sent", "integer", (c) => c.notNull())
        .addColumn("mt_failed", "integer", (c) => c.notNull())
        .addColumn("mo_taken", "integer", (c) => c.notNull())
        .addColumn("mo_delivered", "integer", (c) => c.notNull())
        .addColumn("mo_failed", "integer", (c) => c.notNull())
        .addPrimaryKeyConstraint("sms_counter_pk", ["day", "sp_id", "service_id"])
        .execute();
    },
  },
  // One transaction writes one row of decisions and one of contents; the tables follow. See store.ts.
  "2026-11-23-short-message-journal": {
    async up(db) {
      const binary = binaryType(db);
      await db.schema.createTable("sms_content")
        .addColumn("id", "bigint", (c) => c.primaryKey())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("octets", binary, (c) => c.notNull())
        .execute();
      await db.schema.createTable("sms_journal")
        .addColumn("id", "bigint", (c) => c.primaryKey())
        .addColumn("octets", binary, (c) => c.notNull())
        .execute();
      // A new table in place of the old one: its PDU may be absent now, which SQLite can't change.
      const kept = [
        "msg_id",
        "sp_id",
        "service_id",
        "destination",
        "state",
        "stat",
        "submitted_at",
        "due_at",
        "expires_at",
        "done_at",
        "outlet_ref",
        "pdu",
      ] as const;
      await db.schema.createTable("sms_message_new")
        .addColumn("msg_id", "text", (c) => c.primaryKey())
        .addColumn("sp_id", "text", (c) => c.notNull())
        .addColumn("service_id", "text", (c) => c.notNull())
        .addColumn("destination", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("stat", "text")
        .addColumn("submitted_at", "bigint", (c) => c.notNull())
        .addColumn("due_at", "bigint", (c) => c.notNull())
        .addColumn("expires_at", "bigint", (c) => c.notNull())
        .addColumn("done_at", "bigint")
        .addColumn("outlet_ref", "text")
        .addColumn("pdu", binary)
        .addColumn("content_id", "bigint")
        .addColumn("content_at", "integer")
        .addColumn("content_size", "integer")
        .execute();
      await db.insertInto("sms_message_new").columns([...kept])
        .expression(db.selectFrom("sms_message").select([...kept])).execute();
      await db.schema.dropTable("sms_message").execute();
      await db.schema.alterTable("sms_message_new").renameTo("sms_message").execute();
      await db.schema.createIndex("sms_message_open").on("sms_message").columns(["state", "due_at"])
        .where("state", "in", ["scheduled", "waiting", "sent"]).execute();
      await db.schema.createIndex("sms_message_age").on("sms_message").column("submitted_at").execute();
    },
  },
  // Messages at the centre that memory has no room for are ended from the table.
  "2026-11-29-short-message-expiry": {
    async up(db) {
      await db.schema.createIndex("sms_message_expiry").on("sms_message").columns(["state", "expires_at"])
        .where("state", "in", ["scheduled", "waiting", "sent"]).execute();
      await sql`create index sms_message_ref on sms_message (lower(ltrim("outlet_ref", '0'))) where "state" = 'sent'`
        .execute(db);
    },
  },
  "2026-11-29-short-messages-received": {
    async up(db) {
      await db.schema.createTable("sms_received_text")
        .addColumn("id", "bigint", (c) => c.primaryKey())
        .addColumn("msg_id", "text", (c) => c.notNull())
        .addColumn("sp_id", "text", (c) => c.notNull())
        .addColumn("service_id", "text", (c) => c.notNull())
        .addColumn("source", "text", (c) => c.notNull())
        .addColumn("destination", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("result", "integer")
        .addColumn("received_at", "bigint", (c) => c.notNull())
        .addColumn("done_at", "bigint")
        .addColumn("pdu", binaryType(db), (c) => c.notNull())
        .execute();
      await db.schema.createIndex("sms_received_text_age").on("sms_received_text").column("received_at")
        .execute();
    },
  },
  "2026-11-29-short-message-ids": {
    async up(db) {
      await db.schema.createTable("sms_id_reserve")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("second", "bigint", (c) => c.notNull())
        .execute();
    },
  },
};
