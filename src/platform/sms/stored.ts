/**
 * What the tables of the service hold, as it is asked for.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";
import { addUp, type Count } from "./change.ts";
import type { PendingMessage } from "./entry.ts";
import type { MessageRow, MessageState, MessageTableRow, OutboxRow, SmsTables } from "./schema.ts";
import { type Seal, SealError } from "../credentials/mod.ts";

/** Messages in a page read from the database. */
const PAGE = 500;

/** As the indexes say it: SQLite uses a partial one only where the query has its very words. */
const IS_OPEN = sql<boolean>`"state" in ('scheduled', 'waiting', 'sent')`;
const IS_SENT = sql<boolean>`"state" = 'sent'`, PLAIN_REF = sql<string>`lower(ltrim("outlet_ref", '0'))`;

const NOTHING = new Uint8Array(0);

/** A message without what it says. */
export type MessageFacts = Omit<MessageRow, "pdu">;

/** Which messages. */
export interface MessageFilter {
  readonly spId?: string | undefined;
  readonly state?: MessageState | undefined;
  readonly destination?: string | undefined;
}

/** Where a page goes on. */
export interface MessagePlace {
  readonly submittedAt: number;
  readonly msgId: string;
}

/** Reads. What was decided and is not in the tables yet is brought there first. */
export abstract class StoredMessages {
  protected constructor(protected readonly db: Kysely<SmsTables>, protected readonly seal: Seal) {}

  /** Resolves once the tables hold everything that was written before. */
  protected abstract upToDate(): Promise<void>;

  /** A message whose row is not in its table yet, as it stands now. */
  protected abstract pendingMessage(msgId: string): PendingMessage | undefined;

