/**
 * Finding commands over the whole fleet, and the story of one.
 *
 * @module
 */
import * as v from "valibot";
import {
  decodeCursor,
  isoTime,
  macSchema,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  queryList,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { MAX_FILTER } from "../fleet/mod.ts";
import { type CommandEventRow, type CommandRow, isFinal } from "../registry/mod.ts";
import { CommandView, commandView } from "./views.ts";

const When = v.pipe(timeSchema, v.transform((text) => Date.parse(text)));
const Name = v.pipe(v.string(), v.maxLength(128));
/** Gateways named in one search. */
const MAX_MACS = 200;

const StoryView = v.object({
  at: timeSchema,
  /** `again`: the attempt came to nothing, and it waits to be sent once more. */
  event: v.picklist(["created", "sent", "acked", "again", "ended"]),
  /** Which attempt; 0 before the first. */
  attempt: v.number(),
  /** Why again: `lost`, `not_sent`, `busy`, `restarted`; how it ended: its status. */
  reason: v.nullable(v.string()),
  detail: v.nullable(v.string()),
});
type Story = v.InferInput<typeof StoryView>;

/** The routes. `visible` gives a command to whoever may see it. */
export function searchRoutes(
  deps: Pick<PlatformDeps, "commands" | "fleet">,
  visible: (principal: Principal, id: string) => Promise<CommandRow>,
): Routes {
  const routes = new Routes();

  routes.route({
    method: "GET",
    path: "/api/v1/commands",
    summary: "Commands of all gateways, newest first",
    description:
      "All that is given must hold. `filter` (RSQL) and `group` say of which gateways; without either those of gateways " +
      "that were removed are in it too, for whoever is confined to nothing.",
    tags: ["commands"],
    auth: ["commands:read"],
    query: v.object({
      mac: v.optional(queryList(macSchema, MAX_MACS)),
      status: v.optional(queryList(CommandView.entries.status)),
      kind: v.optional(queryList(CommandView.entries.kind)),
      plugin: v.optional(Name),
      /** As rows have it: `admin`, `operator:<id>`, `key:<id>`, `user:<id>`. */
      actor: v.optional(Name),
      error: v.optional(Name),
      since: v.optional(When),
      until: v.optional(When),
      group: v.optional(v.pipe(v.string(), v.maxLength(64))),
      filter: v.optional(v.pipe(v.string(), v.maxLength(MAX_FILTER))),
      ...pageQuery(),
    }),
    responses: {
      200: { description: "A page of commands", schema: pageSchema(CommandView) },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ principal, query }) => {
    const { cursor, limit, mac, status, kind, plugin, actor, error, since, until } = query;
    const found = await deps.fleet.find(principal, query.filter);
    const within = query.group === undefined ? undefined : await deps.fleet.groups.membersOf([query.group]);
    const gateways = found && within
      ? (eb: Parameters<typeof found>[0]) => eb.and([found(eb), within(eb)])
      : found ?? within;
    const before = decodeCursor(cursor, v.string());
    const rows = await deps.commands.search(
      { macs: mac, statuses: status, kinds: kind, plugin, actor, errorCode: error, since, until, gateways },
      limit + 1,
      before,
    );
    return { status: 200, body: pageOf(rows, limit, (row) => row.id, commandView) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/commands/{id}/timeline",
    summary: "What happened to a command, step by step",
    tags: ["commands"],
    auth: ["commands:read"],
    params: v.object({ id: v.pipe(v.string(), v.maxLength(64)) }),
    responses: {
      200: { description: "All steps, the oldest first", schema: v.object({ items: v.array(StoryView) }) },
      404: { description: "No such command" },
    },
  }).handle(async ({ params: { id }, principal }) => {
    const row = await visible(principal, id);
    return { status: 200, body: { items: story(row, await deps.commands.events(id)) } };
  });
  return routes;
}

/** A command's steps: its row has the last attempt, the events those before it. */
function story(row: CommandRow, events: readonly CommandEventRow[]): Story[] {
  const step = (
    at: number,
    event: Story["event"],
    attempt: number,
    reason: string | null = null,
    detail: string | null = null,
  ): Story => ({ at: isoTime(at), event, attempt, reason, detail });
  const items = [step(row.created_at, "created", 0)];
  for (const { at, attempt, sent_at, reason, detail } of events) {
    // One that found no channel was written down as sent, and was not.
    if (sent_at !== null && reason !== "not_sent") items.push(step(sent_at, "sent", attempt));
    items.push(step(at, "again", attempt, reason, detail));
  }
  const last = events.at(-1)?.attempt ?? 0;
  if (row.sent_at !== null && row.attempt > last) items.push(step(row.sent_at, "sent", row.attempt));
  if (row.acked_at !== null) items.push(step(row.acked_at, "acked", row.attempt));
  if (row.finished_at !== null && isFinal(row.status)) {
    items.push(step(row.finished_at, "ended", row.attempt, row.error_code ?? row.status, row.error));
  }
  return items;
}
