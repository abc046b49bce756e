/**
 * How rollouts look over HTTP.
 *
 * @module
 */
import * as v from "valibot";
import type { ItemRow, RolloutRow, StageRow } from "./schema.ts";
import type { Counts } from "./store.ts";
import { isoTime, timeSchema } from "../../control/mod.ts";

const CountsView = v.object({
  waiting: v.number(),
  issued: v.number(),
  succeeded: v.number(),
  failed: v.number(),
  skipped: v.number(),
});

/** A rollout and how far it is. */
export const RolloutView = v.object({
  id: v.string(),
  name: v.string(),
  description: v.string(),
  kind: v.picklist(["install", "uninstall", "configure", "post", "redistribute"]),
  plugin: v.string(),
  version: v.string(),
  parameter: v.record(v.string(), v.unknown()),
  filter: v.nullable(v.string()),
  group: v.nullable(v.string()),
  status: v.picklist(["draft", "approval", "scheduled", "running", "paused", "finished", "aborted"]),
  reason: v.nullable(v.string()),
  /** The stage under way, from 0. */
  stage: v.number(),
  stages: v.array(v.object({
    name: v.string(),
    total: v.number(),
    successThreshold: v.number(),
    errorThreshold: v.number(),
    counts: CountsView,
  })),
  total: v.number(),
  counts: CountsView,
  maxInFlight: v.number(),
  perMinute: v.number(),
  commandTimeoutMs: v.number(),
  maxAttempts: v.number(),
  window: v.nullable(v.object({
    days: v.array(v.number()),
    from: v.string(),
    to: v.string(),
    utcOffsetMinutes: v.number(),
  })),
  needsApproval: v.boolean(),
  approvedAt: v.nullable(timeSchema),
  approvedBy: v.nullable(v.string()),
  startAt: v.nullable(timeSchema),
  createdAt: timeSchema,
  createdBy: v.string(),
  startedAt: v.nullable(timeSchema),
  finishedAt: v.nullable(timeSchema),
  /** The rollout that this one takes back. */
  reverts: v.nullable(v.string()),
});

/** One gateway of a rollout. */
export const ItemView = v.object({
  mac: v.string(),
  stage: v.number(),
  status: v.picklist(["waiting", "issued", "succeeded", "failed", "skipped"]),
  commandId: v.nullable(v.string()),
  attempt: v.number(),
  error: v.nullable(v.object({ code: v.string(), message: v.string() })),
  /** The plug-in's version before; `""`: it was not there; null: that is not known. */
  previousVersion: v.nullable(v.string()),
  finishedAt: v.nullable(timeSchema),
});

const NONE: Counts = { waiting: 0, issued: 0, succeeded: 0, failed: 0, skipped: 0 };

/** {@linkcode RolloutView} of a row. */
export function rolloutView(
  row: RolloutRow,
  stages: readonly StageRow[],
  counts: ReadonlyMap<number, Counts>,
): v.InferOutput<typeof RolloutView> {
  const sum = { ...NONE } as { -readonly [K in keyof Counts]: number };
  for (const stage of counts.values()) {
    for (const status of Object.keys(NONE) as (keyof Counts)[]) sum[status] += stage[status];
  }
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    kind: row.kind,
    plugin: row.plugin,
    version: row.version,
    parameter: JSON.parse(row.parameter),
    filter: row.filter,
    group: row.group_name,
    status: row.status,
    reason: row.reason,
    stage: row.stage,
    stages: stages.map(({ no, name, total, success_threshold, error_threshold }) => ({
      name,
      total,
      successThreshold: success_threshold,
      errorThreshold: error_threshold,
      counts: { ...(counts.get(no) ?? NONE) },
    })),
    total: stages.reduce((all, { total }) => all + total, 0),
    counts: sum,
    maxInFlight: row.max_in_flight,
    perMinute: row.per_minute,
    commandTimeoutMs: row.command_timeout_ms,
    maxAttempts: row.max_attempts,
    window: row.window === null ? null : JSON.parse(row.window),
    needsApproval: row.needs_approval === 1,
    approvedAt: isoTime(row.approved_at),
    approvedBy: row.approved_by,
    startAt: isoTime(row.start_at),
    createdAt: isoTime(row.created_at),
    createdBy: row.created_by,
    startedAt: isoTime(row.started_at),
    finishedAt: isoTime(row.finished_at),
    reverts: row.reverts,
  };
}

/** {@linkcode ItemView} of a row. */
export function itemView(row: ItemRow): v.InferOutput<typeof ItemView> {
  return {
    mac: row.mac,
    stage: row.stage,
    status: row.status,
    commandId: row.command_id,
    attempt: row.attempt,
    error: row.error_code === null && row.error === null
      ? null
      : { code: row.error_code ?? row.status, message: row.error ?? "" },
    previousVersion: row.previous_version,
    finishedAt: isoTime(row.finished_at),
  };
}
