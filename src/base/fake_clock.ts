/**
 * A clock for tests: it stands still until the test moves it.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock, Timer } from "./clock.ts";

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A {@linkcode Clock} that moves only by {@linkcode FakeClock.advance}. Timers fire in the order of their due
 * time; between two of them all promise callbacks that are ready run, as they would with real time passing.
 *
 * @example
 * ```ts
 * import { FakeClock } from "./mod.ts";
 * const clock = new FakeClock();
 * let fired = 0;
 * clock.setTimer(() => fired++, 60_000);
 * await clock.advance(60_000);
 * if (fired !== 1) throw new Error("the timer did not fire");
 * ```
 */
export class FakeClock implements Clock {
  /** What real time is spent on in a test, such as a database server: time here stands still until none says so. */
  static readonly busy = new Set<() => boolean>();

  #wall: number;
  #elapsed = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#wall = start;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const entry = { due: this.#elapsed + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** How many timers are set: for tests that nothing was left behind. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer is due, or undefined where none is set. */
  get nextTimerIn(): number | undefined {
    const next = this.#next();
    return next && next.due - this.#elapsed;
  }

  /** Moves time on by `ms` milliseconds, firing every timer that falls due on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(), fired = 0; next && next.due <= end; fired++) {
      this.#pending.delete(next);
      this.#moveTo(next.due);
      next.callback();
      await turns();
      // After the last one whatever it began has as long as before the first; so it has now and then on a long way.
      const last = !((next = this.#next()) && next.due <= end);
      if (last || fired % 16 === 0) {
        await settle();
        next = this.#next();
      }
    }
    this.#moveTo(end);
  }

  /** Makes the wall clock jump by `ms` (either way) as a time server would; timers and `monotonic` do not notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** Whether anything is busy at this moment. */
  static get isBusy(): boolean {
    return [...FakeClock.busy].some((busy) => busy());
  }

  /** Lets everything go on that needs no time to pass, and waits for what is busy. */
  static settled(): Promise<void> {
    return settle();
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (!first || entry.due < first.due || (entry.due === first.due && entry.order < first.order)) {
        first = entry;
      }
    }
    return first;
  }
}

/** Lets everything go on that is ready now, and what that makes ready, over some turns of the event loop. */
async function settle(): Promise<void> {
  do {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!FakeClock.isBusy) await immediates(24);
  } while (FakeClock.isBusy);
}

/** Lets a chain of callbacks run that goes over the event loop a few times: a day has many thousand timers. */
async function turns(): Promise<void> {
  await immediates(8);
  if (FakeClock.isBusy) await settle();
}

async function immediates(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
