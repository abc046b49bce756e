/**
 * Responses of what handlers reply.
 *
 * @module
 */
import * as v from "valibot";
import type { Responses, Route } from "./route.ts";

/** What a handler replied, with its types put aside. */
interface PlainReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The JSON response of `reply`. `checked`: for tests, a reply has to fit its documented schema.
 *
 * @throws {TypeError} it does not
 */
export function responseOf(route: Route, { status, body, headers }: PlainReply, checked: boolean): Response {
  const spec = (route.responses as Responses)[status];
  if (checked && spec?.schema && !v.is(spec.schema, body)) {
    throw new TypeError(`reply does not fit its schema: ${route.method} ${route.path} ${status}`);
  }
  if (body === undefined) return new Response(null, { status, ...(headers ? { headers } : {}) });
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}
