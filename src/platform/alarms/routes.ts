/**
 * `/api/v1/alarms` and `/api/v1/alarm-rules`.
 *
 * @module
 */
import * as v from "valibot";
import type { Clock, Metrics } from "../../base/mod.ts";
import {
  actorOf,
  decodeCursor,
  EventStreams,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { Alarms } from "./alarms.ts";
import { alarmRuleRoutes } from "./rule_routes.ts";
import { ALARM_KINDS, type AlarmRow, SEVERITIES } from "./schema.ts";

const AlarmView = v.object({
  id: v.string(),
  rule: v.string(),
  kind: v.picklist(ALARM_KINDS),
  /** A region, a rollout's id, a service, a node; "" where there is only one such thing. */
  subject: v.string(),
  severity: v.picklist(SEVERITIES),
  group: v.nullable(v.string()),
  detail: v.string(),
  value: v.number(),
  raisedAt: timeSchema,
  clearedAt: v.nullable(timeSchema),
  acknowledgedAt: v.nullable(timeSchema),
  acknowledgedBy: v.nullable(v.string()),
  note: v.nullable(v.string()),
});
const IdParams = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });
/** Alarms told to a new reader of the stream. */
const MAX_RAISED = 1000;
/** Milliseconds between a reader's looks at what is raised: the word of another node may not get here. */
const LOOK_MS = 5000;

/** What the routes lean on. */
export interface AlarmParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly bus: Pick<PlatformBus, "subscribe">;
  readonly alarms: Alarms;
}

/** The routes. Whoever is confined to groups sees the alarms of rules about one of these, and changes no rule. */
export function alarmRoutes({ alarms, bus, ...deps }: AlarmParts): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "alarms", maxPerPrincipal: 50 });
  const sees = ({ groups }: Principal, row: AlarmRow) =>
    !groups || (row.group_name !== null && groups.includes(row.group_name));
  const visible = async (principal: Principal, id: string): Promise<AlarmRow> => {
    const row = await alarms.find(id);
    if (row && sees(principal, row)) return row;
    throw problem(404, "alarm_not_found", `there is no alarm "${id}"`);
  };
  routes.route({
    method: "GET",
    path: "/api/v1/alarms",
    summary: "Alarms that are raised, or were, newest first",
    tags: ["alarms"],
    auth: ["alarms:read"],
    query: v.object({
      state: v.optional(v.picklist(["raised", "cleared"])),
      severity: v.optional(v.picklist(SEVERITIES)),
      rule: v.optional(v.pipe(v.string(), v.maxLength(64))),
      ...pageQuery(),
    }),
    responses: { 200: { description: "A page of alarms", schema: pageSchema(AlarmView) } },
  }).handle(async ({ principal, query: { cursor, limit, ...query } }) => {
    const before = decodeCursor(cursor, v.string());
    const rows = await alarms.list({ ...query, groups: principal.groups }, limit + 1, before);
    return { status: 200, body: pageOf(rows, limit, (row) => row.id, alarmView) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/alarms/stream",
    summary: "Alarms as they are raised, cleared and acknowledged",
    description:
      "An `alarm` event for each that is raised now, then `ready`, then one for each change, always with the whole " +
      "alarm. Whoever comes back is told anew what is raised.",
    tags: ["alarms"],
    auth: ["alarms:read"],
    responses: { 200: { description: "Events", mediaType: "text/event-stream" } },
  }).handle((call) => {
    const { principal } = call;
    return streams.open(call, async (reader) => {
      const waiting: string[] = [];
      let changed = Promise.withResolvers<void>();
      using _ = bus.subscribe("alarm.changed", ({ id }) => {
        if (waiting.length >= MAX_RAISED) return reader.end("lagged");
        waiting.push(id);
        changed.resolve();
      });
      void reader.ended.then(() => changed.resolve());
      /** Those that are raised, as the reader was told of them. */
      const told = new Map<string, string>();
      const tell = (row: AlarmRow) => {
        if (row.cleared_at === null) told.set(row.id, versionOf(row));
        else told.delete(row.id);
        return reader.send({ event: "alarm", data: alarmView(row) });
      };
      /** Tells what is other than the reader was told; false once the stream has ended. */
      const look = async () => {
        const raised = await alarms.list({ state: "raised", groups: principal.groups }, MAX_RAISED);
        for (const row of raised.toReversed()) {
          if (told.get(row.id) !== versionOf(row) && !await tell(row)) return false;
        }
        const still = new Set(raised.map(({ id }) => id));
        for (const id of [...told.keys()].filter((id) => !still.has(id))) {
          const row = await alarms.find(id);
          if (!row) told.delete(id);
          else if (row.cleared_at !== null && !await tell(row)) return false;
        }
        return true;
      };
      if (!await look() || !await reader.send({ event: "ready", data: {} })) return;
      while (!reader.signal.aborted) {
        const id = waiting.shift();
        if (id !== undefined) {
          const row = await alarms.find(id);
          if (row && sees(principal, row) && !await tell(row)) return;
          continue;
        }
        let late = false;
        const timer = deps.clock.setTimer(() => (late = true, changed.resolve()), LOOK_MS);
        await changed.promise;
        timer.cancel();
        changed = Promise.withResolvers();
        // One that fails is made up for by the next.
        if (late && !reader.signal.aborted && !await look().catch(() => true)) return;
      }
    });
  });

  routes.route({
    method: "GET",
    path: "/api/v1/alarms/{id}",
    summary: "One alarm",
    tags: ["alarms"],
    auth: ["alarms:read"],
    params: IdParams,
    responses: {
      200: { description: "The alarm", schema: AlarmView },
      404: { description: "No such alarm" },
    },
  }).handle(async ({ principal, params: { id } }) => ({
    status: 200,
    body: alarmView(await visible(principal, id)),
  }));

  routes.route({
    method: "POST",
    path: "/api/v1/alarms/{id}/acknowledge",
    summary: "Say that somebody sees to an alarm",
    tags: ["alarms"],
    auth: ["alarms:write"],
    params: IdParams,
    body: {
      json: v.strictObject({ note: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(500))), null) }),
      optional: true,
    },
    responses: {
      200: { description: "The alarm", schema: AlarmView },
      404: { description: "No such alarm" },
      409: { description: "Somebody did before" },
    },
  }).handle(async ({ principal, params: { id }, body, changed }) => {
    const before = await visible(principal, id);
    const row = await alarms.acknowledge(id, actorOf(principal), body?.note ?? null);
    if (!row) {
      throw problem(
        409,
        "acknowledged",
        `${before.acknowledged_by ?? "somebody"} has acknowledged it before`,
      );
    }
    changed(alarmView(before), alarmView(row));
    return { status: 200, body: alarmView(row) };
  });

  routes.mount("", alarmRuleRoutes(alarms));
  return routes;
}

function alarmView(row: AlarmRow): v.InferInput<typeof AlarmView> {
  const { id, rule_id: rule, kind, subject, severity, group_name: group, detail, value, note } = row;
  return {
    ...{ id, rule, kind, subject, severity, group, detail, value },
    raisedAt: isoTime(row.raised_at),
    clearedAt: isoTime(row.cleared_at),
    acknowledgedAt: isoTime(row.acknowledged_at),
    acknowledgedBy: row.acknowledged_by,
    note,
  };
}

/** What of an alarm that is raised can change. */
function versionOf({ acknowledged_at, acknowledged_by, note }: AlarmRow): string {
  return JSON.stringify([acknowledged_at, acknowledged_by, note]);
}
