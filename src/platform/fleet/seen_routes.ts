/**
 * What is known of a gateway without asking it: its history, its plug-ins and parameters as they were last seen.
 *
 * @module
 */
import * as v from "valibot";
import {
  decodeCursor,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { MacParams } from "./fields.ts";
import type { Fleet } from "./fleet.ts";
import { HISTORY_KINDS } from "./schema.ts";

const HistoryView = v.object({
  id: v.string(),
  at: timeSchema,
  kind: v.picklist(HISTORY_KINDS),
  detail: v.record(v.string(), v.unknown()),
});

/** The routes. */
export function seenRoutes(fleet: Fleet): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/history",
    summary: "What happened to a gateway, the newest first",
    tags: ["gateways"],
    auth: ["gateways:read"],
    params: MacParams,
    query: v.object(pageQuery()),
    responses: {
      200: { description: "A page of its history", schema: pageSchema(HistoryView) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, query: { cursor, limit }, principal }) => {
    await fleet.gateway(principal, mac);
    const before = decodeCursor(cursor, v.string());
    const rows = await fleet.history.list(mac, limit + 1, before);
    return {
      status: 200,
      body: pageOf(rows, limit, (row) => row.id, ({ id, at, kind, detail }) => ({
        id,
        at: isoTime(at),
        kind,
        detail: JSON.parse(detail),
      })),
    };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/plugins/seen",
    summary: "A gateway's plug-ins as they were last seen, without asking it",
    tags: ["gateways"],
    auth: ["plugins:read"],
    params: MacParams,
    responses: {
      200: {
        description: "Plug-ins",
        schema: v.object({
          items: v.array(
            v.object({ name: v.string(), version: v.string(), running: v.boolean(), seenAt: timeSchema }),
          ),
        }),
      },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, principal }) => {
    await fleet.gateway(principal, mac);
    const items = (await fleet.seen.plugins(mac)).map(({ name, version, running, seen_at }) => ({
      name,
      version,
      running: running === 1,
      seenAt: isoTime(seen_at),
    }));
    return { status: 200, body: { items } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/parameters/seen",
    summary: "A gateway's parameters as they were last read or written, without asking it",
    tags: ["gateways"],
    auth: ["gateways:read"],
    params: MacParams,
    query: v.object(pageQuery(100)),
    responses: {
      200: {
        description: "A page of parameters, by name",
        schema: pageSchema(v.object({ name: v.string(), value: v.string(), seenAt: timeSchema })),
      },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, query: { cursor, limit }, principal }) => {
    await fleet.gateway(principal, mac);
    const after = decodeCursor(cursor, v.string());
    const rows = await fleet.seen.parameters(mac, limit + 1, after);
    return {
      status: 200,
      body: pageOf(rows, limit, (row) => row.name, ({ name, value, seen_at }) => ({
        name,
        value,
        seenAt: isoTime(seen_at),
      })),
    };
  });
  return routes;
}
