/**
 * Timers of one owner, which leaves none behind.
 *
 * @module
 */
import type { Clock, Timer } from "../../base/mod.ts";

/** Sets timers until it is stopped. */
export class Timers {
  readonly #timers = new Set<Timer>();
  #stopped = false;

  constructor(private readonly clock: Pick<Clock, "setTimer">) {}

  /** Calls back after so many milliseconds; never once it was stopped. */
  after(ms: number, callback: () => void): void {
    if (this.#stopped) return;
    const timer = this.clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  /** Calls back every so many milliseconds. */
  every(ms: number, callback: () => void): void {
    this.after(ms, () => {
      callback();
      this.every(ms, callback);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
