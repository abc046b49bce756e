/**
 * The audit log: who changed what, before and after, and from where. Each entry's hash covers the one before it, so
 * that an entry that is changed, taken out or put in shows. Where old entries are removed, an entry of the log itself
 * says up to where, and which hash the rest goes on from.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import { type Clock, nextTurn } from "../../base/mod.ts";
import { WriteBatch } from "../../storage/mod.ts";
import type { AuditRow, PeopleTables } from "./schema.ts";

/** What happened, before it has its place in the log. */
export type AuditEntry =
  & Omit<AuditRow, "seq" | "at" | "hash" | "before" | "after">
  & { readonly before?: unknown; readonly after?: unknown };

/** Which entries: all that is given must hold. `seq` counts down from `beforeSeq`. */
export interface AuditQuery {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
}

/** What a look through the whole log found. `brokenAt`: the first entry that does not follow from those before. */
export interface AuditVerdict {
  readonly entries: number;
  readonly intact: boolean;
  readonly brokenAt: number | null;
  /** The last entry's hash: kept elsewhere, it shows a log that was cut off at its end. */
  readonly head: string;
}

/** Up to where the log was cut off on purpose, and the hash there. */
interface Cut {
  readonly upTo: number;
  readonly hash: string;
}

/** The hash before the first entry. */
const GENESIS = "0".repeat(64);
/** The action of the entry that says what was cut off; no call of an API is called so. */
const CUT = "audit.cut";
/** Longest JSON kept of a before or after, in characters. */
const MAX_JSON = 32_768;
/** How often another node may be quicker with the next number. */
const TRIES = 20;
/** Entries that may wait for the database; past that they are refused, and so is what they are about. */
const MAX_WAITING = 20_000;
const PAGE = 1000;

/** The log. */
export class AuditLog {
  readonly #batch: WriteBatch<Omit<AuditRow, "seq" | "hash">>;

  constructor(private readonly db: Kysely<PeopleTables>, private readonly clock: Pick<Clock, "now">) {
    this.#batch = new WriteBatch((rows) => this.#append(rows), 200, MAX_WAITING);
  }

  /** Entries that wait for the database. */
  get waiting(): number {
    return this.#batch.pending;
  }

