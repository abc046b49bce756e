/**
 * Routes over HTTP: the operators' own, those that the name server told, and the name server.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, formatHostPort, messageOf, newId } from "../../base/mod.ts";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  decodeCursor,
  etagOf,
  ifMatch,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { routeTime } from "../../protocol/cmpp/mod.ts";
import { type GnsClient, NameServerError, ROUTE_ENTRIES, wantedOf } from "./gns/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { Code, ROUTING_TAGS, Secret, Version, versionOctet, versionText } from "./fields.ts";
import {
  nationalNumber,
  type Route,
  RouteError,
  type Router,
  type RouteStore,
  targetText,
} from "./routing/mod.ts";

const Digits = v.pipe(v.string(), v.regex(/^\d{0,21}$/, "Invalid segment: Expected up to 21 digits"));
const Kind = v.picklist(["mt", "mo"]);
const Target = v.union([v.picklist(["local", "none"]), Code]);

const RouteBody = v.pipe(
  v.strictObject({
    kind: Kind,
    /** The beginning of numbers; empty: every number. */
    first: Digits,
    /** The last beginning of the segment; default: `first`. */
    last: v.optional(Digits),
    target: Target,
  }),
  v.check(
    ({ first, last = first }) => last.length === first.length && last >= first,
    "Invalid segment: last must have as many digits as first, and not come before it",
  ),
);

const RouteView = v.object({
  id: v.string(),
  kind: Kind,
  first: v.string(),
  last: v.string(),
  target: v.string(),
  origin: v.picklist(["operator", "name_server"]),
  address: v.nullable(v.string()),
  timeStamp: v.string(),
  updatedAt: timeSchema,
  updatedBy: v.string(),
});

const NameServerView = v.object({
  address: v.string(),
  code: v.nullable(v.string()),
  version: v.nullable(v.string()),
  proveAnswer: v.boolean(),
  refreshedAt: v.nullable(timeSchema),
  lastError: v.nullable(v.string()),
});

/** What the routes lean on. */
export interface RoutingApiParts {
  readonly routes: RouteStore;
  readonly router: Router;
  readonly utcOffsetMinutes: number;
  /** The name server's client, where there is one. */
  readonly nameServer: GnsClient | undefined;
  /** Told when routes have changed. */
  readonly changed: () => void;
}

/** The routes about routes. */
export function routingRoutes(deps: Pick<Deps, "clock">, parts: RoutingApiParts): Routes {
  const api = new Routes();
  listRoutes(api, parts);
  changeRoutes(api, deps, parts);
  nameServerRoutes(api, parts);
  announceRoutes(api, parts);
  return api;
}

function listRoutes(api: Routes, { routes, router }: RoutingApiParts): void {
  api.route({
    method: "GET",
    path: "/api/v1/sms/routes",
    summary: "Routes, the operators' and those that the name server told, by id",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    query: v.object({
      ...pageQuery(),
      kind: v.optional(Kind),
      origin: v.optional(v.picklist(["operator", "name_server"])),
    }),
    responses: { 200: { description: "A page", schema: pageSchema(RouteView) } },
  }).handle(({ query: { cursor, limit, kind, origin } }) => {
    const after = decodeCursor(cursor, v.strictObject({ id: v.string() }))?.id;
    const page = routes.list({ kind, origin }, limit + 1, after);
    return { status: 200, body: pageOf(page, limit, ({ id }) => ({ id }), routeView) };
  });
  api.route({
    method: "GET",
    path: "/api/v1/sms/routes/way",
    summary: "Which way a message to a number would go now",
    description: "Asks the name server where that is what a message would do.",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    query: v.object({ kind: Kind, number: v.pipe(v.string(), v.regex(/^\+?\d{1,21}$/)) }),
    responses: {
      200: {
        description: "local, none, unknown (the name server is away), or a gateway's code; by which route",
        schema: v.object({ way: v.string(), route: v.nullable(RouteView) }),
      },
    },
  }).handle(async ({ query: { kind, number } }) => {
    const digits = kind === "mt" ? nationalNumber(number) : number.replace("+", "");
    const decision = await router.decide(kind, digits), route = routes.find(kind, digits);
    const way = decision.kind === "unknown" ? "unknown" : targetText(decision);
    return { status: 200, body: { way, route: route ? routeView(route) : null } };
  });
}

