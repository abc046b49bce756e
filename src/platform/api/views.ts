/**
 * How rows look over HTTP: the schemas of the answers, and how to make them.
 *
 * @module
 */
import * as v from "valibot";
import { isoTime, timeSchema } from "../../control/mod.ts";
import type { Vouched } from "../plugins/mod.ts";
import type { CommandRow, GatewayRow, PluginRow, Presence } from "../registry/mod.ts";

const maybe = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);
const json = v.record(v.string(), v.unknown());

/** A gateway as operators see it. Its DevRND is a secret and not in it. */
export const GatewayView = v.object({
  mac: v.string(),
  sn: v.string(),
  loid: v.string(),
  vendor: maybe(v.string()),
  model: maybe(v.string()),
  region: maybe(v.string()),
  online: v.boolean(),
  /** The source of its UDP packets. */
  address: maybe(v.string()),
  wanIp: maybe(v.string()),
  firmware: maybe(v.string()),
  hardware: maybe(v.string()),
  osVersion: maybe(v.string()),
  appVersion: maybe(v.string()),
  card: maybe(v.string()),
  pinnedOperations: maybe(v.string()),
  renew: v.boolean(),
  tags: v.array(v.string()),
  registeredAt: maybe(timeSchema),
  lastSeenAt: maybe(timeSchema),
  createdAt: timeSchema,
  updatedAt: timeSchema,
});

/** A row, with what presence knows better. `monotonic` and `now` are the clock's. */
export function gatewayView(
  row: GatewayRow,
  presence: Presence | undefined,
  clock: { now(): number; monotonic(): number },
  tags: readonly string[],
): v.InferInput<typeof GatewayView> {
  const heard = presence !== undefined && presence.lastSeen !== -Infinity;
  return {
    mac: row.mac,
    sn: row.sn,
    loid: row.loid,
    vendor: row.vendor,
    model: row.model,
    region: row.region,
    online: presence?.online ?? false,
    address: heard ? `${presence.hostname}:${presence.port}` : row.address,
    wanIp: row.wan_ip,
    firmware: row.firmware,
    hardware: row.hardware,
    osVersion: row.os_version,
    appVersion: row.app_version,
    card: row.card,
    pinnedOperations: row.pinned_operations,
    renew: row.renew === 1,
    tags: [...tags],
    registeredAt: isoTime(row.registered_at),
    lastSeenAt: isoTime(heard ? clock.now() - (clock.monotonic() - presence.lastSeen) : row.last_seen_at),
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
  };
}

/** A command, exactly as far as it is. */
export const CommandView = v.object({
  id: v.string(),
  mac: v.string(),
  kind: v.picklist([
    "post",
    "install",
    "uninstall",
    "run",
    "stop",
    "list",
    "factory",
    "configure",
    "redistribute",
  ]),
  plugin: v.string(),
  version: v.string(),
  parameter: json,
  actor: v.string(),
  status: v.picklist(["queued", "sent", "acked", "succeeded", "failed", "timed_out", "cancelled"]),
  /** The gateway's outer Result. */
  result: maybe(v.number()),
  /** The decoded inner reply. */
  reply: maybe(json),
  error: maybe(v.object({ code: v.string(), message: v.string() })),
  progress: maybe(v.number()),
  attempt: v.number(),
  /** It may run beside other posts that say so. Everything else has its gateway for itself. */
  concurrent: v.boolean(),
  /** Doing it twice is doing it once: it is sent again where its answer was lost. Others are sent at most once. */
  repeatable: v.boolean(),
  maxAttempts: v.number(),
  retryDelayMs: maybe(v.number()),
  /** It has ended, and nobody can say whether the gateway has done it. */
  outcomeUnknown: v.boolean(),
  createdAt: timeSchema,
  deadlineAt: timeSchema,
  sentAt: maybe(timeSchema),
  ackedAt: maybe(timeSchema),
  finishedAt: maybe(timeSchema),
});

/** {@linkcode CommandView} of a row. */
export function commandView(row: CommandRow): v.InferInput<typeof CommandView> {
  return {
    id: row.id,
    mac: row.mac,
    kind: row.kind,
    plugin: row.plugin,
    version: row.version,
    parameter: JSON.parse(row.parameter),
    actor: row.actor,
    status: row.status,
    result: row.result,
    reply: row.reply === null ? null : JSON.parse(row.reply),
    error: row.error_code === null ? null : { code: row.error_code, message: row.error ?? "" },
    progress: row.progress,
    attempt: row.attempt,
    concurrent: row.exclusive === 0,
    repeatable: row.repeatable === 1,
    maxAttempts: row.max_attempts,
    retryDelayMs: row.retry_delay_ms,
    outcomeUnknown: row.error_code === "outcome_unknown" || row.error_code === "no_answer",
    createdAt: isoTime(row.created_at),
    deadlineAt: isoTime(row.deadline_at),
    sentAt: isoTime(row.sent_at),
    ackedAt: isoTime(row.acked_at),
    finishedAt: isoTime(row.finished_at),
  };
}

/** A plug-in in the repository. */
export const PluginView = v.object({
  name: v.string(),
  version: v.string(),
  size: v.number(),
  sha256: v.string(),
  manifest: json,
  format: v.picklist(["script", "package"]),
  /** Ids of the keys that signed it, trusted or not. */
  signedBy: v.array(v.string()),
  /** Who of the platform's trusted keys vouches for it now; "refused": it is not handed out, for that reason. */
  trust: v.object({
    tier: v.picklist(["carrier", "vendor", "community", "unsigned", "refused"]),
    key: maybe(v.string()),
    reason: maybe(v.string()),
  }),
  /** null: offered to whoever asks for this very version. */
  channel: maybe(v.picklist(["stable", "beta"])),
  channelAt: timeSchema,
  channelBy: v.string(),
  notes: v.string(),
  uploadedAt: timeSchema,
  uploadedBy: v.string(),
});

/** {@linkcode PluginView} of a row. */
export function pluginView(row: PluginRow, trust: Vouched): v.InferInput<typeof PluginView> {
  return {
    name: row.name,
    version: row.version,
    size: row.size,
    sha256: row.sha256,
    manifest: JSON.parse(row.manifest),
    format: row.format,
    signedBy: JSON.parse(row.signed_by),
    trust,
    channel: row.channel,
    channelAt: isoTime(row.channel_at),
    channelBy: row.channel_by,
    notes: row.notes,
    uploadedAt: isoTime(row.uploaded_at),
    uploadedBy: row.uploaded_by,
  };
}
