/**
 * The API: routes behind one door that authenticates, checks, answers, counts and turns errors into problems.
 *
 * @module
 */
import { Hono } from "hono";
import * as v from "valibot";
import { type Deps, messageOf, newId } from "../base/mod.ts";
import { type Access, type Authenticator, bearerToken, Gate, type Principal } from "./auth.ts";
import { type BodyPace, DEFAULT_MAX_BODY, DEFAULT_PACE, guardedStream, mediaTypeOf } from "./body.ts";
import { parseJson, readText } from "./body.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import {
  answerOf,
  claimOf,
  type IdempotencyStore,
  keyNotTaken,
  keyOf,
  nothingDone,
  replayOf,
  takesKey,
} from "./idempotency.ts";
import { Observer } from "./observe.ts";
import { diskProblem, type Fault, nothingAt, problem, ProblemError, problemResponse } from "./problem.ts";
import { type RequestRate, RequestRates } from "./request_rate.ts";
import {
  type BodySpec,
  type Call,
  type Change,
  type Responses,
  type Route,
  Routes,
  type WebhookSpec,
} from "./route.ts";
import {
  check,
  type Checked,
  checkInTurns,
  invalidRequest,
  queryObject,
  type Schema,
  unknownParameters,
} from "./validate.ts";

/** What an {@linkcode Api} is made of. */
export interface ApiOptions {
  /** Name and version for the OpenAPI document. */
  readonly title: string;
  readonly version: string;
  /** Asked in this order for each token. */
  readonly authenticators: readonly Authenticator[];
  /** Turns the errors of the floors above into problems; undefined: not one of theirs. */
  readonly mapError?: (error: unknown) => ProblemError | undefined;
  readonly pace?: BodyPace;
  /** How often one caller may ask; undefined: as often as they like. */
  readonly rate?: RequestRate | undefined;
  /** Origins whose pages may use the API from a browser; undefined: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** What this server sends to others of its own accord, for the document. */
  readonly webhooks?: readonly WebhookSpec[] | undefined;
  /**
   * Told of every call that may have changed something (all methods but GET and HEAD, and routes that ask for it) by
   * somebody who proved who they are, whatever came of it. Its end is awaited before the answer goes out.
   */
  readonly audit?: (call: AuditedCall) => Promise<void>;
  /** Where `Idempotency-Key`s of posts are kept; undefined: none is taken. */
  readonly idempotency?: IdempotencyStore | undefined;
  /** Checks answers against their documented schemas too, for tests: a breach becomes a 500. */
  readonly checkReplies?: boolean;
}

/** What is known of the connection that a request came by. */
export interface ClientInfo {
  /** The caller's IP address. */
  readonly address: string;
  /** Whether it came by TLS, to this server or to a trusted proxy. */
  readonly secure?: boolean;
  /** Aborts when the server stops. */
  readonly stopping?: AbortSignal;
}

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

/** What travels with one request through the router. */
interface Passage {
  readonly id: string;
  readonly client: ClientInfo;
  route: string;
  actor: string | undefined;
  principal: Principal | undefined;
  audited: boolean;
  change: Change | undefined;
  /** The body as text, where the route takes it as text or JSON. */
  text: string;
}

/** A `/console`-like part that answers by itself; it sees the whole request. */
export type RawHandler = (request: Request, client: ClientInfo) => Promise<Response> | Response;

/**
 * Routes with a door. Declare everything first: the first request closes the list.
 *
 * @example
 * ```ts
 * import { FakeClock, Metrics, seededRandom, silentLog } from "../base/mod.ts";
 * import { Api } from "./mod.ts";
 * const deps = { clock: new FakeClock(), random: seededRandom(1), log: silentLog, metrics: new Metrics() };
 * const api = new Api(deps, { title: "Example", version: "1", authenticators: [] });
 * api.route({
 *   method: "GET",
 *   path: "/ping",
 *   summary: "Pings",
 *   auth: "public",
 *   responses: { 204: { description: "Pong" } },
 * }).handle(() => ({ status: 204 }));
 * const response = await api.request("/ping");
 * if (response.status !== 204) throw new Error("no pong");
 * ```
 */
export class Api extends Routes {
  readonly #deps: Deps;
  readonly #options: ApiOptions;
  readonly #gate: Gate;
  readonly #observer: Observer;
  readonly #rates: RequestRates | undefined;
  readonly #raw: { readonly path: string; readonly handler: RawHandler }[] = [];
  #router: Hono<{ Bindings: Passage }> | undefined;
  #document: Promise<string> | undefined;