function changeRoutes(
  api: Routes,
  { clock }: Pick<Deps, "clock">,
  { routes, changed, utcOffsetMinutes }: RoutingApiParts,
): void {
  const own = (id: string): Route => {
    const route = routes.get(id);
    if (!route) throw problem(404, "route_not_found", `no route "${id}"`);
    if (route.origin === "operator") return route;
    throw problem(409, "not_an_operators_route", "the name server's routes are changed at the name server");
  };
  const put = async (
    id: string,
    body: v.InferOutput<typeof RouteBody>,
    actor: string,
    seen?: number,
  ): Promise<Route> => {
    try {
      // Each change has a time of its own, so that it tells one state from the next.
      const now = Math.max(clock.now(), (routes.get(id)?.updatedAt ?? 0) + 1);
      const { kind, first, last = first, target } = body;
      const route = await routes.put({
        id,
        kind,
        first,
        last,
        target,
        origin: "operator",
        address: null,
        time_stamp: routeTime(now, utcOffsetMinutes),
        updated_at: now,
        updated_by: actor,
      }, seen);
      if (!route) throw changedMeanwhile();
      changed();
      return route;
    } catch (error) {
      if (error instanceof RouteError) throw problem(409, error.code, error.message);
      throw error;
    }
  };
  api.route({
    method: "POST",
    path: "/api/v1/sms/routes",
    summary: "Create a route",
    description: "mt: phones whose numbers begin with first to last; mo: providers whose numbers begin so. " +
      "The longest match counts; an operator's route comes before one of the same length that the name server told.",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    body: { json: RouteBody },
    responses: {
      201: { description: "The new route", schema: RouteView },
      409: { description: "There is a route with this very segment" },
    },
  }).handle(async ({ body, principal, changed: audit }) => {
    const view = routeView(await put(`${body.kind}:${newId()}`, body, actorOf(principal)));
    audit(undefined, view);
    return { status: 201, body: view };
  });
  api.route({
    method: "GET",
    path: "/api/v1/sms/routes/{id}",
    summary: "One route",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    params: v.object({ id: v.string() }),
    etag: true,
    responses: {
      200: { description: "The route", schema: RouteView },
      404: { description: "No such route" },
    },
  }).handle(({ params: { id }, request }) => {
    const route = routes.get(id);
    if (!route) throw problem(404, "route_not_found", `no route "${id}"`);
    return answerWith(request, etagOf(route.updatedAt, routeView(route)), routeView(route));
  });
  api.route({
    method: "PUT",
    path: "/api/v1/sms/routes/{id}",
    summary: "Change a route",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    params: v.object({ id: v.string() }),
    body: { json: RouteBody },
    etag: true,
    responses: {
      200: { description: "The route, changed", schema: RouteView },
      404: { description: "No such route" },
      409: { description: "Not an operator's, another kind, or the segment is taken" },
    },
  }).handle(async ({ params: { id }, body, principal, request, changed: audit }) => {
    const before = own(id), seen = ifMatch(request, before.updatedAt) ? before.updatedAt : undefined;
    if (before.kind !== body.kind) throw problem(409, "other_kind", "a route keeps its kind: create another");
    const route = await put(id, body, actorOf(principal), seen), view = routeView(route);
    audit(routeView(before), view);
    return { status: 200, body: view, headers: { etag: etagOf(route.updatedAt, view) } };
  });
  api.route({
    method: "DELETE",
    path: "/api/v1/sms/routes/{id}",
    summary: "Remove a route",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    params: v.object({ id: v.string() }),
    etag: true,
    responses: {
      204: { description: "Removed" },
      404: { description: "No such route" },
      409: { description: "Not an operator's" },
    },
  }).handle(async ({ params: { id }, request, changed: audit }) => {
    const before = own(id), seen = ifMatch(request, before.updatedAt) ? before.updatedAt : undefined;
    if (!await routes.remove(id, seen) && seen !== undefined) throw changedMeanwhile();
    changed();
    audit(routeView(before), undefined);
    return { status: 204 };
  });
}

