/**
 * Messages, what waits for providers, and counters: decided in batches, each batch one transaction.
 *
 * A transaction writes one row of decisions (the journal) and one of contents, sealed at once; the tables follow some
 * thousand records behind, in the same transactions. What most messages go through (kept, sent, reported on, the
 * report taken) is over by then, and costs one row in place of three rows and four changes. Whatever asks the tables
 * has them brought up to date first, and so does a start.
 *
 * @module
 */
import type { Kysely, Transaction } from "kysely";
import { WriteBatch } from "../../storage/mod.ts";
import { Bulk } from "./bulk.ts";
import { addUp, type Change, type Count, COUNTERS, type Move } from "./change.ts";
import { contentsOf, decodeEntry, encodeEntry, type Entry, type PendingMessage } from "./entry.ts";
import { Pending, type Work } from "./pending.ts";
import { ReceivedTexts } from "./received.ts";
import type { MessageTableRow, OutboxRow, SmsTables } from "./schema.ts";
import type { Seal } from "../credentials/mod.ts";
import { StoredMessages } from "./stored.ts";

export type { Change, Count } from "./change.ts";
export type { MessageFacts, MessageFilter, MessagePlace } from "./stored.ts";

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
  "content_id",
  "content_at",
  "content_size",
] as const satisfies readonly (keyof MessageTableRow)[];
const OUTBOX_COLUMNS = [
  "id",
  "sp_id",
  "service_id",
  "kind",
  "created_at",
  "pdu",
] as const satisfies readonly (keyof OutboxRow)[];

/** Changes in one transaction: the database works in this thread, so a larger one would hold up every answer. */
const LARGEST_BATCH = 256;
/** Records that the tables may be behind, and how many they catch up on at a time: many rows in one statement cost less. */
const BEHIND = 16_384, CATCH_UP = 1_024;
/** A wish to have the tables up to date, among the changes so that it has its place in their order. */
interface Settle {
  readonly settled: PromiseWithResolvers<void>;
}

/** The service's part of the database. */
export class SmsStore extends StoredMessages {
  /** What phones wrote. */
  readonly received: ReceivedTexts;
  readonly #batch: WriteBatch<Change | Settle>;
  readonly #pending = new Pending();
  #id = 0;
  readonly #messages = new Bulk<SmsTables, PendingMessage>(
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

  private constructor(
    db: Kysely<SmsTables>,
    seal: Seal,
    private readonly mayWrite: () => boolean,
  ) {
    super(db, seal);
    this.received = new ReceivedTexts(db, seal);
    this.#batch = new WriteBatch((changes) => this.#write(changes), LARGEST_BATCH);
  }

  /**
   * Takes up what an earlier run has decided. `mayWrite`: whether no other process can have taken the database over.
   *
   * @throws {SealError} where its key is not this one
   */
  static async open(db: Kysely<SmsTables>, seal: Seal, mayWrite = () => true): Promise<SmsStore> {
    const store = new SmsStore(db, seal, mayWrite);
    const last = await db.selectFrom("sms_content").select((eb) => eb.fn.max("id").as("id"))
      .executeTakeFirst();
    store.#id = last?.id ?? 0;
    const entries = await db.selectFrom("sms_journal")
      .leftJoin("sms_content", "sms_content.id", "sms_journal.id")
      .select(["sms_journal.id as id", "sms_journal.octets as octets", "sms_content.octets as contents"])
      .orderBy("sms_journal.id").execute();
    for (const { id, octets, contents } of entries) {
      store.#pending.add(id, decodeEntry(octets, id, contents ? seal.open(contents) : new Uint8Array(0)));
      store.#id = Math.max(store.#id, id);
    }
    await store.#settle();
    return store;
  }

  /** Resolves once `change` is on disk. */
  write(change: Change): Promise<void> {
    return this.#batch.write(change);
  }

  /** Resolves when nothing waits to be written, and the tables are up to date. */
  async flush(): Promise<void> {
    await this.#batch.flush();
    await this.upToDate();
  }

  /** How many changes wait to be written. */
  get pending(): number {
    return this.#batch.pending;
  }

  /** Records that the tables are behind. */
  get behind(): number {
    return this.#pending.records;
  }

  /** Writes down that Msg_Ids of up to this second since 1970 may be in use. */
  reserveIds(second: number): Promise<void> {
    return this.write({
      also: async (transaction) =>
        void await transaction.insertInto("sms_id_reserve").values({ id: 1, second })
          .onConflict((conflict) => conflict.column("id").doUpdateSet({ second })).execute(),
    });
  }

