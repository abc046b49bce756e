/**
 * Which pages of other origins may use the API from a browser (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).
 * Nobody where nothing is said. No cookies are let in with it: those pages bring a bearer token.
 *
 * @module
 */

/** What a page may send, and may see of answers. */
const HEADERS =
  "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, x-request-id";
const EXPOSED =
  "etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id";
/** Seconds that a browser remembers the answer to its question. */
const MAX_AGE = "600";

/**
 * Makes what sets the headers of the answer to `request`, so that pages of `origins` may read it. `*` among them: any
 * page. Made before the request is answered: once the caller is gone the runtime no longer gives its headers.
 */
export function corsOf(request: Request, origins: readonly string[]): (answer: Headers) => void {
  const origin = request.headers.get("origin");
  // Caches must not give one origin's answer to another.
  if (origin === null || !(origins.includes("*") || origins.includes(origin))) {
    return (answer) => origins.length > 0 && answer.set("vary", "Origin");
  }
  // The question that a browser asks before a request.
  const preflight = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
  return (answer) => {
    answer.set("access-control-allow-origin", origin);
    answer.set("access-control-expose-headers", EXPOSED);
    answer.set("vary", "Origin");
    if (!preflight) return;
    answer.set("access-control-allow-methods", answer.get("allow") ?? "");
    answer.set("access-control-allow-headers", HEADERS);
    answer.set("access-control-max-age", MAX_AGE);
  };
}
