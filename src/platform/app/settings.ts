/**
 * What the phone app's service can be told.
 *
 * @module
 */
import type { LockOutSettings } from "../credentials/mod.ts";
import { DEFAULT_COST, type ScryptCost } from "../credentials/mod.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** Limits and costs. */
export interface AppSettings {
  readonly scrypt: ScryptCost;
  /** Milliseconds that an access token is good for. */
  readonly accessMs: number;
  /** Milliseconds that a sign-in holds without being renewed, and however often it is. */
  readonly sessionMs: number;
  readonly maxSessionMs: number;
  /** Sign-ins and sign-ups tried from one address, in one minute and one hour. */
  readonly signInsPerMinute: number;
  readonly signUpsPerHour: number;
  /** Wrong passwords for one name. */
  readonly signInLock: LockOutSettings;
  /** Wrong proofs by one user, and for one LOID. */
  readonly proofLock: LockOutSettings;
  /** Wrong invitation codes by one user. */
  readonly codeLock: LockOutSettings;
  /** Posts of one user in a second. */
  readonly postsPerSecond: number;
}

/** What holds where nothing is said. */
export const DEFAULT_APP_SETTINGS: AppSettings = {
  scrypt: DEFAULT_COST,
  accessMs: 15 * MINUTE,
  sessionMs: 30 * DAY,
  maxSessionMs: 365 * DAY,
  signInsPerMinute: 30,
  signUpsPerHour: 60,
  signInLock: { free: 5, lockMs: MINUTE, maxLockMs: 15 * MINUTE, forgetMs: DAY, maxKeys: 100_000 },
  proofLock: { free: 10, lockMs: MINUTE, maxLockMs: HOUR, forgetMs: DAY, maxKeys: 100_000 },
  codeLock: { free: 10, lockMs: MINUTE, maxLockMs: HOUR, forgetMs: DAY, maxKeys: 100_000 },
  postsPerSecond: 20,
};
