/**
 * Holds the lines of a log to a rate, and sees to it that the number of those that were dropped is told.
 *
 * @module
 */
import { type Clock, type Timer, TokenBucket } from "../base/mod.ts";

/** How long after a line was dropped its number is told at the latest, in milliseconds. */
const TELL_MS = 1000;

/**
 * A brake on lines. `told` hears how many were dropped since it heard last: before the next line that passes, or a
 * second after the first of them, or when the brake is disposed of.
 */
export class LineBrake implements Disposable {
  readonly #bucket: TokenBucket;
  #dropped = 0;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Pick<Clock, "monotonic" | "setTimer">,
    perSecond: number,
    burst: number,
    private readonly told: (dropped: number) => void,
  ) {
    this.#bucket = new TokenBucket(clock, perSecond, burst);
  }

  /** Whether a line may pass; if not, it counts as dropped. */
  take(): boolean {
    if (!this.#bucket.take()) {
      this.drop(1);
      return false;
    }
    this.#tell();
    return true;
  }

  /** So many were dropped, here or before they came here. */
  drop(lines: number): void {
    this.#dropped += lines;
    this.#timer ??= this.clock.setTimer(() => this.#tell(), TELL_MS);
  }

  [Symbol.dispose](): void {
    this.#tell();
  }

  #tell(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.told(dropped);
  }
}
