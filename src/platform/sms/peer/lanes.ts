/**
 * Messages to phones that wait for another gateway: one after the other for each number, else side by side.
 *
 * @module
 */
import type { ForwardItem } from "./item.ts";

/** The queue of one peer. A number's next message waits until the one before it was answered. */
export class Lanes {
  #ready: ForwardItem[] = [];
  #at = 0;
  readonly #behind = new Map<string, ForwardItem[]>();
  #size = 0;

  /** Messages here, those on their way included. */
  get size(): number {
    return this.#size;
  }

  /** Messages that may be sent now. */
  get ready(): number {
    return this.#ready.length - this.#at;
  }

  offer(item: ForwardItem): void {
    this.#size++;
    const behind = this.#behind.get(numberOf(item));
    if (behind) return void behind.push(item);
    this.#behind.set(numberOf(item), []);
    this.#ready.push(item);
  }

  /** The next one to send; it is on its way then. */
  take(): ForwardItem | undefined {
    const item = this.#ready[this.#at];
    if (!item) return undefined;
    this.#at++;
    if (this.#at > 1024 && this.#at * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#at);
      this.#at = 0;
    }
    return item;
  }

  /** One that was on its way comes first again. */
  putBack(item: ForwardItem): void {
    if (this.#at > 0) this.#ready[--this.#at] = item;
    else this.#ready.unshift(item);
  }

  /** One that was on its way is done with: the next to its number may go. */
  done(item: ForwardItem): void {
    this.#size--;
    const number = numberOf(item), behind = this.#behind.get(number), next = behind?.shift();
    if (next) this.#ready.push(next);
    else this.#behind.delete(number);
  }

  /** Takes out everything that is not on its way, nor behind something that is, in order for each number. */
  drain(): ForwardItem[] {
    const all: ForwardItem[] = [];
    for (const item of this.#ready.slice(this.#at)) {
      all.push(item, ...this.#behind.get(numberOf(item)) ?? []);
      this.#behind.delete(numberOf(item));
    }
    this.#size -= all.length;
    this.#ready = [];
    this.#at = 0;
    return all;
  }

  /** Throws out what has ended meanwhile, of what is not on its way. */
  prune(alive: (item: ForwardItem) => boolean): void {
    const dead: ForwardItem[] = [];
    const waiting = this.#ready.slice(this.#at).filter((item) => alive(item) || (dead.push(item), false));
    for (const [number, behind] of this.#behind) {
      const left = behind.filter(alive);
      this.#size -= behind.length - left.length;
      this.#behind.set(number, left);
    }
    this.#ready = waiting;
    this.#at = 0;
    for (const item of dead) this.done(item);
  }
}

function numberOf(item: ForwardItem): string {
  return item.fwd.Dest_Id[0]!;
}
