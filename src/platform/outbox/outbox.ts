/**
 * The transactional outbox: a change and the word of it are committed together, or neither is.
 *
 * Where nobody wants to hear of such a thing nothing is written. Whoever hands things on takes rows away in the
 * transaction that puts them where they go, so that each is handed on once, whichever node does it.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Clock, newId } from "../../base/mod.ts";
import { onServer } from "../../storage/mod.ts";
import type { PlatformEvents } from "../subjects.ts";
import type { OutboxTables } from "./schema.ts";

/** Whom something is about: nobody in particular where nothing is said. */
export interface About {
  readonly mac?: string;
  /** The group of an alarm's rule; null: it is about more than one group. */
  readonly group?: string | null;
  /** Who made what it is about: they see it whatever it reaches. */
  readonly by?: string;
}

/** What is told of something. */
export interface Telling {
  readonly type: string;
  readonly data: unknown;
  readonly about: About;
}

/** The same as it happened once. */
export interface Happening extends Telling {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What is to be told of a message on the bus; undefined: nobody wants to hear of it. */
export type Translate = <S extends keyof PlatformEvents>(
  subject: S,
  message: PlatformEvents[S],
) => Telling | undefined;

// deno-lint-ignore no-explicit-any -- a transaction of whoever changes something: which tables it sees is theirs
type Transaction = Kysely<any>;

/** Whoever hands on what happened. */
export interface Listener {
  readonly translate: Translate;
  /** Waits until all that it has heard on the bus so far, and that is in no transaction, is written too. */
  written(): Promise<void>;
}

/** What happened and has not been handed on. */
export class Outbox {
  #listener: Listener | undefined;

  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** From here on somebody listens; undefined: nobody does. */
  serve(listener: Listener | undefined): void {
    this.#listener = listener;
  }

  /** Waits until what was said on this node's bus so far survives the process, as far as anybody wants to hear of it. */
  async told(): Promise<void> {
    await this.#listener?.written();
  }

  /** Whether {@linkcode Outbox.put} would write anything. */
  wants<S extends keyof PlatformEvents>(subject: S, message: PlatformEvents[S]): boolean {
    return this.#listener?.translate(subject, message) !== undefined;
  }

  /** Writes it down in `tx`, the transaction of what it tells of. Say it on the bus too once that is committed. */
  async put<S extends keyof PlatformEvents>(
    tx: Transaction,
    subject: S,
    message: PlatformEvents[S],
  ): Promise<void> {
    const telling = this.#listener?.translate(subject, message);
    if (!telling) return;
    const { type, data, about } = telling;
    await (tx as Kysely<OutboxTables>).insertInto("outbox").values({
      ...{ id: newId(), type, at: this.clock.now() },
      ...{ data: JSON.stringify(data), about: JSON.stringify(about) },
    }).execute();
  }

  /** What waits, the oldest first. */
  async waiting(db: Kysely<OutboxTables>, limit: number): Promise<Happening[]> {
    const rows = await db.selectFrom("outbox").selectAll().orderBy("id").limit(limit).execute();
    return rows.map(({ data, about, ...row }) => ({
      ...row,
      data: JSON.parse(data),
      about: JSON.parse(about),
    }));
  }

  /**
   * Takes rows away in `tx`; answers the ids of those that were there. What another node takes at the same moment is
   * left to it.
   */
  async take(tx: Transaction, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const db = tx as Kysely<OutboxTables>;
    let free = db.selectFrom("outbox").select("id").where("id", "in", ids).orderBy("id");
    if (onServer(db)) free = free.forUpdate().skipLocked();
    const taken = await db.deleteFrom("outbox").where("id", "in", free).returning("id").execute();
    return new Set(taken.map(({ id }) => id));
  }
}
