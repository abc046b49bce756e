/**
 * Chores of every hour.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

const HOUR_MS = 3_600_000;

/**
 * Does `work` every hour, the first time in an hour, until it is disposed of; that waits for what is under way, which
 * its `signal` tells. An error is handed to `onError`, and the hour after `work` is done again.
 *
 * @example
 * ```ts
 * import { FakeClock, hourly } from "./mod.ts";
 * const clock = new FakeClock();
 * let times = 0;
 * await using _chore = hourly(clock, () => Promise.resolve(times++), () => {});
 * await clock.advance(2 * 3_600_000);
 * if (times !== 2) throw new Error(`done ${times} times`);
 * ```
 */
export function hourly(
  clock: Pick<Clock, "setTimer">,
  work: (signal: AbortSignal) => Promise<unknown>,
  onError: (error: unknown) => void,
): AsyncDisposable {
  const stop = new AbortController(), { signal } = stop;
  let timer: Timer | undefined, working: Promise<void> = Promise.resolve();
  const once = async () => {
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) onError(error); // what the stop broke off is no news
    }
    schedule();
  };
  const schedule = () => {
    if (!signal.aborted) timer = clock.setTimer(() => working = once(), HOUR_MS);
  };
  schedule();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      timer?.cancel();
      await working;
    },
  };
}
