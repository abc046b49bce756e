/**
 * The name server over HTTP: gateways, routes, and changes that wait for somebody to look at them.
 *
 * @module
 */
import * as v from "valibot";
import { formatHostPort } from "../../../base/mod.ts";
import {
  actorOf,
  decodeCursor,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  Routes,
  timeSchema,
} from "../../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "../access.ts";
import { Address, addressOf, Code, Secret, Version, versionOctet, versionText } from "../fields.ts";
import { GnsResult, UpdateType } from "./codes.ts";
import { Kind, RouteBody, wantedOf } from "./fields.ts";
import type { GnsChangeRow, GnsRouteRow } from "./schema.ts";
import {
  type ChangeOutcome,
  type GnsGateway,
  type GnsKind,
  type GnsStore,
  NO_FIELDS,
  type WantedChange,
} from "./store.ts";

const ROUTING_TAGS = ["short messages: name server"];

const GatewayBody = v.strictObject({
  code: Code,
  secret: Secret,
  /** Where it takes updates; left out: it only asks. */
  address: v.optional(Address),
  /** What it says of routes counts at once. */
  trusted: v.optional(v.boolean()),
  version: v.optional(Version),
});
const GatewayView = v.object({
  code: v.string(),
  address: v.nullable(v.string()),
  trusted: v.boolean(),
  version: v.string(),
  /** The last change that it has been told of. */
  told: v.number(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
  updatedBy: v.string(),
});

const RouteFields = {
  kind: Kind,
  routeId: v.number(),
  destinationId: v.string(),
  gatewayIp: v.string(),
  gatewayPort: v.number(),
  startId: v.string(),
  endId: v.string(),
  areaCode: v.string(),
  userType: v.number(),
  spId: v.string(),
  spCode: v.string(),
  spAccessType: v.number(),
  serviceId: v.string(),
  startCode: v.number(),
  endCode: v.number(),
  timeStamp: v.string(),
};
const RouteView = v.object({ ...RouteFields, updatedBy: v.string() });
const ChangeView = v.object({
  id: v.number(),
  change: v.picklist(["add", "delete", "update"]),
  state: v.picklist(["waiting", "valid", "refused"]),
  source: v.string(),
  decidedBy: v.nullable(v.string()),
  createdAt: timeSchema,
  ...RouteFields,
});
const CHANGES = ["add", "delete", "update"] as const;

/** What the routes lean on. */
export interface GnsApiParts {
  readonly store: GnsStore;
  /** Told when there is something to tell gateways. */
  readonly changed: () => void;
}

/** The routes of the name server. */
export function gnsRoutes(parts: GnsApiParts): Routes {
  const api = new Routes();
  gatewayRoutes(api, parts);
  routeRoutes(api, parts);
  changeRoutes(api, parts);
  return api;
}

function gatewayRoutes(api: Routes, { store, changed: told }: GnsApiParts): void {
  api.route({
    method: "POST",
    path: "/api/v1/gns/gateways",
    summary: "Create a gateway of this name server, or change it",
    description: "The secret is taken and never shown.",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    body: { json: GatewayBody },
    responses: {
      200: { description: "The gateway, changed", schema: GatewayView },
      201: { description: "The new gateway", schema: GatewayView },
    },
  }).handle(async ({ body, principal, changed }) => {
    const { version, address, ...rest } = body, before = store.gateway(body.code);
    const { gateway, created } = await store.putGateway(
      { ...rest, address: addressOf(address), version: version && versionOctet(version) },
      actorOf(principal),
    );
    changed(before && gatewayView(before), gatewayView(gateway));
    told();
    return { status: created ? 201 : 200, body: gatewayView(gateway) };
  });
  api.route({
    method: "GET",
    path: "/api/v1/gns/gateways",
    summary: "All gateways of this name server",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    responses: { 200: { description: "By code", schema: v.object({ items: v.array(GatewayView) }) } },
  }).handle(() => ({ status: 200, body: { items: store.gateways().map(gatewayView) } }));
  api.route({
    method: "DELETE",
    path: "/api/v1/gns/gateways/{code}",
    summary: "Remove a gateway: it is not let in any more",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    params: v.object({ code: Code }),
    responses: { 204: { description: "Removed" }, 404: { description: "No such gateway" } },
  }).handle(async ({ params: { code }, changed }) => {
    const before = store.gateway(code);
    if (!before || !await store.removeGateway(code)) {
      throw problem(404, "gateway_not_found", `no gateway "${code}"`);
    }
    changed(gatewayView(before), undefined);
    return { status: 204 };
  });
}

function routeRoutes(api: Routes, { store, changed: told }: GnsApiParts): void {
  const id = v.object({ kind: Kind, routeId: v.pipe(v.string(), v.regex(/^\d{1,10}$/)) });
  const change = async (wanted: WantedChange, actor: string): Promise<ChangeOutcome> => {
    const outcome = await store.change(wanted, actor, true);
    if (outcome.result === GnsResult.routeId) {
      throw problem(404, "route_not_found", `no ${wanted.kind} route ${wanted.route_id}`);
    }
    if (outcome.result !== GnsResult.ok) {
      throw problem(422, "invalid_route", `the protocol has no such route: Result ${outcome.result}`);
    }
    told();
    return outcome;
  };
  const view = (kind: GnsKind, routeId: number) => routeView(store.route(kind, routeId)!.row);
  api.route({
    method: "GET",
    path: "/api/v1/gns/routes",
    summary: "Routes of this name server by Route_Id",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    query: v.object({ ...pageQuery(), kind: Kind }),
    responses: { 200: { description: "A page", schema: pageSchema(RouteView) } },
  }).handle(({ query: { cursor, limit, kind } }) => {
    const after = decodeCursor(cursor, v.strictObject({ routeId: v.number() }))?.routeId;
    const key = ({ route_id }: GnsRouteRow) => ({ routeId: route_id });
    return { status: 200, body: pageOf(store.list(kind, limit + 1, after), limit, key, routeView) };
  });
  api.route({
    method: "POST",
    path: "/api/v1/gns/routes",
    summary: "Create a route; gateways are told",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    body: { json: RouteBody },
    responses: {
      201: { description: "The new route", schema: RouteView },
      422: { description: "The protocol has no such route" },
    },
  }).handle(async ({ body, principal, changed }) => {
    const { routeId } = await change(wantedOf(body, UpdateType.add, 0), actorOf(principal));
    changed(undefined, view(body.kind, routeId));
    return { status: 201, body: view(body.kind, routeId) };
  });
  api.route({
    method: "PUT",
    path: "/api/v1/gns/routes/{kind}/{routeId}",
    summary: "Change a route; gateways are told",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    params: id,
    body: { json: RouteBody },
    responses: {
      200: { description: "The route, changed", schema: RouteView },
      404: { description: "No such route" },
      409: { description: "Another kind" },
      422: { description: "The protocol has no such route" },
    },
  }).handle(async ({ params, body, principal, changed }) => {
    if (params.kind !== body.kind) throw problem(409, "other_kind", "a route keeps its kind");
    const routeId = Number(params.routeId), before = store.route(body.kind, routeId)?.row;
    await change(wantedOf(body, UpdateType.update, routeId), actorOf(principal));
    changed(before && routeView(before), view(body.kind, routeId));
    return { status: 200, body: view(body.kind, routeId) };
  });
  api.route({
    method: "DELETE",
    path: "/api/v1/gns/routes/{kind}/{routeId}",
    summary: "Remove a route; gateways are told",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    params: id,
    responses: { 204: { description: "Removed" }, 404: { description: "No such route" } },
  }).handle(async ({ params, principal, changed }) => {
    const routeId = Number(params.routeId), { kind } = params, before = store.route(kind, routeId)?.row;
    await change(
      { ...NO_FIELDS, kind, update_type: UpdateType.remove, route_id: routeId },
      actorOf(principal),
    );
    changed(before && routeView(before), undefined);
    return { status: 204 };
  });
}

function changeRoutes(api: Routes, { store, changed: told }: GnsApiParts): void {
  api.route({
    method: "GET",
    path: "/api/v1/gns/changes",
    summary: "Changes of routes, the oldest first",
    description: "waiting: a gateway that is not trusted has asked for it.",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    query: v.object({
      ...pageQuery(),
      state: v.optional(v.picklist(["waiting", "valid", "refused"]), "waiting"),
    }),
    responses: { 200: { description: "A page", schema: pageSchema(ChangeView) } },
  }).handle(async ({ query: { cursor, limit, state } }) => {
    const after = decodeCursor(cursor, v.strictObject({ id: v.number() }))?.id;
    const rows = await store.changes(state, limit + 1, after);
    return { status: 200, body: pageOf(rows, limit, ({ id }) => ({ id }), changeView) };
  });
  for (const [word, valid] of [["approve", true], ["refuse", false]] as const) {
    api.route({
      method: "POST",
      path: `/api/v1/gns/changes/{id}/${word}`,
      summary: valid ? "Let a change that waits count; gateways are told" : "Refuse a change that waits",
      tags: ROUTING_TAGS,
      auth: MAY_WRITE,
      params: v.object({ id: v.pipe(v.string(), v.regex(/^\d{1,15}$/)) }),
      responses: {
        200: { description: "The change", schema: ChangeView },
        404: { description: "No such change waits" },
        409: { description: "It does not fit what there is now" },
      },
    }).handle(async ({ params: { id }, principal, changed }) => {
      const outcome = await store.decide(Number(id), valid, actorOf(principal));
      if (!outcome) throw problem(404, "change_not_found", `no change ${id} waits`);
      if (!outcome.change) {
        throw problem(409, "does_not_fit", `the change can't be made any more: Result ${outcome.result}`);
      }
      const state = valid ? "valid" as const : "refused" as const;
      const shown = changeView({ ...outcome.change, state, decided_by: actorOf(principal) });
      changed({ state: "waiting" }, shown);
      if (valid) told();
      return { status: 200, body: shown };
    });
  }
}

function fieldsView(row: Omit<GnsRouteRow, "updated_by">) {
  return {
    kind: row.kind,
    routeId: row.route_id,
    destinationId: row.destination_id,
    gatewayIp: row.gateway_ip,
    gatewayPort: row.gateway_port,
    startId: row.start_id,
    endId: row.end_id,
    areaCode: row.area_code,
    userType: row.user_type,
    spId: row.sp_id,
    spCode: row.sp_code,
    spAccessType: row.sp_access_type,
    serviceId: row.service_id,
    startCode: row.start_code,
    endCode: row.end_code,
    timeStamp: row.time_stamp,
  };
}

function routeView(row: GnsRouteRow): v.InferInput<typeof RouteView> {
  return { ...fieldsView(row), updatedBy: row.updated_by };
}

function changeView(row: GnsChangeRow): v.InferInput<typeof ChangeView> {
  return {
    ...fieldsView(row),
    id: row.id,
    change: CHANGES[row.update_type]!,
    state: row.state,
    source: row.source,
    decidedBy: row.decided_by,
    createdAt: isoTime(row.created_at),
  };
}

function gatewayView(gateway: GnsGateway): v.InferInput<typeof GatewayView> {
  const { code, address, trusted, version, told, createdAt, updatedAt, updatedBy } = gateway;
  return {
    code,
    address: address ? formatHostPort(address) : null,
    trusted,
    version: versionText(version),
    told,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    updatedBy,
  };
}
