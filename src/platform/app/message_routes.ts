/**
 * `/app/v1/gateways/{mac}/messages`: what a user's own gateways push. Only what came since the user bound the gateway:
 * what came before was its earlier owner's.
 *
 * @module
 */
import * as v from "valibot";
import type { Deps } from "../../base/mod.ts";
import { EventStreams, macSchema, pageQuery, pageSchema, Routes } from "../../control/mod.ts";
import {
  afterQuery,
  MessageView,
  pluginQuery,
  type PushedMessages,
  STREAM_DESCRIPTION,
} from "../push/mod.ts";
import type { BindingStore } from "./bindings.ts";
import { ownIn } from "./own.ts";
import { USER_PERMISSION } from "./users.ts";

const MacParams = v.object({ mac: macSchema });

/** What the message routes lean on. */
export interface MessageParts {
  readonly bindings: Pick<BindingStore, "find">;
  readonly messages: Pick<PushedMessages, "page" | "following">;
}

/** The routes of a user's messages. */
export function messageRoutes(
  deps: Pick<Deps, "clock" | "metrics">,
  { bindings, messages }: MessageParts,
): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "app_messages", maxReaders: 5000, maxPerPrincipal: 8 });
  const own = ownIn(bindings);

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/messages",
    summary: "What one of the user's gateways has pushed, newest first",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    query: v.object({ ...pluginQuery, ...pageQuery() }),
    responses: {
      200: { description: "A page of messages", schema: pageSchema(MessageView) },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac }, query: { plugin, ...page } }) => {
    const { bound_at } = await own(principal.id, mac);
    const body = await messages.page({ macs: [mac], plugin, after: bound_at }, page);
    // It may have changed hands meanwhile: then some of it may be another's.
    await own(principal.id, mac);
    return { status: 200, body };
  });

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/messages/stream",
    summary: "What one of the user's gateways pushes, as it comes",
    description: `${STREAM_DESCRIPTION} The stream ends when the gateway is no longer the user's.`,
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    query: v.object({ ...pluginQuery, ...afterQuery }),
    responses: {
      200: { description: "Events", mediaType: "text/event-stream" },
      404: { description: "Not the user's" },
    },
  }).handle(async (call) => {
    const { principal, params: { mac }, query: { plugin, after }, request } = call;
    const { bound_at } = await own(principal.id, mac);
    // The same binding, not a later one: that has a past of its own.
    const still = async () => (await bindings.find(principal.id, mac))?.bound_at === bound_at;
    const filter = { macs: [mac], plugin, after: bound_at };
    return streams.open(call, messages.following(filter, request, after, still), still);
  });
  return routes;
}
