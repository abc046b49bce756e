/**
 * What is to be told to whom, as rows: a queue that survives, and a record of how it went.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { newId } from "../../base/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import type { Attempt } from "./sender.ts";
import type { DeliveryRow, DeliveryState, WebhookTables } from "./schema.ts";

/** How long an event is tried to be told. */
export const DEADLINE_MS = 24 * 3_600_000;
/**
 * How much may wait for one webhook: newer events are then refused and counted, so that what a receiver gets once it is
 * back has no holes but at its end, and a flood costs no more than counting it.
 */
export const MAX_WAITING = 10_000;
/** Rows in one statement. */
const CHUNK = 500;

/** An event on its way into the queue. */
export interface NewDelivery {
  readonly webhookId: string;
  readonly eventId: string;
  readonly type: string;
  readonly body: string;
}

/** Which deliveries of a webhook. */
export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  readonly type?: string | undefined;
}

/** Deliveries by webhook. */
export class DeliveryStore {
  constructor(
    private readonly db: Kysely<WebhookTables>,
    private readonly outbox?: Pick<Outbox, "take">,
  ) {}

  /**
   * Puts events into the queue, all or none. Of what would be too much for a webhook the rest is left out and counted
   * on its row; answers how many, by webhook. Webhooks that are gone by now get nothing. `fromOutbox`: the events that
   * leave the outbox with this; those that another node took are not put into the queue.
   */
  enqueue(
    all: readonly NewDelivery[],
    now: number,
    { most = MAX_WAITING, fromOutbox = [] }: {
      readonly most?: number;
      readonly fromOutbox?: readonly string[];
    } = {},
  ): Promise<ReadonlyMap<string, number>> {
    return this.db.transaction().execute(async (tx) => {
      const taken = await this.outbox?.take(tx, fromOutbox), ours = new Set(fromOutbox);
      const wanted = all.filter(({ eventId }) => !ours.has(eventId) || taken?.has(eventId));
      if (wanted.length === 0) return new Map<string, number>();
      const ids = [...new Set(wanted.map(({ webhookId }) => webhookId))];
      const there = await tx.selectFrom("webhook").select("id").where("id", "in", ids).execute();
      const waiting = new Map(there.map(({ id }) => [id, 0]));
      const counts = await tx.selectFrom("webhook_delivery")
        .select((e) => ["webhook_id", e.fn.countAll<number>().as("count")])
        .where("webhook_id", "in", ids).where("state", "=", "waiting").groupBy("webhook_id").execute();
      for (const { webhook_id, count } of counts) waiting.set(webhook_id, Number(count));
      const rows: DeliveryRow[] = [], dropped = new Map<string, number>();
      for (const delivery of wanted) {
        const { webhookId } = delivery, before = waiting.get(webhookId);
        if (before === undefined) continue;
        if (before >= most) dropped.set(webhookId, (dropped.get(webhookId) ?? 0) + 1);
        else {
          waiting.set(webhookId, before + 1);
          rows.push(rowOf(delivery, now));
        }
      }
      for (let at = 0; at < rows.length; at += CHUNK) {
        await tx.insertInto("webhook_delivery").values(rows.slice(at, at + CHUNK)).execute();
      }
      // In one order, so that nodes that write at the same time don't wait in a circle.
      for (const [id, count] of [...dropped].sort()) {
        await tx.updateTable("webhook").set((e) => ({ dropped: e("dropped", "+", count) }))
          .where("id", "=", id).execute();
      }
      return dropped;
    });
  }

  /** Puts one event into a webhook's queue; undefined where too much waits there. */
  async add(delivery: NewDelivery, now: number, most = MAX_WAITING): Promise<DeliveryRow | undefined> {
    const { count } = await this.db.selectFrom("webhook_delivery")
      .select((e) => e.fn.countAll<number>().as("count"))
      .where("webhook_id", "=", delivery.webhookId).where("state", "=", "waiting")
      .executeTakeFirstOrThrow();
    if (Number(count) >= most) return undefined;
    const row = rowOf(delivery, now);
    await this.db.insertInto("webhook_delivery").values(row).execute();
    return row;
  }

  find(webhookId: string, id: string): Promise<DeliveryRow | undefined> {
    return this.db.selectFrom("webhook_delivery").selectAll().where("webhook_id", "=", webhookId)
      .where("id", "=", id).executeTakeFirst();
  }

