/**
 * Pushed messages over HTTP, for operators.
 *
 * @module
 */
import * as v from "valibot";
import {
  EventStreams,
  macSchema,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  queryList,
  Routes,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { afterQuery, MessageView, pluginQuery, type PushedMessages, STREAM_DESCRIPTION } from "./messages.ts";

const AUTH = ["messages:read"] as const;
const EVENTS = { description: "Events", mediaType: "text/event-stream" } as const;
/** Gateways that one stream may name. */
const MAX_MACS = 200;

/** The routes of pushed messages. */
export function pushRoutes(deps: PlatformDeps, messages: PushedMessages): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "messages", maxReaders: 500, maxPerPrincipal: 100 });
  const known = async (mac: string) => {
    if (!await deps.gateways.find(mac)) {
      throw problem(404, "gateway_not_found", `no gateway with MAC ${mac} is preset`);
    }
  };

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/messages",
    summary: "What a gateway has pushed, newest first",
    tags: ["messages"],
    auth: AUTH,
    params: v.object({ mac: macSchema }),
    query: v.object({ ...pluginQuery, ...pageQuery() }),
    responses: {
      200: { description: "A page of messages", schema: pageSchema(MessageView) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ principal, params: { mac }, query: { plugin, ...page } }) => {
    unconfined(principal);
    await known(mac);
    return { status: 200, body: await messages.page({ macs: [mac], plugin }, page) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/messages/stream",
    summary: "What a gateway pushes, as it comes",
    description: STREAM_DESCRIPTION,
    tags: ["messages"],
    auth: AUTH,
    params: v.object({ mac: macSchema }),
    query: v.object({ ...pluginQuery, ...afterQuery }),
    responses: { 200: EVENTS, 404: { description: "Not preset" } },
  }).handle(async (call) => {
    const { principal, params: { mac }, query: { plugin, after }, request } = call;
    unconfined(principal);
    await known(mac);
    return streams.open(call, messages.following({ macs: [mac], plugin }, request, after));
  });

  const filter = { mac: v.optional(queryList(macSchema, MAX_MACS)), ...pluginQuery };
  routes.route({
    method: "GET",
    path: "/api/v1/messages",
    summary: "What gateways have pushed, newest first",
    description: "`mac` may be given several times; without it, of all gateways.",
    tags: ["messages"],
    auth: AUTH,
    query: v.object({ ...filter, ...pageQuery() }),
    responses: { 200: { description: "A page of messages", schema: pageSchema(MessageView) } },
  }).handle(async ({ principal, query: { mac, plugin, ...page } }) => {
    unconfined(principal);
    return { status: 200, body: await messages.page({ macs: mac, plugin }, page) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/messages/stream",
    summary: "What gateways push, as it comes",
    description: `${STREAM_DESCRIPTION} \`mac\` may be given several times; without it, of all gateways.`,
    tags: ["messages"],
    auth: AUTH,
    query: v.object({ ...filter, ...afterQuery }),
    responses: { 200: EVENTS },
  }).handle((call) => {
    const { principal, query: { mac, plugin, after }, request } = call;
    unconfined(principal);
    return streams.open(call, messages.following({ macs: mac, plugin }, request, after));
  });
  return routes;
}

/** Which gateways are in which group is not known here: whoever is confined to groups sees no messages. */
function unconfined({ groups }: Principal): void {
  if (groups !== undefined) {
    throw problem(403, "forbidden", "messages are not for those who are confined to groups of gateways");
  }
}
