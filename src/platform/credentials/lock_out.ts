/**
 * A brake on guessing: some tries are free, then every further one costs a longer wait.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";

/** How a {@linkcode LockOut} brakes. */
export interface LockOutSettings {
  /** Tries before the first wait. */
  readonly free: number;
  /** The first wait in milliseconds; each further one is twice as long, up to `maxLockMs`. */
  readonly lockMs: number;
  readonly maxLockMs: number;
  /** Milliseconds without a try after which all is forgiven. */
  readonly forgetMs: number;
  /** Keys remembered; past that, the one that was quiet for longest is forgotten. */
  readonly maxKeys: number;
}

interface Entry {
  tries: number;
  lockedUntil: number;
  lastTry: number;
}

/**
 * Counts tries by key. A try counts as failed from its start, so that many at once are no way around; success
 * takes all of them back. In memory: what was counted is gone with the process.
 */
export class LockOut {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly clock: Pick<Clock, "monotonic">, private readonly settings: LockOutSettings) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Begins a try: 0 where it may go on, else the milliseconds to wait. */
  begin(key: string): number {
    const { free, lockMs, maxLockMs, forgetMs, maxKeys } = this.settings, now = this.clock.monotonic();
    let entry = this.#entries.get(key);
    if (entry && now - entry.lastTry >= forgetMs) entry = undefined;
    if (entry && entry.lockedUntil > now) return entry.lockedUntil - now;
    const tries = (entry?.tries ?? 0) + 1;
    // The exponent is bounded: past it the wait has long been at its maximum.
    const wait = tries < free ? 0 : Math.min(maxLockMs, lockMs * 2 ** Math.min(tries - free, 30));
    this.#entries.delete(key);
    if (this.#entries.size >= maxKeys) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { tries, lockedUntil: now + wait, lastTry: now });
    return 0;
  }

  /** The try was good: earlier ones are forgiven. */
  succeed(key: string): void {
    this.#entries.delete(key);
  }

  /** The try could not be judged: it does not count. */
  withdraw(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    if (entry.tries <= 1) return void this.#entries.delete(key);
    entry.tries--;
    entry.lockedUntil = 0;
  }
}
