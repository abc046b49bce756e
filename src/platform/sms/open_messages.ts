/**
 * Messages to phones that have not ended, as far as they are in memory.
 *
 * @module
 */
import type { Mt } from "./message.ts";

/**
 * Two kinds, counted apart: those that wait here, for the centre or for another gateway, and those that somebody else
 * has and only their report is missing. The first are what there must be room for; of the second there may be any
 * number, because phones may be off for days.
 */
export class OpenMessages {
  readonly #waiting = new Map<bigint, Mt>();
  /** The longest taken first. */
  readonly #taken = new Map<bigint, Mt>();
  readonly #waitingOf = new Map<string, number>();

  /** Messages that wait here. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Messages in memory that somebody else has. */
  get taken(): number {
    return this.#taken.size;
  }

  /**
   * Whether `count` more of a provider may wait where `most` may in all. No provider gets more than it leaves free:
   * alone it gets half, and whoever comes next always finds room.
   */
  hasRoom(spId: string, count: number, most: number): boolean {
    return (this.#waitingOf.get(spId) ?? 0) + count <= most - this.#waiting.size;
  }

  has(msgId: bigint): boolean {
    return this.#waiting.has(msgId) || this.#taken.has(msgId);
  }

  get(msgId: bigint): Mt | undefined {
    return this.#waiting.get(msgId) ?? this.#taken.get(msgId);
  }

  /** A message waits here. */
  add(mt: Mt): void {
    this.#waiting.set(mt.msgId, mt);
    this.#waitingOf.set(mt.spId, (this.#waitingOf.get(mt.spId) ?? 0) + 1);
  }

  /** A message that somebody took in an earlier run. */
  addTaken(mt: Mt): void {
    this.#taken.set(mt.msgId, mt);
  }

  /** Somebody else has a message that has waited here; false where it has not. */
  take(mt: Mt): boolean {
    if (!this.#leave(mt)) return false;
    this.#taken.set(mt.msgId, mt);
    return true;
  }

  delete(mt: Mt): void {
    if (!this.#leave(mt)) this.#taken.delete(mt.msgId);
  }

  /** The longest taken, `count` at most. */
  longestTaken(count: number): Mt[] {
    return this.#taken.values().take(count).toArray();
  }

  /** Those that wait. */
  allWaiting(): Iterable<Mt> {
    return this.#waiting.values();
  }

  *[Symbol.iterator](): Iterator<Mt> {
    yield* this.#waiting.values();
    yield* this.#taken.values();
  }

  #leave({ msgId, spId }: Mt): boolean {
    if (!this.#waiting.delete(msgId)) return false;
    const left = this.#waitingOf.get(spId)! - 1;
    if (left > 0) this.#waitingOf.set(spId, left);
    else this.#waitingOf.delete(spId);
    return true;
  }
}
