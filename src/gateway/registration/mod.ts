/**
 * How a gateway finds its platform, stays with it, and hears its triggers.
 *
 * @module
 */
export type { Registered } from "./operations.ts";
export { Registration, type RegistrationOptions } from "./registration.ts";
export {
  type LastAnswer,
  NEXT_TRIES,
  type NextTryReason,
  QUESTION_METHODS,
  type QuestionMethod,
  REGISTRATION_STATES,
  type RegistrationCounts,
  type RegistrationState,
  type RegistrationStatus,
} from "./status.ts";
export { DEFAULT_TIMING, type RegistrationTiming } from "./timing.ts";
export { type Trigger, Triggers } from "./triggers.ts";
export { longWithoutNames, spreadWait, startWait, waitBetweenRounds } from "./waits.ts";
