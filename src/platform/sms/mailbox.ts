/**
 * What waits for one provider: in memory as far as it is likely to be needed soon, in the database all of it.
 *
 * @module
 */
import type { OutboxItem } from "./message.ts";

/** Where items can be sent now. */
export interface Carrier<Item = OutboxItem> {
  /** Sends an item; false where its window is full. */
  carry(item: Item): boolean;
  /** Whether an item was sent here as often as it may be, and never answered. */
  hasLost?(item: Item): boolean;
}

/** A page that was read from the database. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The last id that was looked at: not all there is can be read. Undefined: nothing was left. */
  readonly last: number | undefined;
}

/** What a mailbox leans on. */
export interface MailboxParts<Item> {
  /** Reads a page behind an id, of so many rows. */
  load(after: number, limit: number): Promise<Page<Item>>;
  /** Whether what is read was taken, and is just being removed. */
  leaving(id: number): boolean;
  /** Calls back after so many milliseconds. */
  after(ms: number, callback: () => void): void;
}

/** A page of the rows that were asked for with `limit`, as far as they can be read. */
export function pageOfRows<Row extends { readonly id: number }, Item>(
  rows: readonly Row[],
  limit: number,
  read: (row: Row) => Item | undefined,
): Page<Item> {
  const items = rows.flatMap((row): Item[] => {
    const item = read(row);
    return item === undefined ? [] : [item];
  });
  return { items, last: rows.length < limit ? undefined : rows.at(-1)!.id };
}

/** Items kept in memory for one provider; more stays in the database until it is their turn. */
const IN_MEMORY = 2_000;
/** Items read at a time. */
const PAGE = 500;
/** Waits before a page that could not be read is tried again: the first, and the longest, in milliseconds. */
const FIRST_RETRY_MS = 1_000, LONGEST_RETRY_MS = 30_000;

/**
 * The queue of one provider, in the order of ids. Items are offered once they are on disk; what does not fit in memory
 * is read again when its turn comes.
 */
export class Mailbox<Item extends { readonly id: number } = OutboxItem> {
  #queue: Item[] = [];
  #at = 0;
  readonly #carriers: Carrier<Item>[] = [];
  #next = 0;
  /** Everything on disk behind the queue is in the queue too. */
  #complete = false;
  #loading = false;
  #missed = false;
  #failures = 0;
  /** Items that every connection has lost: the next one that is made gets them. */
  #lost: Item[] = [];
  /** The last id that was in memory. */
  #last = 0;

  #generation = 0;

  constructor(private readonly parts: MailboxParts<Item>) {}

  /** Changes when the queue is thrown away: what was taken from an earlier one is read again from the database. */
  get generation(): number {
    return this.#generation;
  }

  /** Items in memory that wait to be sent. */
  get waiting(): number {
    return this.#queue.length - this.#at;
  }

  /** Takes a new item that is on disk. */
  offer(item: Item): void {
    if (!this.#complete || this.waiting >= IN_MEMORY) {
      this.#complete = false;
      this.#missed = true;
      if (this.#carriers.length > 0) this.pump();
      return;
    }
    this.#queue.push(item);
    this.#last = item.id;
    this.pump();
  }

  /** Items that were sent and not taken come first again, unless their queue is gone. */
  putBack(items: readonly Item[], generation = this.#generation): void {
    if (generation !== this.#generation || this.#carriers.length === 0) return;
    const rest = this.#queue.slice(this.#at);
    this.#queue = [...items, ...rest].sort((a, b) => a.id - b.id);
    this.#at = 0;
    this.pump();
  }

  attach(carrier: Carrier<Item>): void {
    this.#carriers.push(carrier);
    this.putBack(this.#lost.splice(0));
  }

  detach(carrier: Carrier<Item>): void {
    const at = this.#carriers.indexOf(carrier);
    if (at >= 0) this.#carriers.splice(at, 1);
    if (this.#carriers.length > 0) return;
    // Nobody is there: what waits is on disk, and need not be in memory. It is read again from the start.
    this.#queue = [];
    this.#lost = [];
    this.#at = this.#last = 0;
    this.#complete = false;
    this.#generation++;
  }

  /** Sends what can be sent, in turn over the connections. */
  pump(): void {
    // Too much went out and was never answered: whoever is there takes nothing. The next connection may.
    if (this.#lost.length >= IN_MEMORY) return;
    let full = 0, lost = 0;
    while (full < this.#carriers.length && this.#at < this.#queue.length) {
      this.#next = (this.#next + 1) % this.#carriers.length;
      const carrier = this.#carriers[this.#next]!, item = this.#queue[this.#at]!;
      if (carrier.hasLost?.(item)) {
        full++;
        if (++lost < this.#carriers.length) continue;
        this.#lost.push(item);
      } else if (!carrier.carry(item)) {
        full++;
        continue;
      }
      this.#at++;
      full = lost = 0;
    }
    if (this.#at > 1024 && this.#at * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#at);
      this.#at = 0;
    }
    if (!this.#complete && this.#carriers.length > 0 && this.waiting < PAGE) this.#fill();
  }

  #fill(): void {
    if (this.#loading) return;
    this.#loading = true;
    this.#missed = false;
    const after = this.#last, generation = this.#generation, { load, leaving } = this.parts;
    load(after, PAGE).then(({ items, last }) => {
      this.#loading = false;
      this.#failures = 0;
      if (generation !== this.#generation) return this.pump(); // read for a queue that is gone
      for (const item of items) if (!leaving(item.id)) this.#queue.push(item);
      this.#last = Math.max(after, last ?? items.at(-1)?.id ?? after);
      // What was offered while the page was read may be behind it.
      this.#complete = last === undefined && !this.#missed;
      this.pump();
    }, () => {
      // Told by the loader. Nothing else may come that would have it tried again.
      const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
      this.parts.after(pause, () => {
        this.#loading = false;
        this.pump();
      });
    });
  }
}
