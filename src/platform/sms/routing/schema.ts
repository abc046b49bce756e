/**
 * The tables of routing and of the traffic between gateways, as rows, and the migration that makes them.
 *
 * Msg_Ids are 16 hex digits; times are milliseconds since 1970 but for a Time_stamp, which is yyyymmddhhmmss as on the
 * wire. PDUs are those of 3.0; what holds a text, and every secret, is sealed.
 *
 * @module
 */
import { binaryType, type Migrations } from "../../../storage/mod.ts";
import type { SmsTables } from "../schema.ts";

/** One gateway that this one exchanges FWDs with. */
export interface PeerRow {
  code: string;
  secret: Uint8Array;
  /** Where it listens; null: it connects here, and is sent to on its own connections. */
  host: string | null;
  port: number | null;
  version: number;
  window: number;
  /** JSON of T, N and C on its links; null: the service's. */
  times: string | null;
  /** 1: its answer to our CONNECT must prove that it knows the secret. */
  prove_answer: number;
  created_at: number;
  updated_at: number;
  updated_by: string;
}

/** To phones by segments of numbers, or to providers by the beginnings of their numbers. */
export type RouteKind = "mt" | "mo";

/** One route, an operator's or one that the name server told. */
export interface RouteRow {
  /** `mt:` or `mo:`, then an id of its own, or `gns:` and the Route_Id. */
  id: string;
  kind: RouteKind;
  /** Both have the same length: a number matches whose beginning of that length lies between them. */
  first: string;
  last: string;
  /** A gateway's code, "local" or "none". */
  target: string;
  origin: "operator" | "name_server";
  /** Where the name server says that the gateway is, `HOST:PORT`. */
  address: string | null;
  /** The version of what the name server told; an operator's route: when it was written. */
  time_stamp: string;
  /** When it was last written or heard of. */
  updated_at: number;
  updated_by: string;
}

/** A FWD for a peer, kept until the peer has it (or, for a message from a phone, until it was reported on). */
export interface ForwardRow {
  peer: string;
  /** Rises with time. */
  id: number;
  /** Msg_Fwd_Type: 1 message of a phone, 2 and 3 reports. Messages to phones are kept by their own rows. */
  kind: number;
  msg_id: string;
  /** `queued`, or `accepted` by the peer and waiting for its report. */
  state: "queued" | "accepted";
  created_at: number;
  pdu: Uint8Array;
}

/** A message that a peer has sent: it is taken once, and its report goes back the way it came. */
export interface ReceivedRow {
  /** Msg_Fwd_Type: 0 or 1. */
  kind: number;
  msg_id: string;
  pk_number: number;
  source_id: string;
  /** Who sent it here. */
  peer: string;
  /** What it is called here; empty where it keeps its name. */
  local_id: string;
  /** `open` until its report is on its way. */
  state: "open" | "done";
  created_at: number;
  /** The FWD, sealed. */
  pdu: Uint8Array;
}

/** The name server of this gateway; one row at most. */
export interface NameServerRow {
  id: number;
  code: string;
  secret: Uint8Array;
  /** The highest Version octet that is spoken with it. */
  version: number;
  /** 1: its answer to our CONNECT must prove that it knows the secret. */
  prove_answer: number;
  updated_at: number;
  updated_by: string;
}

/** The tables of this part, with those of the service that they are written together with. */
export type RoutingTables = SmsTables & {
  sms_peer: PeerRow;
  sms_route: RouteRow;
  sms_forward: ForwardRow;
  sms_received: ReceivedRow;
  sms_name_server: NameServerRow;
};

/** Makes the tables. */
export const routingMigrations: Migrations = {
  "2026-11-23-short-message-routing": {
    async up(db) {
      await db.schema.createTable("sms_peer")
        .addColumn("code", "text", (c) => c.primaryKey())
        .addColumn("secret", binaryType(db), (c) => c.notNull())
        .addColumn("host", "text")
        .addColumn("port", "integer")
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("window", "integer", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .execute();
      await db.schema.createTable("sms_route")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("first", "text", (c) => c.notNull())
        .addColumn("last", "text", (c) => c.notNull())
        .addColumn("target", "text", (c) => c.notNull())
        .addColumn("origin", "text", (c) => c.notNull())
        .addColumn("address", "text")
        .addColumn("time_stamp", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .execute();
      await db.schema.createTable("sms_forward")
        .addColumn("peer", "text", (c) => c.notNull())
        .addColumn("id", "bigint", (c) => c.notNull())
        .addColumn("kind", "integer", (c) => c.notNull())
        .addColumn("msg_id", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("pdu", binaryType(db), (c) => c.notNull())
        .addPrimaryKeyConstraint("sms_forward_pk", ["peer", "id"])
        .execute();
      await db.schema.createIndex("sms_forward_message").on("sms_forward").columns(["msg_id", "kind"])
        .execute();
      await db.schema.createTable("sms_received")
        .addColumn("kind", "integer", (c) => c.notNull())
        .addColumn("msg_id", "text", (c) => c.notNull())
        .addColumn("pk_number", "integer", (c) => c.notNull())
        .addColumn("source_id", "text", (c) => c.notNull())
        .addColumn("peer", "text", (c) => c.notNull())
        .addColumn("local_id", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("pdu", binaryType(db), (c) => c.notNull())
        .addPrimaryKeyConstraint("sms_received_pk", ["msg_id", "kind", "pk_number", "source_id"])
        .execute();
      await db.schema.createIndex("sms_received_local").on("sms_received").column("local_id").execute();
      await db.schema.createIndex("sms_received_age").on("sms_received").columns(["state", "created_at"])
        .execute();
      await db.schema.createTable("sms_name_server")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("code", "text", (c) => c.notNull())
        .addColumn("secret", binaryType(db), (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .execute();
    },
  },
};