  /** Deliveries of a webhook, the newest first, from before `before`. */
  list(
    webhookId: string,
    { state, type }: DeliveryFilter,
    limit: number,
    before?: string,
  ): Promise<DeliveryRow[]> {
    let select = this.db.selectFrom("webhook_delivery").selectAll().where("webhook_id", "=", webhookId)
      .orderBy("id", "desc").limit(limit);
    if (state !== undefined) select = select.where("state", "=", state);
    if (type !== undefined) select = select.where("type", "=", type);
    if (before !== undefined) select = select.where("id", "<", before);
    return select.execute();
  }

  /** How many wait, by webhook; those for which none does are left out. */
  async waiting(): Promise<Map<string, number>> {
    const rows = await this.db.selectFrom("webhook_delivery")
      .select((e) => ["webhook_id", e.fn.countAll<number>().as("count")])
      .where("state", "=", "waiting").groupBy("webhook_id").execute();
    return new Map(rows.map(({ webhook_id, count }) => [webhook_id, Number(count)]));
  }

  /** What waits for a webhook, the longest overdue first. */
  next(webhookId: string, limit: number): Promise<DeliveryRow[]> {
    return this.db.selectFrom("webhook_delivery").selectAll().where("webhook_id", "=", webhookId)
      .where("state", "=", "waiting").orderBy("next_try_at").limit(limit).execute();
  }

  /** Notes how a try went. False where it is no longer the try that is due: another node was there, or it is gone. */
  async settle(
    { id, attempts }: DeliveryRow,
    { status, error, ms }: Attempt,
    outcome:
      | { readonly nextTryAt: number }
      | { readonly state: "delivered" | "failed"; readonly endedAt: number },
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("webhook_delivery").set({
      attempts: attempts + 1,
      last_status: status ?? null,
      last_error: error ?? null,
      last_ms: ms,
      ...("state" in outcome
        ? { state: outcome.state, next_try_at: null, ended_at: outcome.endedAt }
        : { next_try_at: outcome.nextTryAt }),
    }).where("id", "=", id).where("attempts", "=", attempts).where("state", "=", "waiting")
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Has a delivery begin anew, or be tried at once where it waits: the same event under the same id. */
  async redeliver(webhookId: string, id: string, now: number): Promise<DeliveryRow | undefined> {
    const row = await this.find(webhookId, id);
    if (!row) return undefined;
    await this.db.updateTable("webhook_delivery").set({
      state: "waiting",
      next_try_at: now,
      deadline_at: now + DEADLINE_MS,
      ended_at: null,
      ...(row.state === "waiting" ? {} : { attempts: 0 }),
    }).where("id", "=", id).where("state", "=", row.state).execute();
    return await this.find(webhookId, id);
  }

  /** Gives up what has waited past its deadline, also for webhooks that are disabled; answers how many. */
  async expire(now: number): Promise<number> {
    const { numUpdatedRows } = await this.db.updateTable("webhook_delivery")
      .set((e) => ({
        state: "failed",
        next_try_at: null,
        ended_at: now,
        last_error: e.fn.coalesce("last_error", e.val("its time was over before it could be tried")),
      })).where("state", "=", "waiting").where("deadline_at", "<=", now).executeTakeFirst();
    return Number(numUpdatedRows);
  }

  /** Removes some of what ended before `time`; answers how many: 0 when nothing is left. */
  async forgetBefore(time: number): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("webhook_delivery").where(
      "id",
      "in",
      (e) => e.selectFrom("webhook_delivery").select("id").where("ended_at", "<", time).limit(CHUNK),
    ).executeTakeFirst();
    return Number(numDeletedRows);
  }

  /** Removes some of a webhook's oldest ended deliveries beyond the newest `keep`; answers how many. */
  async forgetBeyond(webhookId: string, keep: number): Promise<number> {
    const last = await this.db.selectFrom("webhook_delivery").select("id").where("webhook_id", "=", webhookId)
      .where("state", "!=", "waiting").orderBy("id", "desc").offset(keep).limit(1).executeTakeFirst();
    if (!last) return 0;
    const { numDeletedRows } = await this.db.deleteFrom("webhook_delivery").where(
      "id",
      "in",
      (e) =>
        e.selectFrom("webhook_delivery").select("id").where("webhook_id", "=", webhookId)
          .where("id", "<=", last.id).where("state", "!=", "waiting").orderBy("id").limit(CHUNK),
    ).executeTakeFirst();
    return Number(numDeletedRows);
  }
}

function rowOf({ webhookId, eventId, type, body }: NewDelivery, now: number): DeliveryRow {
  return {
    ...{ id: newId(), webhook_id: webhookId, event_id: eventId, type, body, state: "waiting", attempts: 0 },
    ...{ created_at: now, deadline_at: now + DEADLINE_MS, next_try_at: now },
    ...{ last_status: null, last_error: null, last_ms: null, ended_at: null },
  };
}
