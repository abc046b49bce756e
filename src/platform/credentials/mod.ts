/**
 * What everything needs that people sign in to: keeping passwords, and a brake on guessing them.
 *
 * @module
 */
export { LockOut, type LockOutSettings } from "./lock_out.ts";
export {
  DEFAULT_COST,
  MAX_PASSWORD,
  MIN_PASSWORD,
  normalizePassword,
  Passwords,
  type ScryptCost,
  weakness,
} from "./passwords.ts";
