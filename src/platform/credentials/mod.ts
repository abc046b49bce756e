/**
 * What is secret: keeping passwords, a brake on guessing them, and sealing what the database must not show.
 *
 * @module
 */
export { LockOut, type LockOutSettings } from "./lock_out.ts";
export {
  DEFAULT_COST,
  MAX_PASSWORD,
  MIN_PASSWORD,
  Passwords,
  type ScryptCost,
  weakness,
} from "./passwords.ts";
export { Seal, SealError } from "./seal.ts";
