/**
 * How long the plug-in channel waits for what (reference §4), and how much it takes on at once.
 *
 * @module
 */

/** Times in milliseconds, and counts. */
export interface ChannelTiming {
  readonly connectMs: number;
  /** Tries to connect for one RequestPlug-in, and the pause between them. */
  readonly connectTries: number;
  readonly connectPauseMs: number;
  /** How long an answer is waited for. */
  readonly answerWaitMs: number;
  readonly heartbeatMs: number;
  /** How often a heartbeat is sent before the session ends. */
  readonly heartbeatSends: number;
  /** Requests in work at once; one more is answered -5. */
  readonly maxInFlight: number;
}

/** The reference's values. */
export const DEFAULT_CHANNEL_TIMING: ChannelTiming = {
  connectMs: 10_000,
  connectTries: 3,
  connectPauseMs: 2_000,
  answerWaitMs: 10_000,
  heartbeatMs: 100_000,
  heartbeatSends: 3,
  maxInFlight: 128,
};
