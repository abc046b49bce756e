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
}

/** Items kept in memory for one provider; more stays in the database until it is their turn. */
const IN_MEMORY = 2_000;
/** Items read at a time. */
const PAGE = 500;

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
  /** The last id that was in memory. */
  #last = 0;

  #generation = 0;

  /** `load` reads a page from the database; `leaving` tells which of it was taken and is just being removed. */
  constructor(
    private readonly load: (after: number, limit: number) => Promise<Item[]>,
    private readonly leaving: (id: number) => boolean,
  ) {}

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
    this.pump();
  }

  detach(carrier: Carrier<Item>): void {
    const at = this.#carriers.indexOf(carrier);
    if (at >= 0) this.#carriers.splice(at, 1);
    if (this.#carriers.length > 0) return;
    // Nobody is there: what waits is on disk, and need not be in memory. It is read again from the start.
    this.#queue = [];
    this.#at = this.#last = 0;
    this.#complete = false;
    this.#generation++;
  }

  /** Sends what can be sent, in turn over the connections. */
  pump(): void {
    let full = 0;
    while (full < this.#carriers.length && this.#at < this.#queue.length) {
      this.#next = (this.#next + 1) % this.#carriers.length;
      if (this.#carriers[this.#next]!.carry(this.#queue[this.#at]!)) {
        this.#at++;
        full = 0;
      } else full++;
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
    const after = this.#last, generation = this.#generation;
    this.load(after, PAGE).then((items) => {
      this.#loading = false;
      if (generation !== this.#generation) return this.pump(); // read for a queue that is gone
      for (const item of items) if (!this.leaving(item.id)) this.#queue.push(item);
      this.#last = items.at(-1)?.id ?? after;
      // What was offered while the page was read may be behind it.
      this.#complete = items.length < PAGE && !this.#missed;
      this.pump();
    }, () => {
      this.#loading = false; // told by the loader; the next offer or connection tries again
    });
  }
}
