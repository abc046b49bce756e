/**
 * What phones wrote to providers: kept beside the queue, for as long as messages to phones are.
 *
 * @module
 */
import type { Kysely, Transaction } from "kysely";
import { decodeMessage, type Deliver } from "../../protocol/cmpp/mod.ts";
import { Bulk } from "./bulk.ts";
import type { Change } from "./change.ts";
import type { ReceivedRow, ReceivedState, SmsTables } from "./schema.ts";
import type { Seal } from "../credentials/mod.ts";

/** One without what it says. */
export type ReceivedFacts = Omit<ReceivedRow, "pdu">;

/** Which of them. */
export interface ReceivedFilter {
  readonly spId?: string | undefined;
  readonly state?: ReceivedState | undefined;
  /** The phone. */
  readonly source?: string | undefined;
}

const COLUMNS = [
  "id",
  "msg_id",
  "sp_id",
  "service_id",
  "source",
  "destination",
  "state",
  "result",
  "received_at",
  "done_at",
  "pdu",
] as const satisfies readonly (keyof ReceivedRow)[];
const FACTS = COLUMNS.filter((name): name is Exclude<typeof name, "pdu"> => name !== "pdu");

/** The table of them. */
export class ReceivedTexts {
  readonly #new = new Bulk<SmsTables, ReceivedRow>(
    (db, rows) => db.insertInto("sms_received_text").values([...rows]),
    (row) => COLUMNS.map((name) => row[name]),
  );
  readonly #ended = new Bulk<SmsTables, number>(
    (db, ids) =>
      db.updateTable("sms_received_text").set({ state: "delivered", result: null, done_at: 0 })
        .where("id", "in", [...ids]),
    (id) => [id],
  );

  constructor(private readonly db: Kysely<SmsTables>, private readonly seal: Seal) {}

  /** Writes what changes say of them: new ones, and how they ended. */
  async write(transaction: Transaction<SmsTables>, changes: readonly Change[]): Promise<void> {
    await this.#new.run(transaction, changes.flatMap(({ received }) => received ?? []));
    const outcomes = new Map<string, number[]>();
    for (const { receivedEnd } of changes) {
      if (!receivedEnd) continue;
      const { id, state, result, at } = receivedEnd, key = JSON.stringify([state, result, at]);
      outcomes.set(key, [...outcomes.get(key) ?? [], id]);
    }
    for (const [key, ids] of outcomes) await this.#ended.run(transaction, ids, JSON.parse(key) as unknown[]);
  }

  /** A page, the newest first; those before the id `before`, where it is given. */
  async list(filter: ReceivedFilter, limit: number, before?: number): Promise<ReceivedFacts[]> {
    return await this.#page(filter, limit, before).select(FACTS).execute();
  }

  /** The same, with what they say. */
  async listWhole(filter: ReceivedFilter, limit: number, before?: number): Promise<ReceivedRow[]> {
    return await this.#page(filter, limit, before).selectAll().execute();
  }

  async find(id: number): Promise<ReceivedRow | undefined> {
    return await this.db.selectFrom("sms_received_text").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** What one says. @throws {SealError} */
  deliverOf({ id, pdu }: ReceivedRow): Deliver {
    const deliver = decodeMessage(this.seal.open(pdu), 3);
    if (deliver.command !== "DELIVER") {
      throw new TypeError(`received text ${id} is kept as ${deliver.command}`);
    }
    return deliver;
  }

  /** Forgets those that ended, and came before `before`; gives how many. */
  async forget(before: number): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("sms_received_text").where("received_at", "<", before)
      .where("state", "!=", "waiting").executeTakeFirst();
    return Number(numDeletedRows);
  }

  #page({ spId, state, source }: ReceivedFilter, limit: number, before: number | undefined) {
    let query = this.db.selectFrom("sms_received_text").orderBy("id", "desc").limit(limit);
    if (spId !== undefined) query = query.where("sp_id", "=", spId);
    if (state !== undefined) query = query.where("state", "=", state);
    if (source !== undefined) query = query.where("source", "=", source);
    if (before !== undefined) query = query.where("id", "<", before);
    return query;
  }
}
