/**
 * What is decided and on disk in the journal, and not in the tables yet.
 *
 * @module
 */
import type { Count, Move } from "./change.ts";
import type { Entry, PendingMessage } from "./entry.ts";
import type { OutboxRow } from "./schema.ts";

/** What an entry leaves to be done in the tables, once all that came after it is taken into account. */
export interface Work {
  /** The last entry that this settles. */
  readonly upTo: number;
  readonly messages: readonly PendingMessage[];
  readonly moves: readonly Move[];
  readonly outbox: readonly OutboxRow[];
  readonly taken: readonly { readonly spId: string; readonly id: number }[];
  readonly counts: readonly Required<Count>[];
}

/** One entry's own part. */
interface Generation {
  readonly id: number;
  readonly size: number;
  readonly messages: readonly string[];
  /** Of messages that are in their table already. */
  readonly moves: readonly Move[];
  readonly outbox: readonly number[];
  /** Of what is in its table already. */
  readonly taken: readonly { readonly spId: string; readonly id: number }[];
  readonly counts: readonly Required<Count>[];
}

/**
 * Entries in order, and what they come to together: a message that was taken, sent and reported on while its entry
 * waited is one row, and a report that its provider took meanwhile is none.
 */
export class Pending {
  readonly #generations: Generation[] = [];
  readonly #messages = new Map<string, PendingMessage>();
  readonly #outbox = new Map<number, OutboxRow>();
  #records = 0;

  /** Records in all entries. */
  get records(): number {
    return this.#records;
  }

  /** A message whose row is not in its table yet, as it stands now. */
  message(msgId: string): PendingMessage | undefined {
    return this.#messages.get(msgId);
  }

  /** Takes what was just decided. */
  add(id: number, entry: Entry): void {
    for (const message of entry.messages) this.#messages.set(message.msg_id, message);
    const moves = entry.moves.filter((move) => !this.#move(move));
    for (const row of entry.outbox) this.#outbox.set(row.id, row);
    const taken = entry.taken.filter((one) => !this.#outbox.delete(one.id));
    const size = entry.messages.length + entry.moves.length + entry.outbox.length + entry.taken.length + 1;
    this.#records += size;
    this.#generations.push({
      id,
      size,
      messages: entry.messages.map((message) => message.msg_id),
      moves,
      outbox: entry.outbox.map((row) => row.id),
      taken,
      counts: entry.counts,
    });
  }

  /** What the oldest entries come to, with `most` records left behind them; undefined where there are no more. */
  work(most: number): Work | undefined {
    let records = this.#records, count = 0;
    while (records > most && count < this.#generations.length) records -= this.#generations[count++]!.size;
    if (count === 0) return undefined;
    const some = this.#generations.slice(0, count);
    return {
      upTo: some.at(-1)!.id,
      messages: some.flatMap(({ messages }) => messages.flatMap((id) => this.#messages.get(id) ?? [])),
      moves: some.flatMap(({ moves }) => moves),
      outbox: some.flatMap(({ outbox }) => outbox.flatMap((id) => this.#outbox.get(id) ?? [])),
      taken: some.flatMap(({ taken }) => taken),
      counts: some.flatMap(({ counts }) => counts),
    };
  }

  /** That work is done, for good. */
  done(work: Work): void {
    for (const { msg_id } of work.messages) this.#messages.delete(msg_id);
    for (const { id } of work.outbox) this.#outbox.delete(id);
    while (this.#generations.length > 0 && this.#generations[0]!.id <= work.upTo) {
      this.#records -= this.#generations.shift()!.size;
    }
  }

  /** False where the message is not here. */
  #move({ msgId, state, stat, at, ref }: Move): boolean {
    const message = this.#messages.get(msgId);
    if (!message) return false;
    message.state = state;
    message.stat = stat;
    message.done_at = at;
    if (ref !== undefined) message.outlet_ref = ref;
    return true;
  }
}
