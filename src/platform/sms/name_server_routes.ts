/**
 * The name server that this gateway asks for routes, over HTTP.
 *
 * @module
 */
import * as v from "valibot";
import { formatHostPort, messageOf } from "../../base/mod.ts";
import { actorOf, isoTime, problem, Routes, timeSchema } from "../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { Code, ROUTING_TAGS, Secret, Version, versionOctet, versionText } from "./fields.ts";
import { type GnsClient, NameServerError, ROUTE_ENTRIES, wantedOf } from "./gns/mod.ts";

const NameServerView = v.object({
  address: v.string(),
  code: v.nullable(v.string()),
  version: v.nullable(v.string()),
  proveAnswer: v.boolean(),
  refreshedAt: v.nullable(timeSchema),
  lastError: v.nullable(v.string()),
});

/** The routes. Where this gateway asks none (undefined), they answer 409 `no_name_server`. */
export function nameServerRoutes(nameServer: GnsClient | undefined): Routes {
  const api = new Routes();
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
  announceRoute(api, client);
  return api;
}

function announceRoute(api: Routes, client: () => GnsClient): void {
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
    const nameServer = client();
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
