/**
 * The local port 17998.
 *
 * @module
 */
export { PasswordLock } from "./password_lock.ts";
export { DEFAULT_LOCAL_LIMITS, type LocalLimits, type LocalOptions, LocalServer } from "./server.ts";
