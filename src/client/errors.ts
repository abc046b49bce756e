/**
 * What can go wrong when a platform is asked.
 *
 * @module
 */

/** One thing that is wrong with a request. */
export interface Fault {
  readonly in: string;
  /** JSON path: `$.name`. */
  readonly path: string;
  readonly message: string;
}

/** A refusal, as the platform tells it (RFC 9457). */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    /** Stable: branch on this. */
    readonly code: string,
    detail: string,
    /** To find the request in the platform's log. */
    readonly requestId: string,
    readonly faults: readonly Fault[] = [],
    /** Seconds after which asking again makes sense. */
    readonly retryAfter: number | undefined = undefined,
    /** Further members of the problem document. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }
}

/**
 * - `unreachable`: no connection, or it broke before there was an answer
 * - `timeout`: no answer in time
 * - `not_an_answer`: what came is none of the platform's answers, such as a proxy's page
 * - `too_large`: an answer, or an event, larger than is taken
 */
export type ClientErrorCode = "unreachable" | "timeout" | "not_an_answer" | "too_large";

/** No answer of the platform's came. Whether the request was done is open, unless it can be sent again. */
export class ClientError extends Error {
  override readonly name = "ClientError";

  constructor(readonly code: ClientErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
  }
}

/** Longest problem document read, in bytes. */
const MAX_PROBLEM = 1_048_576;

/** The {@linkcode Problem} that a response tells, or a {@linkcode ClientError} where it tells none. */
export async function problemOf(response: Response): Promise<Problem | ClientError> {
  const wait = Number(response.headers.get("retry-after") ?? NaN);
  const retryAfter = Number.isFinite(wait) ? wait : undefined;
  const requestId = response.headers.get("x-request-id") ?? "";
  try {
    const read = JSON.parse(await readText(response, MAX_PROBLEM));
    const {
      code,
      detail,
      faults,
      type: _,
      title: __,
      status: ___,
      instance: ____,
      requestId: _____,
      ...members
    } = read;
    if (typeof code === "string") {
      const listed = Array.isArray(faults) ? faults : [];
      return new Problem(response.status, code, String(detail), requestId, listed, retryAfter, members);
    }
  } catch {
    // Not the platform's: something in between answered.
  }
  return new ClientError("not_an_answer", `HTTP ${response.status} without a problem document`);
}

/** The text of a body of at most `max` bytes. @throws {ClientError} `too_large` */
export async function readText(response: Response, max: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest of the body.
    if (size > max) throw new ClientError("too_large", `an answer of more than ${max} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
