/**
 * The API: routes behind one door that authenticates, checks, answers, counts and turns errors into problems.
 *
 * @module
 */
import { Hono } from "hono";
import type { Deps } from "../base/mod.ts";
import { type AuditedCall, tellAudit } from "./audit.ts";
import { type Access, type Authenticator, bearerToken, Gate, type Principal } from "./auth.ts";
import { type BodyPace, DEFAULT_PACE } from "./body.ts";
import { corsOf } from "./cors.ts";
import { shownOf } from "./failure.ts";
import { claimOf, type IdempotencyStore, keyNotTaken, keyOf, takesKey } from "./idempotency.ts";
import { type Input, inputOf } from "./input.ts";
import { otherMethods } from "./methods.ts";
import { Observer } from "./observe.ts";
import { answerOnce } from "./once.ts";
import { type ClientInfo, type Passage, passageOf } from "./passage.ts";
import { nothingAt, problem, type ProblemError, problemResponse } from "./problem.ts";
import { responseOf } from "./reply.ts";
import { type RequestRate, RequestRates } from "./request_rate.ts";
import { type BodySpec, type Call, type Route, Routes, type WebhookSpec } from "./route.ts";
import type { Schema } from "./validate.ts";

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
    const { clock } = this.#deps, { audit, corsOrigins } = this.#options;
    const started = clock.monotonic();
    const passage = passageOf(request, client);
    const cors = corsOrigins && corsOf(request, corsOrigins);
    let response: Response;
    try {
      response = await (this.#router ??= this.#build()).fetch(request, passage);
    } catch (error) {
      response = this.#failure(error, passage).response;
    }
    if (audit && passage.audited) await tellAudit(audit, this.#deps.log, passage, response.status);
    try {
      response.headers.set("x-request-id", passage.id);
    } catch {
      // Responses that came from elsewhere have headers that can't be changed.
      response = new Response(response.body, response);
      response.headers.set("x-request-id", passage.id);
    }
    cors?.(response.headers);
    this.#observer.observe({
      id: passage.id,
      method: passage.method,
      path: passage.path,
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
        const other = otherMethods(this.routes, c.req.raw);
        if (other) return other;
        c.env.route = path;
        return handler(c.req.raw, c.env.client);
      });
    }
    router.notFound((c) => {
      const other = otherMethods(this.routes, c.req.raw);
      if (other) return other;
      throw nothingAt(c.env.path);
    });
    router.onError((error) => {
      throw error;
    });
    return router;
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
    const { clock, log } = this.#deps, { pace = DEFAULT_PACE, checkReplies = false } = this.#options;
    const { text, ...input } = await inputOf(route, request, params, { clock, pace });
    let signal: AbortSignal | undefined;
    const call: Call<Access, Schema, Schema, BodySpec> = {
      ...input as Input & { body: never },
      principal: principal as Principal,
      request,
      id,
      address: client.address,
      log: log.with({ request: id }),
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
    const work = async () => {
      const reply = await route.handler(call);
      return "response" in reply ? reply.response : responseOf(route, reply, checkReplies);
    };
    if (key === undefined) return await work();
    const { response, replayed } = await answerOnce(claimOf(principal as Principal, key, request, text), {
      store: this.#options.idempotency!,
      work,
      shown: (error) => this.#failure(error, passage),
      lost: (error) =>
        log.error("an answer could not be kept for its Idempotency-Key", { request: id, error }),
    });
    // What is answered again was audited when it was done.
    if (replayed) passage.audited = false;
    return response;
  }

  #takesKey(route: Route): boolean {
    return this.#options.idempotency !== undefined && takesKey(route);
  }

  /** What is shown of `error`, as a problem and as the response. */
  #failure(error: unknown, passage: Passage): { problem: ProblemError; response: Response } {
    const shown = shownOf(error, passage, this.#deps.log, this.#options.mapError);
    return { problem: shown, response: problemResponse(shown, passage.path, passage.id) };
  }
}
