/**
 * How long the sender waits for what, in milliseconds.
 *
 * @module
 */

/** Times of the connection to the message server. */
export interface PushTiming {
  readonly connectMs: number;
  /** For the answer to a message. */
  readonly answerMs: number;
  /** A connection without messages is closed after so long. */
  readonly idleMs: number;
  /** The first pause after a failure; each further one is twice as long, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** The shortest pause after the platform said that it is busy. */
  readonly busyPauseMs: number;
  /** After failures a new registration is followed by a random wait of up to so long: all gateways register then. */
  readonly spreadMs: number;
}

/** The usual times. */
export const DEFAULT_PUSH_TIMING: PushTiming = {
  connectMs: 10_000,
  answerMs: 10_000,
  idleMs: 60_000,
  firstPauseMs: 1_000,
  longestPauseMs: 300_000,
  busyPauseMs: 5_000,
  spreadMs: 10_000,
};
