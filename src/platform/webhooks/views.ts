/**
 * Webhooks and their deliveries as the API shows them. A secret is not among it.
 *
 * @module
 */
import * as v from "valibot";
import { EVENT_TYPES, type EventType } from "./events.ts";
import { DELIVERY_STATES, type DeliveryRow, type WebhookRow } from "./schema.ts";
import { isoTime, timeSchema } from "../../control/mod.ts";

/** A webhook. */
export const WebhookView = v.object({
  id: v.string(),
  url: v.string(),
  description: v.string(),
  events: v.array(v.picklist(EVENT_TYPES)),
  groups: v.nullable(v.array(v.string())),
  enabled: v.boolean(),
  /** Why the platform itself disabled it: its receiver answered 410, or nothing was delivered for days. */
  disabledReason: v.nullable(v.picklist(["gone", "failing"])),
  /** Since when nothing was delivered. */
  failingSince: v.nullable(timeSchema),
  waiting: v.number(),
  /** Events that were not kept for it since too many waited. */
  dropped: v.number(),
  /** Until when the secret before this one signs too. */
  oldSecretUntil: v.nullable(timeSchema),
  createdAt: timeSchema,
  createdBy: v.string(),
  updatedAt: timeSchema,
});

/** One event for one webhook, and how telling it goes. */
export const DeliveryView = v.object({
  id: v.string(),
  /** What receivers get as `webhook-id`. */
  event: v.string(),
  type: v.string(),
  state: v.picklist(DELIVERY_STATES),
  attempts: v.number(),
  createdAt: timeSchema,
  /** When it is given up. */
  deadlineAt: timeSchema,
  nextTryAt: v.nullable(timeSchema),
  /** How the last try went. */
  lastStatus: v.nullable(v.number()),
  lastError: v.nullable(v.string()),
  lastMs: v.nullable(v.number()),
  endedAt: v.nullable(timeSchema),
  /** As it is sent. */
  body: v.string(),
});

/** A row as {@linkcode WebhookView} shows it. */
export function webhookView(row: WebhookRow, waiting: number, now: number): v.InferInput<typeof WebhookView> {
  const old = row.old_secret_until !== null && row.old_secret_until > now ? row.old_secret_until : null;
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    events: eventsOf(row),
    groups: groupsOf(row),
    enabled: row.enabled === 1,
    disabledReason: row.disabled_reason,
    failingSince: isoTime(row.failing_since),
    waiting,
    dropped: Number(row.dropped),
    oldSecretUntil: isoTime(old),
    createdAt: isoTime(row.created_at),
    createdBy: row.created_by,
    updatedAt: isoTime(row.updated_at),
  };
}

/** A row as {@linkcode DeliveryView} shows it. */
export function deliveryView(row: DeliveryRow): v.InferInput<typeof DeliveryView> {
  return {
    ...{ id: row.id, event: row.event_id, type: row.type, state: row.state, attempts: row.attempts },
    createdAt: isoTime(row.created_at),
    deadlineAt: isoTime(row.deadline_at),
    nextTryAt: isoTime(row.next_try_at),
    ...{ lastStatus: row.last_status, lastError: row.last_error, lastMs: row.last_ms },
    endedAt: isoTime(row.ended_at),
    body: row.body,
  };
}

/** The types that a webhook hears of. */
export function eventsOf({ events }: Pick<WebhookRow, "events">): EventType[] {
  return JSON.parse(events);
}

/** The groups that it is confined to; null: none. */
export function groupsOf({ groups }: Pick<WebhookRow, "groups">): string[] | null {
  return groups === null ? null : JSON.parse(groups);
}

/** What can be changed of a webhook, as its row has it. */
export function edited({ url, description, events, groups, enabled }: WebhookRow): Partial<WebhookRow> {
  return { url, description, events, groups, enabled };
}