  async message(msgId: string): Promise<MessageRow | undefined> {
    const pending = this.pendingMessage(msgId);
    if (pending) return { ...pending };
    // It may be there, and have moved since.
    await this.upToDate();
    const row = await this.db.selectFrom("sms_message").selectAll().where("msg_id", "=", msgId)
      .executeTakeFirst();
    return row && (await this.#whole([row]))[0];
  }

  /** Messages in `state` that are due by `until`, the longest due first; those behind `after`, where it is given. */
  async due(
    state: "scheduled" | "waiting" | "sent",
    until: number,
    after?: Pick<MessageRow, "due_at" | "msg_id">,
  ): Promise<MessageRow[]> {
    await this.upToDate();
    let query = this.db.selectFrom("sms_message").selectAll().where(IS_OPEN).where("state", "=", state)
      .where("due_at", "<=", until).orderBy("due_at").orderBy("msg_id").limit(PAGE);
    if (after) {
      query = query.where(({ eb, or, and }) =>
        or([
          eb("due_at", ">", after.due_at),
          and([eb("due_at", "=", after.due_at), eb("msg_id", ">", after.msg_id)]),
        ])
      );
    }
    return await this.#whole(await query.execute());
  }

  /** Messages handed out that expired by `until`, the longest first; those behind `after`, where it is given. */
  async expired(
    until: number,
    after?: Pick<MessageRow, "expires_at" | "msg_id">,
  ): Promise<MessageRow[]> {
    await this.upToDate();
    let query = this.db.selectFrom("sms_message").selectAll().where(IS_OPEN)
      .where("state", "in", ["waiting", "sent"])
      .where("expires_at", "<=", until).orderBy("expires_at").orderBy("msg_id").limit(PAGE);
    if (after) {
      query = query.where(({ eb, or, and }) =>
        or([
          eb("expires_at", ">", after.expires_at),
          and([eb("expires_at", "=", after.expires_at), eb("msg_id", ">", after.msg_id)]),
        ])
      );
    }
    return await this.#whole(await query.execute());
  }

  /** Messages that the centre has under one of these names, the newest first. */
  async takenAs(refs: readonly string[]): Promise<MessageTableRow[]> {
    await this.upToDate();
    return await this.db.selectFrom("sms_message").selectAll().where(IS_SENT).where(PLAIN_REF, "in", [
      ...refs,
    ])
      .orderBy("submitted_at", "desc").limit(PAGE).execute();
  }

  /** When the next scheduled message is due. */
  async nextDue(): Promise<number | undefined> {
    await this.upToDate();
    const row = await this.db.selectFrom("sms_message").select((eb) => eb.fn.min("due_at").as("due_at"))
      .where(IS_OPEN).where("state", "=", "scheduled").executeTakeFirst();
    return row?.due_at ?? undefined;
  }

  /** The latest time of a message, the largest id of the outbox, and what was reserved: where the next start goes on. */
  async lastUsed(): Promise<{ submittedAt: number; outboxId: number; reservedSecond: number }> {
    await this.upToDate();
    const message = await this.db.selectFrom("sms_message")
      .select((eb) => eb.fn.max("submitted_at").as("at")).executeTakeFirst();
    const outbox = await this.db.selectFrom("sms_outbox")
      .select((eb) => eb.fn.max("id").as("id")).executeTakeFirst();
    const received = await this.db.selectFrom("sms_received_text")
      .select((eb) => eb.fn.max("id").as("id")).executeTakeFirst();
    const reserve = await this.db.selectFrom("sms_id_reserve").select("second").executeTakeFirst();
    return {
      submittedAt: message?.at ?? 0,
      outboxId: Math.max(outbox?.id ?? 0, received?.id ?? 0),
      reservedSecond: reserve?.second ?? 0,
    };
  }

  /** What waits for a provider, behind `after`, in order. */
  async outboxOf(spId: string, after: number, limit: number): Promise<OutboxRow[]> {
    await this.upToDate();
    return await this.db.selectFrom("sms_outbox").selectAll().where("sp_id", "=", spId)
      .where("id", ">", after).orderBy("id").limit(limit).execute();
  }

  /** How much waits for each provider. */
  async outboxSizes(): Promise<{ sp_id: string; kind: string; count: number; oldest_at: number }[]> {
    await this.upToDate();
    const rows = await this.db.selectFrom("sms_outbox")
      .select((eb) => [
        "sp_id" as const,
        "kind" as const,
        eb.fn.countAll<number>().as("count"),
        eb.fn.min("created_at").as("oldest_at"),
      ])
      .groupBy(["sp_id", "kind"]).execute();
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  /** The sums of a provider's day; of one service, where it is named. */
  async counters(
    day: string,
    spId: string,
    serviceId?: string,
  ): Promise<Omit<Required<Count>, "service_id">> {
    await this.upToDate();
    let query = this.db.selectFrom("sms_counter").selectAll().where("day", "=", day)
      .where("sp_id", "=", spId);
    if (serviceId !== undefined) query = query.where("service_id", "=", serviceId);
    const [sum] = addUp((await query.execute()).map((row) => ({ ...row, service_id: "" })));
    const { service_id: _, ...counts } = sum ?? addUp([{ day, sp_id: spId, service_id: "" }])[0]!;
    return counts;
  }

  /** Counters by day, provider and service: from `from` to `to` (YYYYMMDD), of one provider where it is named. */
  async traffic(from: string, to: string, spId?: string): Promise<Required<Count>[]> {
    await this.upToDate();
    let query = this.db.selectFrom("sms_counter").selectAll().where("day", ">=", from).where("day", "<=", to)
      .orderBy("day").orderBy("sp_id").orderBy("service_id").limit(10_000);
    if (spId !== undefined) query = query.where("sp_id", "=", spId);
    return await query.execute();
  }

  /** A page of messages, the newest first. */
  async list(filter: MessageFilter, limit: number, before?: MessagePlace): Promise<MessageFacts[]> {
    await this.upToDate();
    return await this.#page(filter, limit, before).execute();
  }

  /** A page of messages with what they say, the newest first. */
  async listWhole(filter: MessageFilter, limit: number, before?: MessagePlace): Promise<MessageRow[]> {
    await this.upToDate();
    return await this.#whole(await this.#page(filter, limit, before).execute());
  }

  /** A page of what has waited for its provider since before `before`, without its contents. */
  async stale(before: number): Promise<Omit<OutboxRow, "pdu">[]> {
    await this.upToDate();
    return await this.db.selectFrom("sms_outbox").select(["id", "sp_id", "service_id", "kind", "created_at"])
      .where("created_at", "<", before).orderBy("created_at").limit(PAGE).execute();
  }

  #page(filter: MessageFilter, limit: number, before: MessagePlace | undefined) {
    let query = this.db.selectFrom("sms_message").selectAll()
      .orderBy("submitted_at", "desc").orderBy("msg_id", "desc").limit(limit);
    if (filter.spId !== undefined) query = query.where("sp_id", "=", filter.spId);
    if (filter.state !== undefined) query = query.where("state", "=", filter.state);
    if (filter.destination !== undefined) query = query.where("destination", "=", filter.destination);
    if (before) {
      query = query.where(({ eb, or, and }) =>
        or([
          eb("submitted_at", "<", before.submittedAt),
          and([eb("submitted_at", "=", before.submittedAt), eb("msg_id", "<", before.msgId)]),
        ])
      );
    }
    return query;
  }

  /** Rows with what they say; one whose contents can't be opened says nothing, and can't be read as a PDU. */
  async #whole(rows: readonly MessageTableRow[]): Promise<MessageRow[]> {
    const ids = [...new Set(rows.flatMap(({ content_id }) => content_id ?? []))];
    const contents = new Map<number, Uint8Array>();
    if (ids.length > 0) {
      const found = await this.db.selectFrom("sms_content").select(["id", "octets"]).where("id", "in", ids)
        .execute();
      for (const { id, octets } of found) contents.set(id, this.#opened(octets));
    }
    return rows.map(({ pdu, content_id, content_at, content_size, ...facts }) => ({
      ...facts,
      pdu: content_id === null
        ? this.#opened(pdu ?? NOTHING)
        : (contents.get(content_id) ?? NOTHING).slice(content_at!, content_at! + content_size!),
    }));
  }

  #opened(sealed: Uint8Array): Uint8Array {
    try {
      return this.seal.open(sealed);
    } catch (error) {
      if (error instanceof SealError) return NOTHING;
      throw error;
    }
  }
}
