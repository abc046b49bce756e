/**
 * How long registration waits for what: the defaults of the reference (§3).
 *
 * @module
 */

/** Times in milliseconds, and counts. */
export interface RegistrationTiming {
  /** How long an answer is waited for. */
  readonly answerWaitMs: number;
  /** Between heartbeats, and between resends, until a platform names another interval. */
  readonly heartbeatMs: number;
  /** How often BootFirst and Boot are sent in one round. */
  readonly bootTries: number;
  /** How often RegisterFirst and Register are sent in one round. */
  readonly registerTries: number;
  /** Unanswered heartbeats in a row that send the gateway back to distribution. */
  readonly lostHeartbeats: number;
  /** Failed rounds after which it pauses… */
  readonly roundsBeforePause: number;
  /** …for this many heartbeat intervals. */
  readonly pauseIntervals: number;
  /** Failed Boot rounds after which it goes back to distribution, with a random wait. */
  readonly roundsBeforeDistribution: number;
  /** Silence after the result -2. */
  readonly silenceMs: number;
  /** Between two look-ups of a name that was not found. */
  readonly dnsRetryMs: number;
  /** Look-ups of the operations platform's name in one round; at distribution there is no end to them. */
  readonly dnsTries: number;
  /** How often the own address and the clock are looked at between heartbeats, and in waits. */
  readonly addressCheckMs: number;
  /** A start with a known operations platform waits a random part of this, so that a whole district does not come at once. */
  readonly startSpreadMs: number;
  /** Orders to go elsewhere (-3, -4, -5, 3) that are followed at once in a row; each further one waits an interval. */
  readonly redirects: number;
  /** An interval that a platform names is kept within these bounds. */
  readonly shortestIntervalMs: number;
  readonly longestIntervalMs: number;
  /** Between two answers to a trigger, while the platform does not confirm. */
  readonly triggerResendMs: number;
  /** How often such an answer is sent in all. */
  readonly triggerSends: number;
}

/** The reference's values. */
export const DEFAULT_TIMING: RegistrationTiming = {
  answerWaitMs: 10_000,
  heartbeatMs: 60_000,
  bootTries: 2,
  registerTries: 4,
  lostHeartbeats: 3,
  roundsBeforePause: 5,
  pauseIntervals: 10,
  roundsBeforeDistribution: 15,
  silenceMs: 9_000_000,
  dnsRetryMs: 10_000,
  dnsTries: 6,
  addressCheckMs: 30_000,
  startSpreadMs: 0,
  redirects: 5,
  shortestIntervalMs: 1_000,
  longestIntervalMs: 86_400_000,
  triggerResendMs: 5_000,
  triggerSends: 6,
};
