/**
 * Challenges handed out and not yet answered, of the distribution, access and plug-in centre services.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";

/** Seconds of silence after which a challenge is forgotten (reference §2). */
const CHALLENGE_SECONDS = 130;

/**
 * Values by key that are forgotten `lifeMs` after they were set. At most `capacity` are kept: past that the oldest
 * goes, so that a flood of Boots costs bounded memory and the latest callers still get through.
 */
export class Challenges<Value> {
  readonly #entries = new Map<string, { value: Value; expires: number }>();

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly lifeMs: number = CHALLENGE_SECONDS * 1000,
    private readonly capacity = 200_000,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  set(key: string, value: Value): void {
    this.#forgetOld();
    this.#entries.delete(key);
    if (this.#entries.size >= this.capacity) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { value, expires: this.clock.monotonic() + this.lifeMs });
  }

  /** The value under `key`, if it is still fresh. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.expires > this.clock.monotonic() ? entry.value : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Entries stand in the order of their expiry: only the front needs a look. */
  #forgetOld(): void {
    const now = this.clock.monotonic();
    for (const [key, { expires }] of this.#entries) {
      if (expires > now) return;
      this.#entries.delete(key);
    }
  }
}