  /** Forgets messages that ended, and were submitted before `before`, with what they said; gives how many. */
  async forget(before: number): Promise<number> {
    await this.upToDate();
    const result = await this.db.deleteFrom("sms_message").where("submitted_at", "<", before)
      .where("state", "in", ["delivered", "failed", "cancelled"]).executeTakeFirst();
    await this.db.deleteFrom("sms_content").where("created_at", "<", before)
      .where(
        "id",
        "not in",
        (eb) =>
          eb.selectFrom("sms_message").select("content_id").where("content_id", "is not", null)
            .where("state", "in", ["scheduled", "waiting", "sent"]).$castTo<{ content_id: number }>(),
      )
      .execute();
    return Number(result.numDeletedRows) + await this.received.forget(before);
  }

  protected override pendingMessage(msgId: string): PendingMessage | undefined {
    return this.#pending.message(msgId);
  }

  protected override async upToDate(): Promise<void> {
    if (this.#pending.records === 0 && this.#batch.pending === 0) return;
    const settled = Promise.withResolvers<void>();
    await this.#batch.write({ settled });
    await settled.promise;
  }

  async #write(items: readonly (Change | Settle)[]): Promise<void> {
    const changes = items.filter((item): item is Change => !("settled" in item));
    if (changes.length > 0) await this.#commit(changes);
    const waiting = items.filter((item): item is Settle => "settled" in item);
    if (waiting.length === 0) return;
    // What was changed is on disk: only those who want to read hear of what fails here.
    await this.#settle().then(
      () => waiting.forEach(({ settled }) => settled.resolve()),
      (error) => waiting.forEach(({ settled }) => settled.reject(error)),
    );
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    if (!this.mayWrite()) throw new Error("another process may have taken the database over");
    const id = this.#id + 1, far = this.#pending.records > BEHIND + CATCH_UP;
    const work = far ? this.#pending.work(BEHIND) : undefined;
    const rows = changes.flatMap((change) => change.messages ?? []);
    const { messages, octets } = contentsOf(id, rows);
    const entry: Entry = {
      messages,
      moves: changes.flatMap(({ moved }) => moved ?? []),
      outbox: changes.flatMap(({ outbox }) => outbox ?? []),
      taken: changes.flatMap(({ taken }) => taken ?? []),
      counts: addUp(changes.flatMap(({ count }) => count ?? [])),
    };
    await this.db.transaction().execute(async (transaction) => {
      if (rows.length > 0) {
        await transaction.insertInto("sms_content")
          .values({ id, created_at: rows[0]!.submitted_at, octets: this.seal.seal(octets) }).execute();
      }
      await transaction.insertInto("sms_journal").values({ id, octets: encodeEntry(entry) }).execute();
      await this.received.write(transaction, changes);
      for (const { also } of changes) await also?.(transaction);
      if (work) await this.#do(transaction, work);
    });
    this.#id = id;
    if (work) this.#pending.done(work);
    this.#pending.add(id, entry);
  }

  /** Brings the tables up to date. */
  async #settle(): Promise<void> {
    const work = this.#pending.work(0);
    if (!work) return;
    if (!this.mayWrite()) throw new Error("another process may have taken the database over");
    await this.db.transaction().execute((transaction) => this.#do(transaction, work));
    this.#pending.done(work);
  }

  async #do(transaction: Transaction<SmsTables>, work: Work): Promise<void> {
    await this.#messages.run(transaction, work.messages);
    for (const [key, ids] of byOutcome(work.moves)) {
      await this.#moved.run(transaction, ids, JSON.parse(key) as unknown[]);
    }
    for (const { msgId, ref } of work.moves) {
      if (ref === undefined) continue;
      await transaction.updateTable("sms_message").set({ outlet_ref: ref }).where("msg_id", "=", msgId)
        .execute();
    }
    await this.#outbox.run(transaction, work.outbox);
    for (const [spId, ids] of bySp(work.taken)) await this.#taken.run(transaction, ids, [spId]);
    for (const count of addUp(work.counts)) await addCount(transaction, count);
    await transaction.deleteFrom("sms_journal").where("id", "<=", work.upTo).execute();
  }
}

/** Messages that moved, together where they moved alike; the last word on each counts. */
function byOutcome(moves: readonly Move[]): Map<string, string[]> {
  const last = new Map<string, string>();
  for (const { msgId, state, stat, at } of moves) last.set(msgId, JSON.stringify([state, stat, at]));
  const groups = new Map<string, string[]>();
  for (const [id, key] of last) {
    const group = groups.get(key);
    if (group) group.push(id);
    else groups.set(key, [id]);
  }
  return groups;
}

function bySp(taken: Work["taken"]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const { spId, id } of taken) {
    const group = groups.get(spId);
    if (group) group.push(id);
    else groups.set(spId, [id]);
  }
  return groups;
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