function nameServerRoutes(api: Routes, { nameServer }: RoutingApiParts): void {
  const client = (): GnsClient => {
    if (nameServer) return nameServer;
    throw problem(409, "no_name_server", "start with --gns-server HOST:PORT to use a name server");
  };
  const view = (): v.InferInput<typeof NameServerView> => {
    const { address, code, version, proveAnswer, refreshedAt, lastError } = client().status;
    return {
      address: formatHostPort(address),
      code: code ?? null,
      version: version === undefined ? null : versionText(version),
      proveAnswer,
      refreshedAt: refreshedAt === undefined ? null : isoTime(refreshedAt),
      lastError: lastError ?? null,
    };
  };
  const responses = {
    200: { description: "How things are with it", schema: NameServerView },
    409: { description: "This gateway has none" },
  };
  api.route({
    method: "GET",
    path: "/api/v1/sms/name-server",
    summary: "The name server that this gateway asks",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    responses,
  }).handle(() => ({ status: 200, body: view() }));
  api.route({
    method: "PUT",
    path: "/api/v1/sms/name-server",
    summary: "Say who the name server is",
    description: "The secret is taken and never shown. version is the highest that is spoken with it; " +
      "with proveAnswer its answer to CONNECT must prove that it knows the secret.",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    body: {
      json: v.strictObject({
        code: Code,
        secret: Secret,
        version: v.optional(Version),
        proveAnswer: v.optional(v.boolean()),
      }),
    },
    responses,
  }).handle(async ({ body, principal, changed }) => {
    const audited = ({ code, version, proveAnswer } = view()) => ({ code, version, proveAnswer });
    const before = audited(), { version, ...rest } = body;
    await client().put({ ...rest, version: version && versionOctet(version) }, actorOf(principal));
    changed(before, audited());
    return { status: 200, body: view() };
  });
  api.route({
    method: "POST",
    path: "/api/v1/sms/name-server/refresh",
    summary: "Take the name server's whole table over now",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    responses,
  }).handle(async ({ changed }) => {
    const { refreshedAt } = view();
    await client().refresh();
    const now = view();
    changed({ refreshedAt }, { refreshedAt: now.refreshedAt });
    return { status: 200, body: now };
  });
}

function announceRoutes(api: Routes, { nameServer }: RoutingApiParts): void {
  const changes = ["add", "delete", "update"] as const;
  const routeId = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
  const change = v.optional(v.picklist(changes), "add");
  api.route({
    method: "POST",
    path: "/api/v1/sms/name-server/routes",
    summary: "Tell the name server of a route: add, change or delete it there",
    description: "It may wait for an operator of the name server. delete and update need its routeId.",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    body: {
      json: v.variant("kind", [
        v.strictObject({ ...ROUTE_ENTRIES.mt, change, routeId: v.optional(routeId) }),
        v.strictObject({ ...ROUTE_ENTRIES.mo, change, routeId: v.optional(routeId) }),
      ]),
    },
    responses: {
      200: {
        description: "Taken; the route has this id there",
        schema: v.object({ routeId: v.number(), timeStamp: v.string() }),
      },
      409: { description: "This gateway has no name server" },
      422: { description: "The name server refused it, with this Result" },
      502: { description: "The name server can't be asked" },
    },
  }).handle(async ({ body: { change, routeId = 0, ...route }, changed }) => {
    if (!nameServer) {
      throw problem(409, "no_name_server", "start with --gns-server HOST:PORT to use a name server");
    }
    const wanted = wantedOf(route, changes.indexOf(change), routeId);
    const outcome = await nameServer.update(wanted).catch((error) => {
      if (error instanceof NameServerError && error.code === "unsayable") {
        throw problem(422, error.code, `the name server can't be told of this route: ${error.message}`);
      }
      throw problem(502, "name_server_away", `the name server can't be asked: ${messageOf(error)}`);
    });
    if (outcome.result !== 0) {
      throw problem(422, "refused", `the name server refused the route: Result ${outcome.result}`);
    }
    changed(undefined, { change, routeId: outcome.routeId, ...route });
    return { status: 200, body: { routeId: outcome.routeId, timeStamp: outcome.timeStamp } };
  });
}

function routeView(route: Route): v.InferInput<typeof RouteView> {
  const { id, kind, first, last, target, origin, address, timeStamp, updatedAt, updatedBy } = route;
  return {
    id,
    kind,
    first,
    last,
    target: targetText(target),
    origin,
    address: address ?? null,
    timeStamp,
    updatedAt: isoTime(updatedAt),
    updatedBy,
  };
}
