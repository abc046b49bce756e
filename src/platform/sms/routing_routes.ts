/**
 * Routes over HTTP: the operators' own, and those that the name server told.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, newId } from "../../base/mod.ts";
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
import type { GnsClient } from "./gns/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { Code, ROUTING_TAGS } from "./fields.ts";
import { nameServerRoutes } from "./name_server_routes.ts";
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
  return api.mount("", nameServerRoutes(parts.nameServer));
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
