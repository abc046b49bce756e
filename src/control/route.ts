/**
 * How a route is declared: once, for checking, for the handler's types and for the OpenAPI document.
 *
 * @module
 */
import type * as v from "valibot";
import type { Log } from "../base/mod.ts";
import type { Access, Principal } from "./auth.ts";
import type { StreamBody, TextBody } from "./body.ts";
import type { Schema } from "./validate.ts";

/** Methods a route can have; HEAD is answered by GET. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Which bodies a route takes. At least one of `json`, `text` and `stream`. */
export interface BodySpec<J extends Schema = Schema> {
  /** The schema of an `application/json` (or `…+json`) body. */
  readonly json?: J;
  /** Media types taken as {@linkcode TextBody}. */
  readonly text?: readonly string[];
  /** Media types handed on as {@linkcode StreamBody}; `*` + `/*` takes any. */
  readonly stream?: readonly string[];
  /** Largest body in bytes; default 1 MiB. */
  readonly maxBytes?: number;
  /** The request may come without a body: then `body` is undefined. */
  readonly optional?: boolean;
}

/** One documented answer. */
export interface ResponseSpec {
  readonly description: string;
  /** The schema of a JSON answer. */
  readonly schema?: Schema;
  /** Media type of an answer that is not JSON. */
  readonly mediaType?: string;
}

/** Documented answers by status. Those of the house (400, 401, 403, 413, 429, 500, 503) are added by themselves. */
export type Responses = Readonly<Record<number, ResponseSpec>>;

/** What a server posts to others of its own accord: a webhook of the OpenAPI document. */
export interface WebhookSpec {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Headers by name, with what each says. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Schema;
}

/** The declaration of a route. */
export interface RouteSpec<
  A extends Access = Access,
  P extends Schema = Schema,
  Q extends Schema = Schema,
  B extends BodySpec = BodySpec,
  R extends Responses = Responses,
> {
  readonly method: Method;
  /** As OpenAPI writes it: `/api/v1/gateways/{mac}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly auth: A;
  /** Only for whoever may see every gateway: principals that are confined to groups get 403 `confined`. */
  readonly unconfined?: boolean;
  /** Not counted against what one caller may ask: for what many come for at once from one network. */
  readonly uncounted?: boolean;
  /** false: a post that takes no `Idempotency-Key`, since its answer holds what must not be kept. */
  readonly keyed?: boolean;
  /** Its thing has an ETag: GET heeds If-None-Match, other methods If-Match. */
  readonly etag?: boolean;
  /** Whether the audit hears of its calls; default: of all methods but GET. */
  readonly audited?: boolean;
  /** An object schema over the path's parameters. */
  readonly params?: P;
  /** An object schema over the query: values are strings, or arrays of them where a name is repeated. */
  readonly query?: Q;
  readonly body?: B;
  readonly responses: R;
}

/** What the handler gets of the body that `B` declares. */
export type BodyOf<B extends BodySpec> =
  | (B extends { json: infer J extends Schema } ? v.InferOutput<J> : never)
  | (B extends { text: readonly string[] } ? TextBody : never)
  | (B extends { stream: readonly string[] } ? StreamBody : never)
  | (B extends { optional: true } ? undefined : never);

/** Who called, as far as the route asks. */
export type PrincipalOf<A extends Access> = A extends "public" ? undefined
  : A extends "optional" ? Principal | undefined
  : Principal;

/** One request on its way to its handler. */
export interface Call<A extends Access, P extends Schema, Q extends Schema, B extends BodySpec> {
  readonly params: v.InferOutput<P>;
  readonly query: v.InferOutput<Q>;
  readonly body: BodyOf<B>;
  readonly principal: PrincipalOf<A>;
  readonly request: Request;
  /** Aborts when the caller goes away or the server stops: hand it to whatever waits on the caller's behalf. */
  readonly signal: AbortSignal;
  /** The request's id, also in the `X-Request-Id` header and in the log. */
  readonly id: string;
  /** The caller's IP address; "" where the request came without a socket. */
  readonly address: string;
  /** A logger that names the request. */
  readonly log: Log;
  /** Whether the caller's token would still be let in: for answers that go on for long. */
  authorized(): Promise<boolean>;
  /** Says for the audit what was changed: JSON values without secrets; undefined where there was or is nothing. */
  changed(before: unknown, after: unknown): void;
}

/** What a handler said for the audit. */
export interface Change {
  readonly before: unknown;
  readonly after: unknown;
}

/** One of the answers that `R` documents, or a response of one's own making (a stream, a file). */
export type Reply<R extends Responses> =
  | { readonly response: Response }
  | {
    [S in keyof R & number]: R[S] extends { schema: infer X extends Schema }
      ? { readonly status: S; readonly body: v.InferInput<X>; readonly headers?: Record<string, string> }
      : { readonly status: S; readonly headers?: Record<string, string> };
  }[keyof R & number];

/** Answers a call. What it throws becomes a problem. */
export type Handler<
  A extends Access,
  P extends Schema,
  Q extends Schema,
  B extends BodySpec,
  R extends Responses,
> = (call: Call<A, P, Q, B>) => Promise<Reply<R>> | Reply<R>;

/** A declared route with its types put aside. */
export interface Route extends RouteSpec {
  readonly handler: Handler<Access, Schema, Schema, BodySpec, Responses>;
}

/**
 * A set of routes: what a service offers, before it is known where it is mounted.
 *
 * @example
 * ```ts
 * import * as v from "valibot";
 * import { Routes } from "./mod.ts";
 * const routes = new Routes();
 * routes.route({
 *   method: "GET",
 *   path: "/greetings/{name}",
 *   summary: "Greets",
 *   auth: "public",
 *   params: v.object({ name: v.string() }),
 *   responses: { 200: { description: "A greeting", schema: v.object({ text: v.string() }) } },
 * }).handle(({ params }) => ({ status: 200, body: { text: `Hello ${params.name}` } }));
 * ```
 */
export class Routes {
  readonly #routes: Route[] = [];

  /** Every route, in the order of declaration. */
  get routes(): readonly Route[] {
    return this.#routes;
  }

  /**
   * Declares a route; it exists once `handle` names its handler. (Two steps, so that the compiler knows the
   * declaration before it looks at the handler.) Throws a TypeError where method and path are declared already.
   */
  route<
    const A extends Access,
    P extends Schema = v.GenericSchema<undefined>,
    Q extends Schema = v.GenericSchema<undefined>,
    const B extends BodySpec = { readonly optional: true },
    R extends Responses = Responses,
  >(spec: RouteSpec<A, P, Q, B, R>): { handle(handler: Handler<A, P, Q, B, R>): void } {
    return {
      // The handler is only ever called with what was checked against these very schemas.
      handle: (handler) => this.#add({ ...spec, handler: handler as unknown as Route["handler"] }),
    };
  }

  /** Takes over the routes of `other` under `prefix` ("" for none). */
  mount(prefix: string, other: Routes): this {
    for (const route of other.routes) this.#add({ ...route, path: prefix + route.path });
    return this;
  }

  #add(route: Route): void {
    const key = shapeOf(route.path);
    if (this.#routes.some((known) => known.method === route.method && shapeOf(known.path) === key)) {
      throw new TypeError(`route declared twice: ${route.method} ${route.path}`);
    }
    this.#routes.push(route);
  }
}

/** The path with the names of its parameters left out: two routes of one shape collide. */
function shapeOf(path: string): string {
  return path.replace(/\{[^}]*\}/g, "{}");
}
