/**
 * What travels with one request from the door to its answer.
 *
 * @module
 */
import { newId } from "../base/mod.ts";
import type { Principal } from "./auth.ts";
import type { Change } from "./route.ts";

/** What is known of the connection that a request came by. */
export interface ClientInfo {
  /** The caller's IP address. */
  readonly address: string;
  /** Whether it came by TLS, to this server or to a trusted proxy. */
  readonly secure?: boolean;
  /** Aborts when the server stops. */
  readonly stopping?: AbortSignal;
}

/** One request on its way. */
export interface Passage {
  readonly id: string;
  readonly client: ClientInfo;
  readonly method: string;
  /** The path as it was called. */
  readonly path: string;
  /** The route as declared; `unmatched` where there is none. */
  route: string;
  /** Who called, for the log: `operator:li`. */
  actor: string | undefined;
  principal: Principal | undefined;
  /** Whether the audit hears of it. */
  audited: boolean;
  change: Change | undefined;
}

/** The passage of a request that has just come. */
export function passageOf(request: Request, client: ClientInfo): Passage {
  return {
    id: requestId(request),
    client,
    // Taken now: once the caller is gone the runtime no longer gives them.
    method: request.method,
    path: new URL(request.url).pathname,
    route: "unmatched",
    actor: undefined,
    principal: undefined,
    audited: false,
    change: undefined,
  };
}

/** The caller's own id where it is harmless, so that one id follows a request through several programs. */
function requestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && /^[\w.-]{8,64}$/.test(given) ? given : newId();
}
