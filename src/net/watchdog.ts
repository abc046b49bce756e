/**
 * A deadline that moves often and strikes seldom.
 *
 * @module
 */
import type { Clock, Timer } from "../base/mod.ts";

/**
 * Calls `onExpire` once the deadline has passed. Moving the deadline later costs no timer: the one that is set looks
 * again when it fires, so a busy connection can move it with every frame.
 */
export class Watchdog {
  #deadline = Infinity;
  #timer: Timer | undefined;
  #due = Infinity;

  constructor(private readonly clock: Clock, private readonly onExpire: () => void) {}

  /** Strikes `ms` milliseconds from now, in place of any earlier deadline. */
  set(ms: number): void {
    this.#deadline = this.clock.monotonic() + ms;
    if (this.#deadline < this.#due) this.#arm();
  }

  /** Does not strike until it is set again. */
  pause(): void {
    this.#deadline = Infinity;
  }

  /** As {@linkcode pause}, and leaves no timer behind. */
  stop(): void {
    this.#deadline = this.#due = Infinity;
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#due = this.#deadline;
    this.#timer = this.clock.setTimer(() => this.#look(), this.#due - this.clock.monotonic());
  }

  #look(): void {
    this.#due = Infinity;
    if (this.#deadline === Infinity) return;
    if (this.clock.monotonic() < this.#deadline) return this.#arm();
    this.#deadline = Infinity;
    this.onExpire();
  }
}
