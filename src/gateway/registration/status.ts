/**
 * What people are shown of registration.
 *
 * @module
 */
import type { HostPort } from "../../base/mod.ts";

/**
 * Where registration stands: looking a name up, talking to distribution, talking to the operations platform,
 * registered, pausing before the next try, silent after a refusal, or stopped.
 */
export const REGISTRATION_STATES = [
  "resolving",
  "distribution",
  "registering",
  "registered",
  "waiting",
  "silent",
  "stopped",
] as const;
/** One of {@linkcode REGISTRATION_STATES}. */
export type RegistrationState = typeof REGISTRATION_STATES[number];

/**
 * What the next try is, or why it waits:
 * - `heartbeat`: the next heartbeat
 * - `resend`: the question on the way is sent again, or given up
 * - `name`: the platform's name was not found; it is looked up again
 * - `round`: the last round failed; one interval lies between two
 * - `pause`: many rounds failed; ten intervals lie between two series
 * - `refused`: the platform refused this gateway, which is silent for long
 * - `spread`: a random wait, so that the gateways of a failed platform do not come back at once
 * - `circles`: platforms sent this gateway from one to another too often
 * - `fault`: something failed that should not
 */
export const NEXT_TRIES = [
  "heartbeat",
  "resend",
  "name",
  "round",
  "pause",
  "refused",
  "spread",
  "circles",
  "fault",
] as const;
/** One of {@linkcode NEXT_TRIES}. */
export type NextTryReason = typeof NEXT_TRIES[number];

/** Questions that platforms answer. */
export const QUESTION_METHODS = ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb"] as const;
/** One of {@linkcode QUESTION_METHODS}. */
export type QuestionMethod = typeof QUESTION_METHODS[number];

/** The last answer to a question. */
export interface LastAnswer {
  readonly method: QuestionMethod;
  readonly result: number;
  /** Who answered. */
  readonly from: HostPort;
  readonly at: number;
}

/** Counts since the start, but for `failedRounds`. */
export interface RegistrationCounts {
  readonly registrations: number;
  readonly heartbeats: number;
  readonly heartbeatsUnanswered: number;
  readonly distributionRounds: number;
  readonly operationsRounds: number;
  /** Rounds that failed in a row until now; 0 while registered. */
  readonly failedRounds: number;
  /** Changes of the own address that were noticed. */
  readonly addressChanges: number;
  /** Long gaps in the wall clock, as after a suspension. */
  readonly clockGaps: number;
}

/**
 * Registration for people; times are milliseconds since 1970 by the clock as it is now: a clock that was set meanwhile
 * does not make them lie.
 */
export interface RegistrationStatus {
  readonly state: RegistrationState;
  readonly since: number;
  readonly intervalSeconds: number;
  readonly operations?: HostPort;
  readonly messageServer?: HostPort;
  /** The last answer of any platform. */
  readonly lastResult?: number;
  readonly lastAnswerAt?: number;
  /** The last answer to each question, the youngest first. */
  readonly answers: readonly LastAnswer[];
  readonly nextTryAt?: number;
  readonly nextTry?: NextTryReason;
  readonly counts: RegistrationCounts;
}
