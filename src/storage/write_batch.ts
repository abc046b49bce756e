/**
 * Group commit: many small writes share one transaction.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { StorageError } from "./errors.ts";

/** Writes everything in `items`, in order, as one transaction. */
export type WriteAll<Item> = (items: readonly Item[]) => Promise<void>;

interface Batch<Item> {
  readonly items: Item[];
  readonly done: PromiseWithResolvers<void>;
}

/** What shows in the metrics how many writes of a store wait: the arguments of `Metrics.gauge`. */
export function writesWaiting(
  store: string,
  read: () => number,
): [name: string, help: string, read: () => number, labels: { store: string }] {
  return ["gatehouse_writes_waiting", "Writes that wait for the database, by store", read, { store }];
}

/**
 * Collects items while the previous batch is being written, and writes them together. The promise of
 * {@linkcode WriteBatch.write} settles when its own batch is durable or has failed as a whole.
 *
 * A lone write is held back for no timer: it goes out with what else is ready at this moment, such as the requests
 * that other sockets have brought. A database in this process never waits itself, so nobody would join otherwise.
 */
export class WriteBatch<Item> {
  readonly #batches: Batch<Item>[] = [];
  #running: Promise<void> | undefined;

  #pending = 0;

  /** `largest`: items of one batch; `most`: items that may wait. */
  constructor(
    private readonly writeAll: WriteAll<Item>,
    private readonly largest = 500,
    private readonly most = Infinity,
  ) {}

  /** How many items wait for their batch to begin. */
  get pending(): number {
    return this.#pending;
  }

  /** Rejects with {@linkcode StorageError} `busy` where too many items wait already. */
  write(item: Item): Promise<void> {
    if (this.#pending >= this.most) {
      const waiting = `${this.most} writes wait for the database already`;
      return Promise.reject(new StorageError("busy", `${waiting}: ask again later`));
    }
    this.#pending++;
    let batch = this.#batches.at(-1);
    if (!batch || batch.items.length >= this.largest) {
      batch = { items: [], done: Promise.withResolvers() };
      this.#batches.push(batch);
    }
    batch.items.push(item);
    this.#running ??= afterWhatIsReady().then(() => this.#run());
    return batch.done.promise;
  }

  /** Resolves when nothing waits any more: everything was written, or failed and its writers were told. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift()) {
      this.#pending -= batch.items.length;
      await this.writeAll(batch.items).then(batch.done.resolve, batch.done.reject);
    }
    this.#running = undefined;
  }
}

/** One turn of the event loop, as short as it can be. */
function afterWhatIsReady(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
