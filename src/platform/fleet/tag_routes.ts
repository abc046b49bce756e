/**
 * `/api/v1/tags`, and the tags of a gateway.
 *
 * @module
 */
import * as v from "valibot";
import { Routes } from "../../control/mod.ts";
import { FilterText, MacParams, word } from "./fields.ts";
import { ALL } from "./filter.ts";
import type { Fleet } from "./fleet.ts";
import { MAX_TAGS } from "./tags.ts";

const Tag = word(64);

/** The routes. */
export function tagRoutes(fleet: Fleet): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/tags",
    summary: "The tags in use",
    tags: ["groups"],
    auth: ["gateways:read"],
    responses: {
      200: {
        description: "Tags, and on how many gateways each is",
        schema: v.object({ items: v.array(v.object({ tag: v.string(), gateways: v.number() })) }),
      },
    },
  }).handle(async ({ principal }) => ({
    status: 200,
    body: { items: await fleet.tags.all(1000, await fleet.scopeOf(principal)) },
  }));

  routes.route({
    method: "PUT",
    path: "/api/v1/gateways/{mac}/tags",
    summary: "Give a gateway exactly these tags",
    tags: ["groups"],
    auth: ["gateways:write"],
    params: MacParams,
    body: { json: v.strictObject({ tags: v.pipe(v.array(Tag), v.maxLength(MAX_TAGS)) }) },
    responses: {
      200: { description: "Its tags", schema: v.object({ tags: v.array(v.string()) }) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, body, principal, changed }) => {
    await fleet.gateway(principal, mac);
    const tagsOf = async () => (await fleet.tags.of([mac])).get(mac) ?? [];
    const before = await tagsOf();
    await fleet.tags.replace(mac, body.tags);
    const tags = await tagsOf();
    changed({ tags: before }, { tags });
    return { status: 200, body: { tags } };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/tags",
    summary: "Put tags on, and take tags from, every gateway that a filter finds",
    tags: ["groups"],
    auth: ["gateways:write"],
    body: {
      json: v.strictObject({
        filter: FilterText,
        add: v.optional(v.pipe(v.array(Tag), v.maxLength(MAX_TAGS)), []),
        remove: v.optional(v.pipe(v.array(Tag), v.maxLength(MAX_TAGS)), []),
      }),
    },
    responses: {
      200: {
        description: "How many tags were put on and taken off",
        schema: v.object({ added: v.number(), removed: v.number() }),
      },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ body, principal, changed }) => {
    const filter = await fleet.find(principal, body.filter) ?? ALL;
    let added = 0, removed = 0;
    for (const tag of body.remove) removed += await fleet.tags.take(tag, filter);
    for (const tag of body.add) added += await fleet.tags.add(tag, filter);
    changed(undefined, { ...body, added, removed });
    return { status: 200, body: { added, removed } };
  });
  return routes;
}
