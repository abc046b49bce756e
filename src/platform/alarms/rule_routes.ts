/**
 * `/api/v1/alarm-rules`.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  etagOf,
  ifAbsent,
  ifMatch,
  isoTime,
  type Principal,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { Alarms } from "./alarms.ts";
import { ALARM_KINDS, type AlarmRuleRow, SEVERITIES } from "./schema.ts";

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
const RuleParams = v.object({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "1 to 64 of a-z 0-9 . _ -")),
});

/** The routes. Whoever is confined to groups changes no rule. */
export function alarmRuleRoutes(alarms: Pick<Alarms, "rules" | "rule" | "setRule" | "removeRule">): Routes {
  const routes = new Routes();
  const free = (principal: Principal) => {
    if (principal.groups) {
      throw problem(403, "confined", "you are confined to groups and may not change the rules of all");
    }
  };

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
