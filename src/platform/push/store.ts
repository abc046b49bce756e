/**
 * Pushed messages as rows: each kept once, however often it comes, and not for ever.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { WriteBatch } from "../../storage/mod.ts";
import type { PushMessageRow, PushTables } from "./schema.ts";

/** Messages by gateway. Many writers share a transaction. */
export class PushStore {
  readonly #writes: WriteBatch<{ row: PushMessageRow; onNew: () => void }>;

  constructor(private readonly db: Kysely<PushTables>) {
    this.#writes = new WriteBatch(async (writes) => {
      const fresh: (() => void)[] = [];
      await db.transaction().execute(async (tx) => {
        for (const { row, onNew } of writes) {
          const { numInsertedOrUpdatedRows } = await tx.insertInto("push_message").values(row)
            .onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
          if (numInsertedOrUpdatedRows) fresh.push(onNew);
        }
      });
      for (const onNew of fresh) onNew();
    });
  }

  /** Keeps a message; resolves when it is on disk. `onNew` is called where it was not there already. */
  add(row: PushMessageRow, onNew: () => void): Promise<void> {
    return this.#writes.write({ row, onNew });
  }

  /** Messages of a gateway, newest first. `before` is the last id of the page before. */
  list(mac: string, limit: number, before?: string, plugin?: string): Promise<PushMessageRow[]> {
    let select = this.db.selectFrom("push_message").selectAll().where("mac", "=", mac).orderBy("id", "desc")
      .limit(limit);
    if (before !== undefined) select = select.where("id", "<", before);
    if (plugin !== undefined) select = select.where("plugin", "=", plugin);
    return select.execute();
  }

  /** Removes what came before `time` (milliseconds since 1970); answers how much. */
  async forgetBefore(time: number): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("push_message").where("received_at", "<", time)
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  flush(): Promise<void> {
    return this.#writes.flush();
  }
}
