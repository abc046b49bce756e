/**
 * Errors as HTTP tells them: `application/problem+json` (RFC 9457) with a stable `code`. The only place where an
 * error becomes a response.
 *
 * @module
 */
import { GatehouseError } from "../base/mod.ts";

/** What goes with a problem beyond status, code and detail. */
export interface ProblemExtra {
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds after which asking again makes sense: the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  /** Whether something was done nobody can say; else a `retryAfterSeconds` means that nothing was. */
  readonly uncertain?: boolean;
  /** Further members of the problem document, beside the standard ones. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An error that is meant for the caller: everything in it is shown, so it holds no secrets and no internals. */
export class ProblemError extends GatehouseError {
  override readonly name = "ProblemError";

  constructor(readonly status: number, code: string, detail: string, readonly extra: ProblemExtra = {}) {
    super(code, detail, extra.cause === undefined ? {} : { cause: extra.cause });
  }
}

/**
 * Makes a {@linkcode ProblemError} to throw.
 *
 * @example
 * ```ts
 * import { problem } from "./mod.ts";
 * const error = problem(409, "name_taken", 'the name "li" is taken');
 * if (error.status !== 409 || error.code !== "name_taken") throw error;
 * ```
 */
export function problem(status: number, code: string, detail: string, extra?: ProblemExtra): ProblemError {
  return new ProblemError(status, code, detail, extra);
}

/** The 404 of a path where nothing is. */
export function nothingAt(pathname: string): ProblemError {
  return problem(404, "not_found", `nothing is at ${pathname.slice(0, 200)}`);
}

/** The 503 of a disk that has no room, or may not be written, where that is what `error`, or its cause, says. */
export function diskProblem(error: unknown): ProblemError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (cause instanceof Error && cause !== error && !(error instanceof ProblemError)) {
    return diskProblem(cause);
  }
  if (code === "ENOSPC" || code === "EDQUOT") {
    return problem(503, "disk_full", "the disk is full: nothing was changed, ask again later", {
      retryAfterSeconds: 30,
      cause: error,
    });
  }
  if (code !== "EROFS" && code !== "EIO") return undefined;
  return problem(503, "disk_unavailable", "the disk can't be written: nothing was changed, ask again later", {
    retryAfterSeconds: 30,
    cause: error,
  });
}

/** One thing that is wrong with a request. */
export interface Fault {
  readonly in: "path" | "query" | "body";
  /** JSON path from the root of that part: `$.gateways[3].mac`. */
  readonly path: string;
  readonly message: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  428: "Precondition Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

/** The title of a status, as the HTTP registry spells it. */
export function titleOf(status: number): string {
  return TITLES[status] ?? `Status ${status}`;
}

/** The response that shows `error`. `instance` is the request's path, `requestId` what to look for in the log. */
export function problemResponse(error: ProblemError, instance: string, requestId: string): Response {
  const { headers, retryAfterSeconds, members } = error.extra;
  const body = {
    ...members,
    type: `urn:gatehouse:problem:${error.code}`,
    title: titleOf(error.status),
    status: error.status,
    code: error.code,
    detail: error.message,
    instance,
    requestId,
  };
  return new Response(JSON.stringify(body), {
    status: error.status,
    headers: {
      ...headers,
      ...(retryAfterSeconds === undefined
        ? {}
        : { "retry-after": String(Math.max(1, Math.ceil(retryAfterSeconds))) }),
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
