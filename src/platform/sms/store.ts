/**
 * Messages, what waits for providers, and counters: written together in batches, each batch one transaction.
 *
 * @module
 */
import type { Kysely, Transaction } from "kysely";
import { WriteBatch } from "../../storage/mod.ts";
import { Bulk } from "./bulk.ts";
import type { CounterRow, MessageRow, MessageState, OutboxRow, SmsTables } from "./schema.ts";

/** What counters a change moves. */
export interface Count extends Partial<Omit<CounterRow, "day" | "sp_id" | "service_id">> {
  readonly day: string;
  readonly sp_id: string;
  readonly service_id: string;
}

/** A change: all of it is written, or nothing. */
export interface Change {
  /** New messages. */
  readonly messages?: readonly MessageRow[];
  /** Where a message stands now; `ref` names it at the centre. */
  readonly moved?: {
    readonly msgId: string;
    readonly state: MessageState;
    readonly stat: string | null;
    readonly at: number | null;
    readonly ref?: string;
  };
  /** What a provider is to get. */
  readonly outbox?: OutboxRow;
  /** What it took, or what is given up. */
  readonly taken?: { readonly spId: string; readonly id: number };
  readonly count?: Count;
  /** What else goes with it, in the same transaction: the tables of routing are not this store's. */
  readonly also?: (transaction: Transaction<SmsTables>) => Promise<void>;
}

const COUNTERS = [
  "mt_messages",
  "mt_users",
  "mt_sent",
  "mt_failed",
  "mo_taken",
  "mo_delivered",
  "mo_failed",
] as const;

const MESSAGE_COLUMNS = [
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
] as const satisfies readonly (keyof MessageRow)[];
const OUTBOX_COLUMNS = [
  "id",
  "sp_id",
  "service_id",
  "kind",
  "created_at",
  "pdu",
] as const satisfies readonly (
  keyof OutboxRow
)[];

/** Changes in one transaction: the database works in this thread, so a larger one would hold up every answer. */
const LARGEST_BATCH = 256;
/** Messages in a page read from the database. */
const PAGE = 500;

/** The service's part of the database. */
export class SmsStore {
  readonly #batch: WriteBatch<Change>;
  readonly #messages = new Bulk<SmsTables, MessageRow>(
    (db, rows) => db.insertInto("sms_message").values(rows.map((row) => pick(row, MESSAGE_COLUMNS))),
    (row) => MESSAGE_COLUMNS.map((name) => row[name]),
  );
  readonly #outbox = new Bulk<SmsTables, OutboxRow>(
    (db, rows) => db.insertInto("sms_outbox").values(rows.map((row) => pick(row, OUTBOX_COLUMNS))),
    (row) => OUTBOX_COLUMNS.map((name) => row[name]),
  );
  readonly #taken = new Bulk<SmsTables, number>(
    (db, ids) => db.deleteFrom("sms_outbox").where("sp_id", "=", "").where("id", "in", [...ids]),
    (id) => [id],
  );
  readonly #moved = new Bulk<SmsTables, string>(
    (db, ids) =>
      db.updateTable("sms_message").set({ state: "sent", stat: null, done_at: null })
        .where("msg_id", "in", [...ids]),
    (id) => [id],
  );

  constructor(private readonly db: Kysely<SmsTables>) {
    this.#batch = new WriteBatch((changes) => this.#write(changes), LARGEST_BATCH);
  }

  /** Resolves once `change` is on disk. */
  write(change: Change): Promise<void> {
    return this.#batch.write(change);
  }

  /** Resolves when nothing waits to be written. */
  flush(): Promise<void> {
    return this.#batch.flush();
  }

  /** How many changes wait to be written. */
  get pending(): number {
    return this.#batch.pending;
  }

  async message(msgId: string): Promise<MessageRow | undefined> {
    return await this.db.selectFrom("sms_message").selectAll().where("msg_id", "=", msgId).executeTakeFirst();
  }

  /** Messages in `state` that are due by `until`, the longest due first; those behind `after`, where it is given. */
  async due(
    state: "scheduled" | "waiting" | "sent",
    until: number,
    after?: Pick<MessageRow, "due_at" | "msg_id">,
  ): Promise<MessageRow[]> {
    let query = this.db.selectFrom("sms_message").selectAll().where("state", "=", state)
      .where("due_at", "<=", until).orderBy("due_at").orderBy("msg_id").limit(PAGE);
    if (after) {
      query = query.where(({ eb, or, and }) =>
        or([
          eb("due_at", ">", after.due_at),
          and([eb("due_at", "=", after.due_at), eb("msg_id", ">", after.msg_id)]),
        ])
      );
    }
    return await query.execute();
  }

  /** When the next scheduled message is due. */
  async nextDue(): Promise<number | undefined> {
    const row = await this.db.selectFrom("sms_message").select((eb) => eb.fn.min("due_at").as("due_at"))
      .where("state", "=", "scheduled").executeTakeFirst();
    return row?.due_at ?? undefined;
  }

  /** The latest time of a message, and the largest id of the outbox: where the next start goes on. */
  async lastUsed(): Promise<{ submittedAt: number; outboxId: number }> {
    const message = await this.db.selectFrom("sms_message")
      .select((eb) => eb.fn.max("submitted_at").as("at")).executeTakeFirst();
    const outbox = await this.db.selectFrom("sms_outbox")
      .select((eb) => eb.fn.max("id").as("id")).executeTakeFirst();
    return { submittedAt: message?.at ?? 0, outboxId: outbox?.id ?? 0 };
  }

  /** What waits for a provider, behind `after`, in order. */
  async outboxOf(spId: string, after: number, limit: number): Promise<OutboxRow[]> {
    return await this.db.selectFrom("sms_outbox").selectAll().where("sp_id", "=", spId)
      .where("id", ">", after).orderBy("id").limit(limit).execute();
  }

  /** How much waits for each provider. */
  async outboxSizes(): Promise<{ sp_id: string; kind: string; count: number }[]> {
    const rows = await this.db.selectFrom("sms_outbox")
      .select((eb) => ["sp_id" as const, "kind" as const, eb.fn.countAll<number>().as("count")])
      .groupBy(["sp_id", "kind"]).execute();
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  /** The sums of a provider's day; of one service, where it is named. */
  async counters(
    day: string,
    spId: string,
    serviceId?: string,
  ): Promise<Omit<Required<Count>, "service_id">> {
    let query = this.db.selectFrom("sms_counter").selectAll().where("day", "=", day).where(
      "sp_id",
      "=",
      spId,
    );
    if (serviceId !== undefined) query = query.where("service_id", "=", serviceId);
    const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<
      typeof COUNTERS[number],
      number
    >;
    for (const row of await query.execute()) for (const name of COUNTERS) sums[name] += row[name];
    return { day, sp_id: spId, ...sums };
  }

  /** A page of messages, the newest first. */
  async list(
    filter: { spId?: string | undefined; state?: MessageState | undefined },
    limit: number,
    before?: { submittedAt: number; msgId: string },
  ): Promise<MessageRow[]> {
    let query = this.db.selectFrom("sms_message").selectAll()
      .orderBy("submitted_at", "desc").orderBy("msg_id", "desc").limit(limit);
    if (filter.spId !== undefined) query = query.where("sp_id", "=", filter.spId);
    if (filter.state !== undefined) query = query.where("state", "=", filter.state);
    if (before) {
      query = query.where(({ eb, or, and }) =>
        or([
          eb("submitted_at", "<", before.submittedAt),
          and([eb("submitted_at", "=", before.submittedAt), eb("msg_id", "<", before.msgId)]),
        ])
      );
    }
    return await query.execute();
  }

  /** Forgets messages that ended, and were submitted before `before`; gives how many. */
  async forget(before: number): Promise<number> {
    const result = await this.db.deleteFrom("sms_message").where("submitted_at", "<", before)
      .where("state", "in", ["delivered", "failed", "cancelled"]).executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  /** A page of what has waited for its provider since before `before`, without its contents. */
  async stale(before: number): Promise<Omit<OutboxRow, "pdu">[]> {
    return await this.db.selectFrom("sms_outbox").select(["id", "sp_id", "service_id", "kind", "created_at"])
      .where("created_at", "<", before).orderBy("created_at").limit(PAGE).execute();
  }

  async #write(changes: readonly Change[]): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      const messages = changes.flatMap((change) => change.messages ?? []);
      await this.#messages.run(transaction, messages);
      for (const [key, ids] of byOutcome(changes)) {
        await this.#moved.run(transaction, ids, JSON.parse(key) as unknown[]);
      }
      for (const { moved } of changes) {
        if (moved?.ref === undefined) continue;
        await transaction.updateTable("sms_message").set({ outlet_ref: moved.ref })
          .where("msg_id", "=", moved.msgId).execute();
      }
      await this.#outbox.run(transaction, changes.flatMap((change) => change.outbox ?? []));
      for (const [spId, ids] of bySp(changes)) await this.#taken.run(transaction, ids, [spId]);
      for (const count of sum(changes)) await addCount(transaction, count);
      for (const { also } of changes) await also?.(transaction);
    });
  }
}

