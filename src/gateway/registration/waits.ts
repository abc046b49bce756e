/**
 * How long a gateway waits before it comes back: pure functions of the timing and of one random number, so that what a
 * million gateways do together can be computed with the very code that one of them runs.
 *
 * @module
 */
import type { RegistrationTiming } from "./timing.ts";

/** A failed round. */
export interface FailedRound {
  /** How many failed in a row, this one included. */
  readonly failed: number;
  /** Whether its last datagram waited for an answer in vain: that wait is part of the interval. */
  readonly unanswered: boolean;
  /** At least 0, less than 1. */
  readonly random: number;
}

/**
 * Milliseconds from the end of a failed round to the next one: one interval after the last datagram, a long pause
 * after every fifth (reference §3). The first time a random part of an interval comes on top: gateways that began
 * together, as after a power cut, part there and stay apart.
 */
export function waitBetweenRounds(
  timing: RegistrationTiming,
  intervalMs: number,
  { failed, unanswered, random }: FailedRound,
): number {
  const intervals = failed % timing.roundsBeforePause === 0 ? timing.pauseIntervals : 1;
  const apart = failed === 1 ? random * intervalMs : 0;
  return Math.max(0, intervals * intervalMs + apart - (unanswered ? timing.answerWaitMs : 0));
}

/** Milliseconds before going back to distribution, or on after a long outage of the name service. */
export function spreadWait(intervalMs: number, random: number): number {
  return random * intervalMs;
}

/** Milliseconds from the start of a gateway to its first Boot; one that was never registered does not wait. */
export function startWait(timing: RegistrationTiming, known: boolean, random: number): number {
  return known ? random * timing.startSpreadMs : 0;
}

/** Whether names were not found for so long that all gateways will find theirs at the same moment. */
export function longWithoutNames(timing: RegistrationTiming, intervalMs: number, failures: number): boolean {
  return failures * timing.dnsRetryMs >= intervalMs;
}
