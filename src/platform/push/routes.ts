/**
 * Pushed messages over HTTP, for operators: each sees those of the gateways that they may see.
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
  queryList,
  Routes,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { type Filter, MAX_FILTER } from "../fleet/mod.ts";
import { afterQuery, MessageView, pluginQuery, type PushedMessages, STREAM_DESCRIPTION } from "./messages.ts";
import type { MessageFilter } from "./store.ts";

const AUTH = ["messages:read"] as const;
const EVENTS = { description: "Events", mediaType: "text/event-stream" } as const;
const FILTER = { description: "The filter can't be used" } as const;
/** Gateways that one stream may name. */
const MAX_MACS = 200;

const Params = v.object({ mac: macSchema });
const Which = {
  mac: v.optional(queryList(macSchema, MAX_MACS)),
  group: v.optional(v.pipe(v.string(), v.maxLength(64))),
  /** RSQL over the fields of a gateway, such as `region==north;tag==pilot`. */
  filter: v.optional(v.pipe(v.string(), v.maxLength(MAX_FILTER))),
  ...pluginQuery,
};
const WHICH =
  "`mac` may be given several times; `group` and `filter` name gateways as the list of gateways does; " +
  "all that is given must hold. Without any of them: every gateway that the caller may see.";

/** The routes of pushed messages. */
export function pushRoutes(deps: PlatformDeps, messages: PushedMessages): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "messages", maxReaders: 500, maxPerPrincipal: 100 });
  const which = async (
    principal: Principal,
    { mac, group, filter, plugin }: v.InferOutput<v.ObjectSchema<typeof Which, undefined>>,
  ): Promise<MessageFilter> => ({
    macs: mac,
    plugin,
    gateways: both(
      await deps.fleet.find(principal, filter),
      group === undefined ? undefined : await deps.fleet.groups.membersOf([group]),
    ),
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/messages",
    summary: "What a gateway has pushed, newest first",
    tags: ["messages"],
    auth: AUTH,
    params: Params,
    query: v.object({ ...pluginQuery, ...pageQuery() }),
    responses: {
      200: { description: "A page of messages", schema: pageSchema(MessageView) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ principal, params: { mac }, query: { plugin, ...page } }) => {
    await deps.fleet.gateway(principal, mac);
    return { status: 200, body: await messages.page({ macs: [mac], plugin }, page) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/messages/stream",
    summary: "What a gateway pushes, as it comes",
    description: STREAM_DESCRIPTION,
    tags: ["messages"],
    auth: AUTH,
    params: Params,
    query: v.object({ ...pluginQuery, ...afterQuery }),
    responses: { 200: EVENTS, 404: { description: "Not preset" } },
  }).handle(async (call) => {
    const { principal, params: { mac }, query: { plugin, after }, request } = call;
    await deps.fleet.gateway(principal, mac);
    // Read through what the caller may see: a gateway that leaves their groups takes its messages along.
    const filter = { macs: [mac], plugin, gateways: await deps.fleet.scopeOf(principal) };
    return streams.open(call, messages.following(filter, request, after));
  });

  routes.route({
    method: "GET",
    path: "/api/v1/messages",
    summary: "What gateways have pushed, newest first",
    description: WHICH,
    tags: ["messages"],
    auth: AUTH,
    query: v.object({ ...Which, ...pageQuery() }),
    responses: { 200: { description: "A page of messages", schema: pageSchema(MessageView) }, 422: FILTER },
  }).handle(async ({ principal, query: { cursor, limit, ...wanted } }) => ({
    status: 200,
    body: await messages.page(await which(principal, wanted), { cursor, limit }),
  }));

  routes.route({
    method: "GET",
    path: "/api/v1/messages/stream",
    summary: "What gateways push, as it comes",
    description: `${STREAM_DESCRIPTION} ${WHICH}`,
    tags: ["messages"],
    auth: AUTH,
    query: v.object({ ...Which, ...afterQuery }),
    responses: { 200: EVENTS, 422: FILTER },
  }).handle(async (call) => {
    const { principal, query: { after, ...wanted }, request } = call;
    return streams.open(call, messages.following(await which(principal, wanted), request, after));
  });
  return routes;
}

function both(one: Filter | undefined, other: Filter | undefined): Filter | undefined {
  return one && other ? (eb) => eb.and([one(eb), other(eb)]) : one ?? other;
}
