/**
 * `/api/v1/groups`: groups of gateways, and who is in them.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  decodeCursor,
  etagOf,
  ifMatch,
  isoTime,
  macSchema,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { FilterText, word } from "./fields.ts";
import { parseFilter } from "./filter.ts";
import type { Fleet } from "./fleet.ts";
import type { GroupRow } from "./schema.ts";

const GroupName = word(64);
const NameParams = v.object({ name: v.pipe(v.string(), v.maxLength(64)) });
/** Gateways in one change of a group. */
const MAX_MEMBERS = 100_000;

const GroupView = v.object({
  name: v.string(),
  description: v.string(),
  filter: v.nullable(v.string()),
  /** Gateways in it at the moment. */
  gateways: v.number(),
  createdAt: timeSchema,
  createdBy: v.string(),
  updatedAt: timeSchema,
});

/** What can be changed of a group. */
function edited({ description, filter }: GroupRow) {
  return { description, filter };
}

/** The routes. `now`: milliseconds since 1970, for filters that speak of it. */
export function groupRoutes(fleet: Fleet, now: () => number): Routes {
  const routes = new Routes();
  const view = async (row: GroupRow): Promise<v.InferInput<typeof GroupView>> => ({
    name: row.name,
    description: row.description,
    filter: row.filter,
    gateways: await fleet.count(await fleet.groups.membersOf([row.name])),
    createdAt: isoTime(row.created_at),
    createdBy: row.created_by,
    updatedAt: isoTime(row.updated_at),
  });
  /** A group that is not one's own is as if it were not there. */
  const found = async (principal: Principal, name: string): Promise<GroupRow> => {
    const row = principal.groups && !principal.groups.includes(name)
      ? undefined
      : await fleet.groups.find(name);
    if (!row) throw problem(404, "group_not_found", `there is no group "${name.slice(0, 64)}"`);
    return row;
  };

  routes.route({
    method: "GET",
    path: "/api/v1/groups",
    summary: "List groups of gateways",
    tags: ["groups"],
    auth: ["gateways:read"],
    query: v.object(pageQuery(50, 200)),
    responses: { 200: { description: "A page of groups, by name", schema: pageSchema(GroupView) } },
  }).handle(async ({ query: { cursor, limit }, principal }) => {
    const after = decodeCursor(cursor, v.string());
    const rows = await fleet.groups.list(limit + 1, after, principal.groups);
    const { items, ...next } = pageOf(rows, limit, (row) => row.name, (row) => row);
    return { status: 200, body: { items: await Promise.all(items.map(view)), ...next } };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/groups",
    summary: "Make a group of gateways",
    description:
      "With a `filter` (RSQL) it holds whatever the filter finds at the moment; without, what is put in.",
    tags: ["groups"],
    auth: ["gateways:write"],
    unconfined: true, // they would free themselves by changing groups
    body: {
      json: v.strictObject({
        name: GroupName,
        description: v.optional(v.pipe(v.string(), v.maxLength(500)), ""),
        filter: v.optional(v.nullable(FilterText), null),
      }),
    },
    responses: {
      201: { description: "The group", schema: GroupView },
      409: { description: "The name is taken" },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ body, principal, changed }) => {
    if (body.filter !== null) parseFilter(body.filter, now());
    const row = await fleet.groups.create({ ...body, created_by: actorOf(principal) });
    if (!row) throw problem(409, "name_taken", `there is a group "${body.name}" already`);
    const made = await view(row);
    changed(undefined, made);
    return { status: 201, body: made };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/groups/{name}",
    summary: "One group",
    tags: ["groups"],
    auth: ["gateways:read"],
    params: NameParams,
    etag: true,
    responses: {
      200: { description: "The group", schema: GroupView },
      404: { description: "There is none" },
    },
  }).handle(async ({ params: { name }, principal, request }) => {
    const row = await found(principal, name), body = await view(row);
    return answerWith(request, etagOf(edited(row), body), body);
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/groups/{name}",
    summary: "Change a group's description or filter",
    tags: ["groups"],
    auth: ["gateways:write"],
    unconfined: true, // they would free themselves by changing groups
    params: NameParams,
    body: {
      json: v.strictObject({
        description: v.optional(v.pipe(v.string(), v.maxLength(500))),
        filter: v.optional(FilterText),
      }),
    },
    etag: true,
    responses: {
      200: { description: "The group", schema: GroupView },
      404: { description: "There is none" },
      409: { description: "It has members that were put in, and takes no filter" },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ params: { name }, body, principal, request, changed }) => {
    const before = await found(principal, name);
    const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
    if (body.filter !== undefined) {
      if (before.filter === null) throw problem(409, "static_group", "its members are put in one by one");
      parseFilter(body.filter, now());
    }
    const done = await fleet.groups.update(name, {
      ...(body.description === undefined ? {} : { description: body.description }),
      ...(body.filter === undefined ? {} : { filter: body.filter }),
    }, was);
    if (!done && was) throw changedMeanwhile();
    const row = await found(principal, name), after = await view(row);
    changed(edited(before), after);
    return { status: 200, body: after, headers: { etag: etagOf(edited(row), after) } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/groups/{name}",
    summary: "Remove a group; its gateways stay",
    tags: ["groups"],
    auth: ["gateways:write"],
    unconfined: true, // they would free themselves by changing groups
    params: NameParams,
    etag: true,
    responses: { 204: { description: "Removed" }, 404: { description: "There is none" } },
  }).handle(async ({ params: { name }, principal, request, changed }) => {
    const before = edited(await found(principal, name)), was = ifMatch(request, before) ? before : undefined;
    if (!await fleet.groups.remove(name, was) && was) throw changedMeanwhile();
    changed({ name, ...before }, undefined);
    return { status: 204 };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/groups/{name}/members",
    summary: "Put gateways into a group, and take others out",
    tags: ["groups"],
    auth: ["gateways:write"],
    unconfined: true, // they would free themselves by changing groups
    params: NameParams,
    body: {
      json: v.strictObject({
        add: v.optional(v.pipe(v.array(macSchema), v.maxLength(MAX_MEMBERS)), []),
        remove: v.optional(v.pipe(v.array(macSchema), v.maxLength(MAX_MEMBERS)), []),
      }),
      maxBytes: 8 * 1024 * 1024,
    },
    responses: {
      200: {
        description: "How many were put in and taken out; those that are not preset are left out",
        schema: v.object({ added: v.number(), removed: v.number() }),
      },
      404: { description: "There is none" },
      409: { description: "Its filter says who is in it" },
    },
  }).handle(async ({ params: { name }, body, principal, changed }) => {
    const group = await found(principal, name);
    if (group.filter !== null) throw problem(409, "dynamic_group", "the group's filter says who is in it");
    const removed = await fleet.groups.take(name, body.remove),
      added = await fleet.groups.add(name, body.add);
    changed(undefined, { added, removed });
    return { status: 200, body: { added, removed } };
  });
  return routes;
}