  /** Adds an entry; resolves when it is on disk. */
  add({ before, after, ...entry }: AuditEntry): Promise<void> {
    return this.#batch.write({
      ...entry,
      target: entry.target.slice(0, 500),
      at: this.clock.now(),
      before: textOf(before),
      after: textOf(after),
    });
  }

  /** Entries, the newest first. */
  list({ actor, action, target, from, until, beforeSeq, limit }: AuditQuery): Promise<AuditRow[]> {
    let select = this.db.selectFrom("audit").selectAll().orderBy("seq", "desc").limit(limit);
    if (actor !== undefined) select = select.where("actor", "=", actor);
    if (action !== undefined) select = select.where("action", "=", action);
    if (target !== undefined) select = select.where("target", "=", target);
    if (from !== undefined) select = select.where("at", ">=", from);
    if (until !== undefined) select = select.where("at", "<", until);
    if (beforeSeq !== undefined) select = select.where("seq", "<", beforeSeq);
    return select.execute();
  }

  /** Every entry behind the number `after`, a page at a time. */
  async *all(after = 0): AsyncGenerator<AuditRow[]> {
    for (;;) {
      const rows = await this.db.selectFrom("audit").selectAll().where("seq", ">", after)
        .orderBy("seq").limit(PAGE).execute();
      if (rows.length === 0) return;
      yield rows;
      if (rows.length < PAGE) return; // what is added from here on is no part of it
      after = Number(rows.at(-1)!.seq);
      await nextTurn();
    }
  }

  /** Goes through the whole log; again where its beginning was cut off meanwhile. */
  async verify(): Promise<AuditVerdict> {
    for (;;) {
      const cut = await this.#cut(), verdict = await this.#verifyFrom(cut);
      if (verdict.intact || (await this.#cut()).upTo === cut.upTo) return verdict;
    }
  }

  async #verifyFrom({ upTo: last, hash: head }: Cut): Promise<AuditVerdict> {
    let entries = 0;
    for await (const rows of this.all(last)) {
      for (const row of rows) {
        if (Number(row.seq) !== last + 1 || row.hash !== hashOf(head, row)) {
          return { entries, intact: false, brokenAt: last + 1, head };
        }
        entries++;
        last++;
        head = row.hash;
      }
    }
    return { entries, intact: true, brokenAt: null, head };
  }

  /**
   * Removes the entries before a time, but never the last; gives how many. What is cut off is written down first, so
   * that a crash in between leaves a log that is whole, with entries before its beginning that the next time removes.
   */
  async forgetBefore(time: number): Promise<number> {
    let { upTo } = await this.#cut();
    const kept = await this.db.selectFrom("audit").select("seq").where("at", ">=", time).where(
      "seq",
      ">",
      upTo,
    )
      .orderBy("seq").limit(1).executeTakeFirst();
    const head = await this.#head(), last = kept ? Number(kept.seq) - 1 : head.seq - 1;
    if (last > upTo) {
      const { hash } = await this.db.selectFrom("audit").select("hash").where("seq", "=", last)
        .executeTakeFirstOrThrow();
      await this.add({
        ...{ actor: "platform", actor_name: "platform", action: CUT, target: String(last), status: 200 },
        ...{ address: "", request_id: "", after: { upTo: last, hash } },
      });
      upTo = last;
    }
    let removed = 0;
    for (;;) {
      const first = await this.db.selectFrom("audit").select("seq").orderBy("seq").limit(1)
        .executeTakeFirst();
      if (!first || Number(first.seq) > upTo) return removed;
      const until = Math.min(upTo, Number(first.seq) + PAGE - 1);
      const { numDeletedRows } = await this.db.deleteFrom("audit").where("seq", "<=", until)
        .executeTakeFirst();
      removed += Number(numDeletedRows);
    }
  }

  async #cut(): Promise<Cut> {
    const row = await this.db.selectFrom("audit").select("after").where("actor", "=", "platform")
      .where("action", "=", CUT).orderBy("seq", "desc").limit(1).executeTakeFirst();
    return row?.after ? JSON.parse(row.after) : { upTo: 0, hash: GENESIS };
  }

  /** Waits for what is being written. */
  flush(): Promise<void> {
    return this.#batch.flush();
  }

  /** Several nodes may write: the number is the key, so only one of them gets it, and the others take the next. */
  async #append(entries: readonly Omit<AuditRow, "seq" | "hash">[]): Promise<void> {
    let head = await this.#head();
    for (let attempt = 1;; attempt++) {
      let { seq, hash } = head;
      const rows = entries.map((entry) => {
        const row = { ...entry, seq: ++seq };
        return { ...row, hash: hash = hashOf(hash, row) };
      });
      try {
        await this.db.insertInto("audit").values(rows).execute();
        return;
      } catch (error) {
        const now = await this.#head();
        // It was written, and only the answer was lost.
        if (now.seq > head.seq && await this.#stands(rows[0]!)) return;
        // Nobody was quicker: it failed for another reason.
        if (now.seq === head.seq || attempt >= TRIES) throw error;
        head = now;
      }
    }
  }

  async #stands({ seq, hash }: { readonly seq: number; readonly hash: string }): Promise<boolean> {
    const row = await this.db.selectFrom("audit").select("hash").where("seq", "=", seq).executeTakeFirst();
    return row?.hash === hash;
  }

  async #head(): Promise<{ seq: number; hash: string }> {
    const row = await this.db.selectFrom("audit").select(["seq", "hash"]).orderBy("seq", "desc").limit(1)
      .executeTakeFirst();
    return row ? { seq: Number(row.seq), hash: row.hash } : { seq: 0, hash: GENESIS };
  }
}

function hashOf(head: string, row: Omit<AuditRow, "hash">): string {
  const { seq, at, actor, actor_name, action, target, status, address, request_id, before, after } = row;
  const fields = [
    head,
    Number(seq),
    Number(at),
    actor,
    actor_name,
    action,
    target,
    status,
    address,
    request_id,
    before,
    after,
  ];
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  const text = JSON.stringify(value) ?? "null";
  return text.length <= MAX_JSON ? text : JSON.stringify({ cut: true, characters: text.length });
}
