/**
 * The local port 17998.
 *
 * @module
 */
export { AUDIT_OUTCOMES, type AuditEntry, type AuditOutcome, LocalAudit } from "./audit.ts";
export { lanAddresses } from "./lan.ts";
export { LOCAL_LOCKOUT, PasswordLock } from "./password_lock.ts";
export { type LocalLimits, type LocalOptions, LocalServer } from "./server.ts";
