/**
 * Telling the audit of calls that may have changed something.
 *
 * @module
 */
import type { Log } from "../base/mod.ts";
import type { Principal } from "./auth.ts";
import type { Passage } from "./passage.ts";
import type { Change } from "./route.ts";

/** A call that the audit hears of. */
export interface AuditedCall {
  readonly principal: Principal;
  readonly method: string;
  /** The route as declared, and the path as it was called. */
  readonly route: string;
  readonly path: string;
  readonly status: number;
  /** The caller's IP address. */
  readonly address: string;
  readonly requestId: string;
  /** What the handler said of the change: see `Call.changed`. */
  readonly change: Change | undefined;
}

/** Tells `audit` of a call that was answered `status`, where somebody known made it. Never throws. */
export async function tellAudit(
  audit: (call: AuditedCall) => Promise<void>,
  log: Log,
  { principal, method, route, path, client: { address }, id, change }: Passage,
  status: number,
): Promise<void> {
  if (!principal) return;
  try {
    await audit({ principal, method, route, path, status, address, requestId: id, change });
  } catch (error) {
    // What was done is done: the log is then the only witness.
    log.error("a call could not be put into the audit log", {
      request: id,
      method,
      path,
      status,
      actor: `${principal.kind}:${principal.id}`,
      error,
    });
  }
}
