/**
 * Posts that may be sent again (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header): what was answered is
 * kept for a day and answered again, so that a caller whose connection broke does not do a thing twice.
 *
 * Done is at most once. Where a program ended between doing and noting the answer nobody can say whether it was done,
 * and that is what a caller who asks again is told.
 *
 * @module
 */
import { actorOf, type Principal, tokenHash } from "./auth.ts";
import { problem, type ProblemError } from "./problem.ts";
import type { Route } from "./route.ts";

/** A key as its caller wrote it, bound to who they are and what they asked. */
export interface Claim {
  /** Hex SHA-256 over caller and key. The key itself is nowhere kept. */
  readonly id: string;
  /** Who: `operator:<id>`. */
  readonly actor: string;
  /** App users may keep less than operators and machines. */
  readonly kind: Principal["kind"];
  /** Hex SHA-256 over key, path, query, groups and body: the key keeps a low-entropy body from being guessed. */
  readonly digest: string;
}

/** An answer as it is kept. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** null where it was too large to keep. */
  readonly body: string | null;
}

/** How a claim stands. */
export type Standing =
  /** It is this caller's to do: `finish` or `release` it. */
  | { readonly kind: "claimed" }
  | { readonly kind: "answered"; readonly answer: KeptAnswer }
  | { readonly kind: "in_progress" }
  /** It was begun and never ended. */
  | { readonly kind: "unknown" }
  /** The key was used for something else. */
  | { readonly kind: "other" }
  /** The caller has too many keys. */
  | { readonly kind: "full" };

/** Where claims are kept: shared by all nodes, and across restarts. */
export interface IdempotencyStore {
  claim(claim: Claim): Promise<Standing>;
  finish(claim: Claim, answer: KeptAnswer): Promise<void>;
  /** Nothing was done: the key can be used again. */
  release(claim: Claim): Promise<void>;
  /** It was begun, and whether it was done nobody knows. */
  abandon(claim: Claim): Promise<void>;
}

/** Headers of an answer that are kept with it. */
const KEPT_HEADERS = ["content-type", "etag", "location"];

/** Whether a route takes a key: a post of somebody known, whose body and answer can be kept. */
export function takesKey(
  { method, auth, body, keyed }: Pick<Route, "method" | "auth" | "body" | "keyed">,
): boolean {
  return method === "POST" && typeof auth !== "string" && !body?.stream && keyed !== false;
}

/**
 * The key of a request; undefined where it has none. It may stand in quotes, as the draft has it.
 *
 * @throws {ProblemError} 400 `invalid_idempotency_key`
 */
export function keyOf(request: Request): string | undefined {
  const text = request.headers.get("idempotency-key");
  if (text === null) return undefined;
  const key = /^"([^"]*)"$/.exec(text)?.[1] ?? text;
  if (/^[\x21-\x7e]{8,255}$/.test(key)) return key;
  throw problem(
    400,
    "invalid_idempotency_key",
    "Idempotency-Key must be 8 to 255 visible ASCII characters, best a random UUID",
  );
}

/** The claim of `principal` for a request with `key`. `body`: its text, "" for none. */
export function claimOf(principal: Principal, key: string, request: Request, body: string): Claim {
  const { pathname, search } = new URL(request.url), actor = actorOf(principal);
  const hash = (...parts: readonly unknown[]) => tokenHash(JSON.stringify(parts)).toHex();
  return {
    id: hash(actor, key),
    actor,
    kind: principal.kind,
    // Whoever is confined to other groups meanwhile must not be told what was answered before.
    digest: hash(key, pathname, search, principal.groups ?? null, body),
  };
}

/** The answer to keep of `response`, which stays readable. */
export async function answerOf(response: Response): Promise<KeptAnswer> {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return { status: response.status, headers, body: await response.clone().text() };
}

/** What a caller is told whose claim stands so; undefined where it is theirs to do. */
export function replayOf(standing: Standing): Response | undefined {
  switch (standing.kind) {
    case "claimed":
      return undefined;
    case "answered":
      return replay(standing.answer);
    case "other":
      throw problem(422, "idempotency_key_reused", "this Idempotency-Key was used for another request");
    case "in_progress":
      throw problem(409, "idempotency_in_progress", "a request with this Idempotency-Key is in work", {
        retryAfterSeconds: 1,
      });
    case "unknown":
      throw problem(
        409,
        "idempotency_outcome_unknown",
        "a request with this Idempotency-Key was cut off: look whether it was done, then use a new key",
      );
    case "full":
      throw problem(429, "too_many_idempotency_keys", "this caller has too many keys of the last 24 hours", {
        retryAfterSeconds: 3600,
      });
  }
}

function replay({ status, headers, body }: KeptAnswer): Response {
  if (body === null) {
    throw problem(
      409,
      "idempotency_answer_not_kept",
      `a request with this Idempotency-Key was answered ${status}, too long to be kept`,
      { members: { answered: status } },
    );
  }
  return new Response(body === "" ? null : body, {
    status,
    headers: {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
      "idempotency-replayed": "true",
    },
  });
}

/** Whether an error promises that nothing was done and that asking again makes sense. */
export function nothingDone({ status, extra }: ProblemError): boolean {
  return !extra.uncertain && (status === 429 || (status === 503 && extra.retryAfterSeconds !== undefined));
}

/** The problem of a key where none is taken. */
export function keyNotTaken(): ProblemError {
  return problem(
    400,
    "idempotency_key_not_taken",
    "this takes no Idempotency-Key: its body or its answer is not kept, since it is large, secret, or nobody's",
  );
}
