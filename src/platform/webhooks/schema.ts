/**
 * The tables of webhooks and of what is told to them.
 *
 * @module
 */
import { binaryType, type Migrations } from "../../storage/mod.ts";

/** Why the platform itself disabled a webhook: its receiver answered 410, or nothing was delivered for days. */
export type DisabledReason = "gone" | "failing";

/** Where something is to be told. */
export interface WebhookRow {
  id: string;
  url: string;
  description: string;
  /** The types that it hears of, as a JSON array. */
  events: string;
  /** Groups of gateways that it is confined to, as a JSON array; null: all. */
  groups: string | null;
  /** `whsec_…`, sealed. */
  secret: Uint8Array;
  /** The one before, which signs too until `old_secret_until`. */
  old_secret: Uint8Array | null;
  old_secret_until: number | null;
  enabled: number;
  disabled_reason: DisabledReason | null;
  /** Since when nothing was delivered; null: the last try went well, or there was none. */
  failing_since: number | null;
  /** Events that were not kept for it since too many waited. */
  dropped: number;
  created_at: number;
  created_by: string;
  updated_at: number;
}

/** `waiting` for its first or next try; the others are its end. */
export const DELIVERY_STATES = ["waiting", "delivered", "failed"] as const;
/** One of {@linkcode DELIVERY_STATES}. */
export type DeliveryState = typeof DELIVERY_STATES[number];

/** One event for one webhook. */
export interface DeliveryRow {
  /** Sorts by time. */
  id: string;
  webhook_id: string;
  /** The event's own id, which receivers get as `webhook-id`: the same for every webhook and every try. */
  event_id: string;
  type: string;
  /** JSON, as it is sent and signed. */
  body: string;
  state: DeliveryState;
  attempts: number;
  created_at: number;
  /** When it is given up. */
  deadline_at: number;
  /** Null once it has ended. */
  next_try_at: number | null;
  /** How the last try went: HTTP status, or what went wrong; how long it took. */
  last_status: number | null;
  last_error: string | null;
  last_ms: number | null;
  ended_at: number | null;
}

/** The tables of this part. */
export type WebhookTables = {
  webhook: WebhookRow;
  webhook_delivery: DeliveryRow;
};

/** Makes the tables of {@linkcode WebhookTables}. */
export const webhookMigrations: Migrations = {
  "2026-11-29-a-webhooks": {
    async up(db) {
      const binary = binaryType(db);
      await db.schema.createTable("webhook")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("url", "text", (c) => c.notNull())
        .addColumn("description", "text", (c) => c.notNull())
        .addColumn("events", "text", (c) => c.notNull())
        .addColumn("groups", "text")
        .addColumn("secret", binary, (c) => c.notNull())
        .addColumn("old_secret", binary).addColumn("old_secret_until", "bigint")
        .addColumn("enabled", "integer", (c) => c.notNull())
        .addColumn("disabled_reason", "text")
        .addColumn("failing_since", "bigint")
        .addColumn("dropped", "bigint", (c) => c.notNull().defaultTo(0))
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .execute();
      await db.schema.createTable("webhook_delivery")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("webhook_id", "text", (c) => c.notNull().references("webhook.id").onDelete("cascade"))
        .addColumn("event_id", "text", (c) => c.notNull())
        .addColumn("type", "text", (c) => c.notNull())
        .addColumn("body", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("attempts", "integer", (c) => c.notNull())
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("deadline_at", "bigint", (c) => c.notNull())
        .addColumn("next_try_at", "bigint")
        .addColumn("last_status", "integer").addColumn("last_error", "text").addColumn("last_ms", "integer")
        .addColumn("ended_at", "bigint")
        .execute();
      await db.schema.createIndex("webhook_delivery_due").on("webhook_delivery")
        .columns(["webhook_id", "state", "next_try_at"]).execute();
      await db.schema.createIndex("webhook_delivery_list").on("webhook_delivery")
        .columns(["webhook_id", "id"]).execute();
      await db.schema.createIndex("webhook_delivery_deadline").on("webhook_delivery")
        .columns(["state", "deadline_at"]).execute();
      await db.schema.createIndex("webhook_delivery_ended").on("webhook_delivery").column("ended_at")
        .execute();
    },
  },
};
