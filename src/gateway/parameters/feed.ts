/**
 * The latest changes of the tree, for those who come and ask what happened since.
 *
 * @module
 */
import type { ParameterChange } from "./binding.ts";
import type { ParameterTree } from "./tree.ts";

/** How many changes are remembered. */
const REMEMBERED = 512;

/** What happened after some sequence number. */
export interface Changes {
  /** Ask for what comes after this next time. */
  readonly sequence: number;
  /** Whether there was more than is remembered: whoever keeps a copy must read everything anew. */
  readonly missed: boolean;
  readonly changes: readonly ParameterChange[];
}

/** Remembers changes, and wakes those who wait for some. */
export class ParameterFeed implements Disposable {
  readonly #recent: ParameterChange[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #watching: Disposable;
  /** The youngest change that is not remembered. */
  #forgotten: number;

  constructor(private readonly tree: ParameterTree) {
    this.#forgotten = tree.sequence;
    this.#watching = tree.watch("", (change) => this.#take(change));
  }

  /** What happened after `sequence`; of that, what `wanted` lets through. */
  since(sequence: number, wanted: (change: ParameterChange) => boolean): Changes {
    const news = this.#recent.filter((change) => change.sequence > sequence);
    return {
      sequence: Math.max(this.#forgotten, this.#recent.at(-1)?.sequence ?? 0),
      missed: sequence < this.#forgotten,
      changes: news.filter(wanted),
    };
  }

  /** The same, waiting until there is something. Rejects with the signal's reason. */
  async next(
    sequence: number,
    wanted: (change: ParameterChange) => boolean,
    signal: AbortSignal,
  ): Promise<Changes> {
    for (;;) {
      const found = this.since(sequence, wanted);
      if (found.changes.length > 0 || found.missed) return found;
      sequence = Math.max(sequence, found.sequence);
      await this.#more(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
  }

  #take(change: ParameterChange): void {
    this.#recent.push(change);
    if (this.#recent.length > REMEMBERED) this.#forgotten = this.#recent.shift()!.sequence;
    // After all of one write have come.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    queueMicrotask(() => waiting.forEach((wake) => wake()));
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const wake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
