/**
 * What a gateway keeps on its disk.
 *
 * @module
 */
export {
  type Account,
  ACCOUNTS,
  MAX_PASSWORD,
  MIN_PASSWORD,
  type PasswordCheck,
  Passwords,
} from "./passwords.ts";
export { readJsonFile, writeJsonFile } from "./json_file.ts";
export { type Attempt, type KeptLock, Lockout, type LockoutOptions } from "./lockout.ts";
export { LockoutFile } from "./lockout_file.ts";
export { GUARD_LOCKOUT, lockedReason, PasswordGuard, WRONG_PASSWORD } from "./password_guard.ts";
export { applyPasswordsFile } from "./passwords_file.ts";
export { type GatewayState, StateStore } from "./state_store.ts";
