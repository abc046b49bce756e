/**
 * `/api/v1/alarms` and `/api/v1/alarm-rules`.
 *
 * @module
 */
import * as v from "valibot";
import type { Clock, Metrics } from "../../base/mod.ts";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  decodeCursor,
  etagOf,
  EventStreams,
  ifAbsent,
  ifMatch,
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
import { ALARM_KINDS, type AlarmRow, type AlarmRuleRow, SEVERITIES } from "./schema.ts";

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
const mark = v.pipe(v.number(), v.minValue(0), v.maxValue(1e9));
const Rule = v.pipe(
  v.strictObject({
    kind: v.picklist(ALARM_KINDS),
    description: v.optional(v.pipe(v.string(), v.maxLength(500)), ""),
    enabled: v.optional(v.boolean(), true),
    severity: v.picklist(SEVERITIES),
    /** Raised where the value is at least this for `holdSeconds`. */
    raiseAt: mark,
    /** Cleared where it is below this for as long. */
    clearBelow: mark,
    holdSeconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400)),
    /** How many gateways or Registers make a share. */
    least: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)), 1),
    /** For `offline_share` and `queue_age`: the group that it is about. */
    group: v.optional(v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(64))), null),
  }),
  v.forward(v.check((rule) => rule.clearBelow <= rule.raiseAt, "at most raiseAt"), ["clearBelow"]),
  v.forward(
    v.check(
      ({ group, kind }) => group === null || kind === "offline_share" || kind === "queue_age",
      "only for offline_share and queue_age",
    ),
    ["group"],
  ),
);
const RuleView = v.object({
  id: v.string(),
  kind: v.picklist(ALARM_KINDS),
  description: v.string(),
  enabled: v.boolean(),
  severity: v.picklist(SEVERITIES),
  raiseAt: v.number(),
  clearBelow: v.number(),
  holdSeconds: v.number(),
  least: v.number(),
  group: v.nullable(v.string()),
  updatedAt: timeSchema,
  updatedBy: v.string(),
});
const IdParams = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });
const RuleParams = v.object({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "1 to 64 of a-z 0-9 . _ -")),
});
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
  const free = (principal: Principal) => {
    if (principal.groups) {
      throw problem(403, "confined", "you are confined to groups and may not change the rules of all");
    }
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

  routes.route({
    method: "GET",
    path: "/api/v1/alarm-rules",
    summary: "The rules that raise alarms",
    tags: ["alarms"],
    auth: ["alarms:read"],
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(RuleView) }) } },
  }).handle(async () => ({ status: 200, body: { items: (await alarms.rules()).map(ruleView) } }));

  routes.route({
    method: "GET",
    path: "/api/v1/alarm-rules/{id}",
    summary: "One rule",
    tags: ["alarms"],
    auth: ["alarms:read"],
    params: RuleParams,
    etag: true,
    responses: {
      200: { description: "The rule", schema: RuleView },
      404: { description: "No such rule" },
    },
  }).handle(async ({ params: { id }, request }) => {
    const row = await alarms.rule(id);
    if (!row) throw problem(404, "rule_not_found", `there is no rule "${id}"`);
    return answerWith(request, etagOf(edited(row), ruleView(row)), ruleView(row));
  });

  routes.route({
    method: "PUT",
    path: "/api/v1/alarm-rules/{id}",
    summary: "Make or change a rule",
    description:
      "Where it is about something else than before, or is switched off, what it had raised is cleared. " +
      "`If-None-Match: *` only makes one.",
    tags: ["alarms"],
    auth: ["alarms:write"],
    params: RuleParams,
    body: { json: Rule },
    etag: true,
    responses: {
      200: { description: "The rule", schema: RuleView },
      403: { description: "For those who may see all gateways" },
    },
  }).handle(async ({ principal, params: { id }, body, request, changed }) => {
    free(principal);
    const before = await alarms.rule(id), was = before && edited(before);
    const only = ifAbsent(request) ? "absent" : ifMatch(request, was) ? was : undefined;
    const { raiseAt, clearBelow, holdSeconds, enabled, group, ...plain } = body;
    const row = await alarms.setRule({
      ...plain,
      id,
      enabled: enabled ? 1 : 0,
      raise_at: raiseAt,
      clear_below: clearBelow,
      hold_ms: holdSeconds * 1000,
      group_name: group,
      updated_by: actorOf(principal),
    }, only);
    if (!row) throw changedMeanwhile();
    changed(before && ruleView(before), ruleView(row));
    return { status: 200, body: ruleView(row), headers: { etag: etagOf(edited(row), ruleView(row)) } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/alarm-rules/{id}",
    summary: "Remove a rule, and clear what it had raised",
    tags: ["alarms"],
    auth: ["alarms:write"],
    params: RuleParams,
    etag: true,
    responses: {
      204: { description: "Removed" },
      403: { description: "For those who may see all gateways" },
      404: { description: "No such rule" },
    },
  }).handle(async ({ principal, params: { id }, request, changed }) => {
    free(principal);
    const before = await alarms.rule(id);
    const was = before && ifMatch(request, edited(before)) ? edited(before) : undefined;
    if (!before || !await alarms.removeRule(id, was)) {
      if (was && await alarms.rule(id)) throw changedMeanwhile();
      throw problem(404, "rule_not_found", `there is no rule "${id}"`);
    }
    changed(ruleView(before), undefined);
    return { status: 204 };
  });
  return routes;
}

/** What can be changed of a rule. */
function edited(row: AlarmRuleRow) {
  const { id, kind, description, enabled, severity, raise_at, clear_below, hold_ms, least, group_name } = row;
  return { id, kind, description, enabled, severity, raise_at, clear_below, hold_ms, least, group_name };
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

function ruleView(row: AlarmRuleRow): v.InferInput<typeof RuleView> {
  const { id, kind, description, severity, least, group_name: group } = row;
  return {
    ...{ id, kind, description, severity, least, group },
    enabled: row.enabled === 1,
    raiseAt: row.raise_at,
    clearBelow: row.clear_below,
    holdSeconds: row.hold_ms / 1000,
    updatedAt: isoTime(row.updated_at),
    updatedBy: row.updated_by,
  };
}

/** What of an alarm that is raised can change. */
function versionOf({ acknowledged_at, acknowledged_by, note }: AlarmRow): string {
  return JSON.stringify([acknowledged_at, acknowledged_by, note]);
}
