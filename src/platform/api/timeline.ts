/**
 * Everything that happened with one gateway in one list: its history, its commands, and what it pushed.
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
  type Principal,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { HISTORY_KINDS } from "../fleet/mod.ts";
import type { PushedMessages } from "../push/mod.ts";
import type { CommandRow } from "../registry/mod.ts";
import { MacParams } from "./gateways.ts";

/** Characters of a message that are shown. */
const MAX_TEXT = 500;

const EntryView = v.object({
  id: v.string(),
  at: timeSchema,
  kind: v.picklist([...HISTORY_KINDS, "command", "message"]),
  /** Of a command: what and how it stands, never its parameters. Of a message: plug-in, and the text it begins with. */
  detail: v.record(v.string(), v.unknown()),
});
type Entry = v.InferInput<typeof EntryView>;

/** How far each source was read: the id or place of its last entry. */
const Position = v.strictObject({
  history: v.optional(v.string()),
  command: v.optional(v.string()),
  message: v.optional(v.pipe(v.number(), v.safeInteger())),
});
type Position = v.InferOutput<typeof Position>;

/** An entry, and where its source goes on behind it. */
interface Found {
  readonly at: number;
  readonly entry: Entry;
  readonly position: Position;
}

/** What the timeline is made of. */
export interface TimelineParts extends Pick<PlatformDeps, "fleet" | "commands"> {
  readonly messages: Pick<PushedMessages, "latest">;
}

/** The route. Who may not see commands or messages gets the timeline without them. */
export function timelineRoutes({ fleet, commands, messages }: TimelineParts): Routes {
  const routes = new Routes();
  const sources = (principal: Principal, mac: string, limit: number, from: Position): Promise<Found[]>[] => [
    fleet.history.list(mac, limit, from.history).then((rows) =>
      rows.map(({ id, at, kind, detail }) =>
        found(at, { id, kind, detail: JSON.parse(detail) }, { history: id })
      )
    ),
    ...(principal.permissions.includes("commands:read")
      ? [
        commands.list(mac, limit, from.command).then((rows) =>
          rows.map((row) =>
            found(row.created_at, { id: row.id, kind: "command", detail: detailOf(row) }, { command: row.id })
          )
        ),
      ]
      : []),
    ...(principal.permissions.includes("messages:read")
      ? [
        messages.latest({ macs: [mac] }, limit, from.message).then((rows) =>
          rows.map(({ seq, message: { id, receivedAt, plugin, time, text, base64 } }) => {
            const detail = { plugin, time, text: (text ?? base64).slice(0, MAX_TEXT) };
            return found(Date.parse(receivedAt), { id, kind: "message", detail }, { message: seq });
          })
        ),
      ]
      : []),
  ];

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/timeline",
    summary: "What happened with a gateway, the newest first: its history, its commands, what it pushed",
    description:
      "Commands are in it for whoever has `commands:read`, as of when they were made; messages for `messages:read`.",
    tags: ["gateways"],
    auth: ["gateways:read"],
    params: MacParams,
    query: v.object(pageQuery()),
    responses: {
      200: { description: "A page of entries", schema: pageSchema(EntryView) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ principal, params: { mac }, query: { cursor, limit } }) => {
    await fleet.gateway(principal, mac);
    const from = decodeCursor(cursor, Position) ?? {};
    const merged = merge(await Promise.all(sources(principal, mac, limit + 1, from)), from, limit + 1);
    return { status: 200, body: pageOf(merged, limit, ({ position }) => position, ({ entry }) => entry) };
  });
  return routes;
}

function found(at: number, entry: Omit<Entry, "at">, position: Position): Found {
  return { at, entry: { ...entry, at: isoTime(at) }, position };
}

/** The newest of all sources, each in its own order; each entry says how far all of them have been read with it. */
function merge(lists: readonly (readonly Found[])[], from: Position, limit: number): Found[] {
  const heads = lists.map(() => 0), merged: Found[] = [];
  let position = from;
  while (merged.length < limit) {
    let best = -1;
    lists.forEach((list, i) => {
      const next = list[heads[i]!], leader = best < 0 ? undefined : lists[best]![heads[best]!];
      if (next && (!leader || next.at > leader.at)) best = i;
    });
    if (best < 0) break;
    const next = lists[best]![heads[best]!++]!;
    position = { ...position, ...next.position };
    merged.push({ ...next, position });
  }
  return merged;
}

function detailOf({ kind, plugin, version, parameter, actor, status, error }: CommandRow) {
  const { CmdType } = JSON.parse(parameter) as { CmdType?: unknown };
  return {
    command: kind,
    ...(typeof CmdType === "string" ? { CmdType } : {}),
    ...(plugin === "" ? {} : { plugin, version }),
    status,
    actor,
    ...(error === null ? {} : { error }),
  };
}
