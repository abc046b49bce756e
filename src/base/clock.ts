/**
 * Time as a dependency. Nothing in the house reads the system clock or sets a timer by itself: it is handed
 * a {@linkcode Clock}, so that a test can hand it a {@linkcode FakeClock} and live through a day in a millisecond.
 *
 * @module
 */

/** A timer that was set and may be taken back. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** The time of day, a time that never jumps, and timers. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. It may jump: never measure a duration with it. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back and never jumps. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs` milliseconds. */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** The longest delay that the runtime's own timers take, in milliseconds (2^31 - 1, about 24 days). */
const LONGEST_DELAY = 0x7fff_ffff;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delayMs) {
    const id = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY));
    return { cancel: () => clearTimeout(id) };
  },
};

/** Resolves after `ms` milliseconds of `clock`; rejects with the signal's reason as soon as `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * Settles as `promise` does, or rejects with `onTimeout()` after `ms` milliseconds, whichever is first.
 * The work behind `promise` goes on: whoever started it must be able to stop it.
 */
export function withTimeout<T>(
  clock: Clock,
  promise: Promise<T>,
  ms: number,
  onTimeout: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => reject(onTimeout()), ms);
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
