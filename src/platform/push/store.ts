/**
 * Pushed messages as rows: each kept once, however often it comes, and not for ever.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { WriteBatch } from "../../storage/mod.ts";
import type { Filter, FleetTables } from "../fleet/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import { noteReset } from "../registry/mod.ts";
import type { PushMessageRow, PushTables } from "./schema.ts";

/** Messages that may wait for the database; past that they are refused, and their gateways push them again. */
const MAX_WAITING = 10_000;

/** Which messages: all that is given must hold. */
export interface MessageFilter {
  /** Of one of these gateways. */
  readonly macs?: readonly string[] | undefined;
  readonly plugin?: string | undefined;
  /** Of gateways that this finds at the moment of reading. */
  readonly gateways?: Filter | undefined;
  /** That came after this time, in milliseconds since 1970. */
  readonly after?: number | undefined;
}

/** Rows that one statement removes, so that nobody waits for long. */
const CHUNK = 500;

/** Messages by gateway. Many writers share a transaction. */
export class PushStore {
  readonly #writes: WriteBatch<
    { row: Omit<PushMessageRow, "seq">; onNew: (seq: number) => void; reset: number | undefined }
  >;

  /** `outbox`: where it is written that a message came, together with the message. */
  constructor(private readonly db: Kysely<PushTables>, outbox?: Outbox) {
    this.#writes = new WriteBatch(
      async (writes) => {
        const fresh: (() => void)[] = [];
        await db.transaction().execute(async (tx) => {
          // This row is held until the commit: numbers become visible in their order, whichever node writes.
          const { value } = await tx.updateTable("push_counter")
            .set((e) => ({ value: e("value", "+", writes.length) })).where("name", "=", "seq")
            .returning("value").executeTakeFirstOrThrow();
          let seq = Number(value) - writes.length;
          for (const { row, onNew, reset } of writes) {
            const place = ++seq;
            const { numInsertedOrUpdatedRows } = await tx.insertInto("push_message").values({
              ...row,
              seq: place,
            })
              .onConflict((conflict) => conflict.columns(["mac", "md5"]).doNothing()).executeTakeFirst();
            if (!numInsertedOrUpdatedRows) continue;
            fresh.push(() => onNew(place));
            const { mac, id, plugin } = row;
            await outbox?.put(tx, "message.pushed", { mac, id, plugin, seq: place });
            if (reset !== undefined) await noteReset(tx, row.mac, reset);
          }
        });
        for (const onNew of fresh) onNew();
      },
      undefined,
      MAX_WAITING,
    );
  }

  /** Messages that wait for the database. */
  get waiting(): number {
    return this.#writes.pending;
  }

  /**
   * Keeps a message; resolves when it is on disk. `onNew` is called with its place where it was not there already.
   * `reset`: it says that its gateway went back to its factory presets at that time, which is noted with it.
   */
  add(row: Omit<PushMessageRow, "seq">, onNew: (seq: number) => void, reset?: number): Promise<void> {
    return this.#writes.write({ row, onNew, reset });
  }

  /** Messages, newest first. `before` is the last place of the page before. */
  list(filter: MessageFilter, limit: number, before?: number): Promise<PushMessageRow[]> {
    let select = this.#select(filter).orderBy("seq", "desc").limit(limit);
    if (before !== undefined) select = select.where("seq", "<", before);
    return select.execute();
  }

  /** The place of the latest message: everything up to it can be read. */
  async latest(): Promise<number> {
    const row = await this.db.selectFrom("push_counter").select("value").where("name", "=", "seq")
      .executeTakeFirstOrThrow();
    return Number(row.value);
  }

  /** Messages behind `from` up to `to`, oldest first. */
  between(filter: MessageFilter, from: number, to: number, limit: number): Promise<PushMessageRow[]> {
    return this.#select(filter).where("seq", ">", from).where("seq", "<=", to).orderBy("seq").limit(limit)
      .execute();
  }

  /** Removes some of what came before `time` (milliseconds since 1970); answers how much: 0 when nothing is left. */
  async forgetBefore(time: number): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("push_message").where(
      "id",
      "in",
      (e) => e.selectFrom("push_message").select("id").where("received_at", "<", time).limit(CHUNK),
    ).executeTakeFirst();
    return Number(numDeletedRows);
  }

  /** Gateways with more than `keep` messages, some of them. */
  async crowded(keep: number): Promise<string[]> {
    const rows = await this.db.selectFrom("push_message").select("mac").groupBy("mac")
      .having((e) => e(e.fn.countAll(), ">", keep)).limit(CHUNK).execute();
    return rows.map(({ mac }) => mac);
  }

  /** Removes some of a gateway's oldest messages beyond the newest `keep`; answers how many: 0 when it has no more. */
  async forgetBeyond(mac: string, keep: number): Promise<number> {
    const last = await this.db.selectFrom("push_message").select("seq").where("mac", "=", mac)
      .orderBy("seq", "desc").offset(keep).limit(1).executeTakeFirst();
    if (!last) return 0;
    const { numDeletedRows } = await this.db.deleteFrom("push_message").where(
      "id",
      "in",
      (e) =>
        e.selectFrom("push_message").select("id").where("mac", "=", mac).where("seq", "<=", last.seq)
          .orderBy("seq").limit(CHUNK),
    ).executeTakeFirst();
    return Number(numDeletedRows);
  }

  flush(): Promise<void> {
    return this.#writes.flush();
  }

  #select({ macs, plugin, gateways, after }: MessageFilter) {
    let select = this.db.selectFrom("push_message").selectAll("push_message");
    if (gateways !== undefined) {
      const fleet = this.db as unknown as Kysely<FleetTables>;
      const found = fleet.selectFrom("gateway").select("gateway.mac").where("deleted_at", "is", null)
        .where((eb) => gateways(eb));
      select = select.where("push_message.mac", "in", found);
    }
    if (macs !== undefined) {
      select = macs.length === 1 ? select.where("mac", "=", macs[0]!) : select.where("mac", "in", macs);
    }
    if (plugin !== undefined) select = select.where("plugin", "=", plugin);
    if (after !== undefined) select = select.where("received_at", ">", after);
    return select;
  }
}
