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
 * The headers that an answer to `request` gets so that the page which asks may read it; none for origins that are not
 * among `origins`. `*` among them: any page.
 */
export function corsHeaders(request: Request, origins: readonly string[]): Record<string, string> {
  const origin = request.headers.get("origin");
  // Caches must not give one origin's answer to another.
  if (origin === null || !(origins.includes("*") || origins.includes(origin))) {
    return origins.length > 0 ? { vary: "Origin" } : {};
  }
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": EXPOSED,
    vary: "Origin",
  };
}

/** Further headers of the answer to the question that a browser asks before a request; none where it is not one. */
export function preflightHeaders(request: Request, allow: string): Record<string, string> {
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return {};
  return {
    "access-control-allow-methods": allow,
    "access-control-allow-headers": HEADERS,
    "access-control-max-age": MAX_AGE,
  };
}
