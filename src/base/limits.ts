/**
 * Brakes: how often, how much, how many.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** A token bucket: `ratePerSecond` on average, `burst` at once. */
export class TokenBucket {
  #tokens: number;
  #last: number;

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly ratePerSecond: number,
    private readonly burst: number = ratePerSecond,
  ) {
    this.#tokens = burst;
    this.#last = clock.monotonic();
  }

  /** Takes `count` tokens if they are there. */
  take(count = 1): boolean {
    const now = this.clock.monotonic();
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#last) / 1000 * this.ratePerSecond);
    this.#last = now;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}

/**
 * At most `limit` events a key in any window of `windowMs` (fixed windows). Remembers at most `maxKeys` keys of
 * the current window, so that a flood of made-up keys costs bounded memory; past that, new keys are refused.
 */
export class KeyedRate<Key> {
  #counts = new Map<Key, number>();
  #windowEnd: number;

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly limit: number,
    private readonly windowMs: number,
    private readonly maxKeys = 1_000_000,
  ) {
    this.#windowEnd = clock.monotonic() + windowMs;
  }

  /** Counts one event of `key`; false where it is one too many. */
  take(key: Key): boolean {
    const now = this.clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#counts.clear();
      this.#windowEnd = now + this.windowMs;
    }
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.limit || (count === 0 && this.#counts.size >= this.maxKeys)) return false;
    this.#counts.set(key, count + 1);
    return true;
  }
}
