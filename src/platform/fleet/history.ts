/**
 * What happened to gateways: registrations, coming and going, changes by operators.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Clock, newId } from "../../base/mod.ts";
import { WriteBatch } from "../../storage/mod.ts";
import type { FleetTables, HistoryKind, HistoryRow } from "./schema.ts";

/** Entries that wait to be written; past that the newest are dropped: registration must not wait for them. */
const MAX_WAITING = 50_000;
const CHUNK = 500;

/** Histories as rows. */
export class HistoryStore {
  readonly #batch: WriteBatch<HistoryRow>;
  #waiting = 0;
  /** Entries that were dropped since too many waited. */
  dropped = 0;

  constructor(private readonly db: Kysely<FleetTables>, private readonly clock: Pick<Clock, "now">) {
    this.#batch = new WriteBatch(async (rows) => {
      await db.insertInto("gateway_history").values(rows).execute();
    }, CHUNK);
  }

  /** Entries that wait to be written. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Notes something; resolves when it is on disk, and rejects where it can't be. */
  async note(mac: string, kind: HistoryKind, detail: Readonly<Record<string, unknown>> = {}): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return void this.dropped++;
    this.#waiting++;
    try {
      await this.#batch.write({
        id: newId(),
        mac,
        at: this.clock.now(),
        kind,
        detail: JSON.stringify(detail),
      });
    } finally {
      this.#waiting--;
    }
  }

  /** A gateway's entries, the newest first, from before `before`. */
  list(mac: string, limit: number, before?: string): Promise<HistoryRow[]> {
    let select = this.db.selectFrom("gateway_history").selectAll().where("mac", "=", mac)
      .orderBy("id", "desc").limit(limit);
    if (before !== undefined) select = select.where("id", "<", before);
    return select.execute();
  }

  /** Forgets what is older. */
  async forget(olderThan: number): Promise<void> {
    await this.db.deleteFrom("gateway_history").where("at", "<", olderThan).execute();
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }
}
