/**
 * A brake on how much comes, beside how often.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";

/** Keys of one window; past that, new ones are not counted: they are gateways, and there is no end of windows. */
const MAX_KEYS = 1_000_000;

/** At most `limit` units a key in any window of `windowMs` (fixed windows). */
export class KeyedVolume {
  readonly #taken = new Map<string, number>();
  #windowEnd: number;

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly limit: number,
    private readonly windowMs: number,
  ) {
    this.#windowEnd = clock.monotonic() + windowMs;
  }

  /** Counts `units` of `key`; false where they are too many. What is turned away does not count. */
  take(key: string, units: number): boolean {
    const now = this.clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#taken.clear();
      this.#windowEnd = now + this.windowMs;
    }
    const sum = (this.#taken.get(key) ?? 0) + units;
    if (sum > this.limit) return false;
    if (this.#taken.size < MAX_KEYS || this.#taken.has(key)) this.#taken.set(key, sum);
    return true;
  }
}
