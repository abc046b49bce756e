/**
 * The numbers in `Result`, by name (reference §2 to §5).
 *
 * @module
 */

/** Answers of the distribution platform (§2). */
export const DistributionResult = {
  VERIFIED: 2,
  OK: 0,
  /** Unknown method, or more than three packets a second from one MAC. */
  GENERAL: -1,
  /** Unknown device, wrong CheckSN, or no operations platform to send it to. */
  REFUSED: -2,
  /** Ask the distribution platform named in `ServerIP` instead. */
  REDIRECT: -5,
  /** The SN could not be looked up at BootFirst. */
  SN_LOOKUP_FAILED: -7,
} as const;

/** What a gateway understands on the access link (§3). */
export const AccessResult = {
  /** A new device: restore defaults and go through distribution again. */
  NEW_DEVICE: 3,
  VERIFIED: 2,
  /** The platform took the new DevRND of a trigger handshake. */
  DEVRND_TAKEN: 1,
  OK: 0,
  /** Retry at Boot; in the running state go through distribution again. */
  GENERAL: -1,
  /** Verification failed: fall silent. */
  REFUSED: -2,
  /** Register again through distribution. */
  REGISTER_AGAIN: -3,
  TIMEOUT: -4,
  /** Reconnect to the platform named in `ServerIP`. */
  REDIRECT: -5,
} as const;

/** Outer results of Post and Post1 (§4). */
export const PostResult = {
  OK: 0,
  /** The request was not understood at all. */
  GENERAL: -1,
  BUSY: -5,
  ABSENT: -12,
  NOT_RUNNING: -16,
  TIMED_OUT: -100,
} as const;

/** Results of the plug-in management methods (§4). */
export const PluginResult = {
  OK: 0,
  GENERAL: -1,
  STORAGE_FULL: -4,
  BUSY: -5,
  VERSION: -6,
  TYPE: -7,
  NAME: -8,
  ABSENT: -12,
  NOT_RUNNING: -16,
  INSTALL_FAILED: -17,
} as const;

/** Whether a management reply says that the thing was done: 0 or 1 (§4). */
export function isPluginSuccess(result: number): boolean {
  return result === 0 || result === 1;
}

/** The `OS` of an Install: what kind of package stands behind its address (§4). */
export const PluginOs = { OSGI: 0, CPK: 5, FILE: 6, SCRIPT: 9 } as const;

/** `FailReason`s of the dispatcher (§7). */
export const FailReason = {
  LOCAL_AUTH_FAIL: "LOCAL_AUTH_FAIL",
  NO_RIGHT_ACCESS: "NO_RIGHT_ACCESS",
  UNRECOGNIZE_REQUEST: "UNRECOGNIZE_REQUEST",
  /** Goes with the outer result -5. */
  BUSY_REQUEST: "BUSY_REQUEST",
} as const;