/** Messages that moved, together where they moved alike; the last word on each counts. */
function byOutcome(changes: readonly Change[]): Map<string, string[]> {
  const last = new Map<string, string>();
  for (const { moved } of changes) {
    if (moved) last.set(moved.msgId, JSON.stringify([moved.state, moved.stat, moved.at]));
  }
  const groups = new Map<string, string[]>();
  for (const [id, key] of last) {
    const group = groups.get(key);
    if (group) group.push(id);
    else groups.set(key, [id]);
  }
  return groups;
}

function bySp(changes: readonly Change[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const { taken } of changes) {
    if (!taken) continue;
    const group = groups.get(taken.spId);
    if (group) group.push(taken.id);
    else groups.set(taken.spId, [taken.id]);
  }
  return groups;
}

function sum(changes: readonly Change[]): Iterable<Required<Count>> {
  const sums = new Map<string, Required<Count>>();
  for (const { count } of changes) {
    if (!count) continue;
    const key = `${count.day}\0${count.sp_id}\0${count.service_id}`;
    let total = sums.get(key);
    if (!total) {
      total = { ...count, ...Object.fromEntries(COUNTERS.map((n) => [n, 0])) } as Required<Count>;
      sums.set(key, total);
    }
    for (const name of COUNTERS) total[name] += count[name] ?? 0;
  }
  return sums.values();
}

async function addCount(transaction: Transaction<SmsTables>, count: Required<Count>): Promise<void> {
  await transaction.insertInto("sms_counter").values(count).onConflict((conflict) =>
    conflict.columns(["day", "sp_id", "service_id"]).doUpdateSet((eb) =>
      Object.fromEntries(
        COUNTERS.map((name) => [name, eb(`sms_counter.${name}`, "+", eb.ref(`excluded.${name}`))]),
      )
    )
  ).execute();
}

/** The same columns in the same order for every row, so that one text fits all. */
function pick<Row extends object, Name extends keyof Row>(row: Row, names: readonly Name[]): Pick<Row, Name> {
  return Object.fromEntries(names.map((name) => [name, row[name]])) as Pick<Row, Name>;
}