  constructor(deps: Deps, options: ApiOptions) {
    super();
    this.#deps = deps;
    this.#options = options;
    this.#gate = new Gate(deps.clock, options.authenticators);
    this.#observer = new Observer(deps.metrics, deps.log);
    this.#rates = options.rate && new RequestRates(deps.clock, options.rate);
    this.route({
      method: "GET",
      path: "/openapi.json",
      summary: "This document",
      tags: ["service"],
      auth: "public",
      responses: { 200: { description: "OpenAPI 3.1", mediaType: "application/json" } },
    }).handle(async () => ({
      response: new Response(await this.openApi(), { headers: { "content-type": "application/json" } }),
    }));
    this.route({
      method: "GET",
      path: "/docs",
      summary: "The same for people, as a page",
      tags: ["service"],
      auth: "public",
      responses: { 200: { description: "HTML", mediaType: "text/html" } },
    }).handle(async () => {
      const { docsPage, DOCS_HEADERS } = await import("./docs_page.ts");
      return {
        response: new Response(docsPage(JSON.parse(await this.openApi())), { headers: DOCS_HEADERS }),
      };
    });
  }

  /** The OpenAPI document as JSON text. What makes it is loaded when it is first asked for. */
  openApi(): Promise<string> {
    return this.#document ??= import("./openapi.ts").then(({ describe }) =>
      JSON.stringify(
        describe(this.#options, this.routes, {
          keyed: (route) => this.#takesKey(route),
          webhooks: this.#options.webhooks,
        }),
      )
    );
  }

  /** Hands every request of any method under `path` (such as `/console/*`) to `handler`; declared routes win. */
  raw(path: string, handler: RawHandler): this {
    this.#raw.push({ path, handler });
    return this;
  }

  /** Answers one request. Never throws. */
  async fetch(request: Request, client: ClientInfo = { address: "" }): Promise<Response> {
    const { clock } = this.#deps;
    const started = clock.monotonic();
    const passage: Passage = {
      id: requestId(request),
      client,
      route: "unmatched",
      actor: undefined,
      principal: undefined,
      audited: false,
      change: undefined,
      text: "",
    };
    // Taken now: once the caller is gone the runtime no longer gives them.
    const { method } = request, { pathname } = new URL(request.url);
    const cors = this.#options.corsOrigins && corsHeaders(request, this.#options.corsOrigins);
    const preflight = cors?.["access-control-allow-origin"] === undefined
      ? undefined
      : (allow: string) => preflightHeaders(request, allow);
    let response: Response;
    try {
      response = await (this.#router ??= this.#build()).fetch(request, passage);
    } catch (error) {
      const shown = this.#shown(error, passage, method);
      response = problemResponse(shown, pathname, passage.id);
    }
    if (passage.audited) await this.#audit(passage, method, pathname, response.status);
    try {
      response.headers.set("x-request-id", passage.id);
    } catch {
      // Responses that came from elsewhere have headers that can't be changed.
      response = new Response(response.body, response);
      response.headers.set("x-request-id", passage.id);
    }
    for (const [name, value] of Object.entries(cors ?? {})) response.headers.set(name, value);
    const asked = preflight?.(response.headers.get("allow") ?? "") ?? {};
    for (const [name, value] of Object.entries(asked)) response.headers.set(name, value);
    this.#observer.observe({
      id: passage.id,
      method,
      path: pathname,
      route: passage.route,
      status: response.status,
      seconds: (clock.monotonic() - started) / 1000,
      address: client.address,
      actor: passage.actor,
    });
    return response;
  }

  /** Answers a request without a socket, for tests: `api.request("/healthz")`. */
  request(path: string, init?: RequestInit, client?: ClientInfo): Promise<Response> {
    return this.fetch(new Request(new URL(path, "http://localhost"), init), client);
  }

  #build(): Hono<{ Bindings: Passage }> {
    const router = new Hono<{ Bindings: Passage }>();
    for (const route of this.routes) {
      router.on(route.method, route.path.replace(/\{([^}]+)\}/g, ":$1"), (c) => {
        c.env.route = route.path;
        return this.#run(route, c.req.raw, c.env, c.req.param());
      });
    }
    for (const { path, handler } of this.#raw) {
      router.all(path, (c) => {
        const other = this.#otherMethods(c.req.raw);
        if (other) return other;
        c.env.route = path;
        return handler(c.req.raw, c.env.client);
      });
    }
    const none = (request: Request) => this.#otherMethods(request) ?? notFound(request);
    router.notFound((c) => none(c.req.raw));
    router.onError((error) => {
      throw error;
    });
    return router;
  }

  /** The answer for a declared path that was asked with another method; undefined for a path not declared. */
  #otherMethods(request: Request): Response | undefined {
    const { pathname } = new URL(request.url);
    const allowed = new Set<string>(["OPTIONS"]);
    for (const { method, path } of this.routes) {
      const pattern = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]+\}/g, "[^/]+");
      if (!new RegExp(`^${pattern}$`).test(pathname)) continue;
      allowed.add(method);
      if (method === "GET") allowed.add("HEAD");
    }
    if (allowed.size === 1 || allowed.has(request.method) && request.method !== "OPTIONS") return undefined;
    const allow = [...allowed].sort().join(", ");
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    throw problem(405, "method_not_allowed", `${request.method.slice(0, 20)} is not possible here`, {
      headers: { allow },
    });
  }

  async #run(route: Route, request: Request, passage: Passage, params: unknown): Promise<Response> {
    const { id, client } = passage;
    const principal = await this.#gate.admit(route.auth, request, client.address);
    passage.actor = principal && `${principal.kind}:${principal.name}`;
    passage.principal = principal;
    if (!route.uncounted) this.#rates?.take(principal, client.address);
    passage.audited = route.audited ?? !["GET", "HEAD"].includes(request.method);
    if (route.unconfined && principal?.groups) {
      throw problem(403, "confined", "you are confined to groups of gateways, and this is about all of them");
    }
    // Taken now: while an answer streams, the runtime no longer gives the request's headers.
    const token = bearerToken(request);
    const key = request.method === "POST" ? keyOf(request) : undefined;
    if (key !== undefined && !this.#takesKey(route)) throw keyNotTaken();
    const input = await this.#input(route, request, params, passage);
    let signal: AbortSignal | undefined;
    const call: Call<Access, Schema, Schema, BodySpec> = {
      ...input as { params: unknown; query: unknown; body: never },
      principal: principal as Principal,
      request,
      id,
      address: client.address,
      log: this.#deps.log.with({ request: id }),
      authorized: () => this.#gate.stillGood(route.auth, token, principal),
      changed: (before, after) => passage.change = { before, after },
      // Made only where it is asked for: linking two signals is not free.
      get signal() {
        // Whoever comes back with the key wants the answer: it is worked out although they went away.
        if (key !== undefined) return signal ??= client.stopping ?? new AbortController().signal;
        return signal ??= client.stopping
          ? AbortSignal.any([request.signal, client.stopping])
          : request.signal;
      },
    };
    const answer = async () => {
      const reply = await route.handler(call);
      return "response" in reply ? reply.response : this.#respond(route, reply);
    };
    return key === undefined ? await answer() : await this.#once(key, request, passage, answer);
  }

  #takesKey(route: Route): boolean {
    return this.#options.idempotency !== undefined && takesKey(route);
  }

  /** Answers what was answered before to the same key, or else `work()`, and keeps that. */
  async #once(
    key: string,
    request: Request,
    passage: Passage,
    work: () => Promise<Response>,
  ): Promise<Response> {
    const store = this.#options.idempotency!;
    const { method, url } = request, claim = claimOf(passage.principal!, key, request, passage.text);
    const replay = replayOf(await store.claim(claim));
    if (replay) {
      passage.audited = false; // it was, when it was done
      return replay;
    }
    let response: Response, settle: () => Promise<void>;
    try {
      response = await work();
      settle = async () => await store.finish(claim, await answerOf(response));
    } catch (error) {
      const shown = this.#shown(error, passage, method);
      response = problemResponse(shown, new URL(url).pathname, passage.id);
      settle = shown.extra.uncertain || shown.code === "client_gone"
        ? () => store.abandon(claim)
        : nothingDone(shown)
        ? () => store.release(claim)
        : async () => await store.finish(claim, await answerOf(response));
    }
    try {
      await settle();
    } catch (error) {
      // What was done is done; a caller who asks again is told that nobody knows.
      this.#deps.log.error("an answer could not be kept for its Idempotency-Key", {
        request: passage.id,
        error,
      });
    }
    return response;
  }

  async #audit(
    { principal, route, client, id, change }: Passage,
    method: string,
    path: string,
    status: number,
  ) {
    if (!principal || !this.#options.audit) return;
    try {
      await this.#options.audit({
        principal,
        method,
        route,
        path,
        status,
        address: client.address,
        requestId: id,
        change,
      });
    } catch (error) {
      // What was done is done: the log is then the only witness.
      this.#deps.log.error("a call could not be put into the audit log", {
        request: id,
        method,
        path,
        status,
        actor: `${principal.kind}:${principal.id}`,
        error,
      });
    }
  }

  /** The checked parts of the request; all faults of all parts in one problem. */
  async #input(route: Route, request: Request, params: unknown, passage: Passage) {
    const faults: Fault[] = [];
    let total = 0;
    const taken = (result: Checked) => {
      if ("value" in result) return result.value;
      faults.push(...result.faults);
      total += result.total;
      return undefined;
    };
    const query = queryObject(new URL(request.url).searchParams);
    const strangers = unknownParameters(query, route.query);
    faults.push(...strangers);
    total += strangers.length;
    const input = {
      params: route.params && taken(check("path", route.params, params, true)),
      query: route.query && taken(check("query", route.query, query, true)),
      body: route.body && await this.#body(
        route.body,
        request,
        async (...body) => taken(await checkInTurns("body", ...body)),
        passage,
      ),
    };
    if (faults.length > 0) throw invalidRequest(faults, total);
    return input;
  }

  async #body(
    spec: BodySpec,
    request: Request,
    checked: (schema: Schema, value: unknown, thorough: boolean) => Promise<unknown>,
    passage: Passage,
  ): Promise<unknown> {
    const mediaType = mediaTypeOf(request);
    if (spec.optional && (request.body === null || request.headers.get("content-length") === "0")) {
      return undefined;
    }
    const limits = {
      clock: this.#deps.clock,
      maxBytes: spec.maxBytes ?? DEFAULT_MAX_BODY,
      pace: this.#options.pace ?? DEFAULT_PACE,
    };
    if (spec.text?.includes(mediaType)) {
      passage.text = await readText(request, limits);
      return { kind: "text", mediaType, text: passage.text };
    }
    if (spec.stream?.some((type) => type === mediaType || type === "*/*")) {
      return guardedStream(request, limits);
    }
    // No media type at all is taken as JSON: a command line client should not fail for that.
    if (spec.json && (mediaType === "" || /^application\/(.+\+)?json$/.test(mediaType))) {
      const text = passage.text = await readText(request, limits);
      // A post without a body often does not say that it has none.
      if (text === "" && spec.optional) return undefined;
      return await checked(spec.json, parseJson(text), text.length <= 65_536);
    }
    const taken = [...(spec.json ? ["application/json"] : []), ...spec.text ?? [], ...spec.stream ?? []];
    throw problem(415, "unsupported_media_type", `the body must be one of: ${taken.join(", ")}`, {
      headers: { accept: taken.join(", ") },
    });
  }

  #respond(
    route: Route,
    reply: { status: number; body?: unknown; headers?: Record<string, string> },
  ): Response {
    const spec = (route.responses as Responses)[reply.status];
    if (this.#options.checkReplies && spec?.schema && !v.is(spec.schema, reply.body)) {
      throw new TypeError(`reply does not fit its schema: ${route.method} ${route.path} ${reply.status}`);
    }
    if (reply.body === undefined) {
      return new Response(null, {
        status: reply.status,
        ...(reply.headers ? { headers: reply.headers } : {}),
      });
    }
    return new Response(JSON.stringify(reply.body), {
      status: reply.status,
      headers: {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        ...reply.headers,
      },
    });
  }

  /** The one place where what was thrown becomes what is shown. */
  #shown(error: unknown, passage: Passage, method: string): ProblemError {
    if (error instanceof ProblemError) return error;
    const disk = diskProblem(error);
    if (disk) {
      const { id: request, route } = passage;
      this.#deps.log.error("the disk can't be written", { request, route, error: messageOf(error) });
      return disk;
    }
    const mapped = this.#options.mapError?.(error);
    if (mapped) return mapped;
    if (passage.client.stopping?.aborted) {
      // `stopping` says that nothing was taken, and has balancers ask another node: true of what only reads.
      return method === "GET" || method === "HEAD"
        ? problem(503, "stopping", "the server is stopping", { retryAfterSeconds: 1, uncertain: true })
        : problem(503, "interrupted", "the server stopped while it was at this: look whether it was done", {
          retryAfterSeconds: 1,
          uncertain: true,
        });
    }
    if (error instanceof DOMException && error.name === "AbortError") {
      // Nobody is there to read this; the log and the metrics tell it from a failure.
      return problem(499, "client_gone", "the caller went away");
    }
    this.#deps.log.error("request failed unexpectedly", {
      request: passage.id,
      route: passage.route,
      method,
      error: error instanceof Error ? error.stack ?? error.message : String(error),
    });
    return problem(500, "internal", "an unexpected error: the log has it under the request id");
  }
}

function notFound(request: Request): never {
  throw nothingAt(new URL(request.url).pathname);
}

/** The caller's own id where it is harmless, so that one id follows a request through several programs. */
function requestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && /^[\w.-]{8,64}$/.test(given) ? given : newId();
}
