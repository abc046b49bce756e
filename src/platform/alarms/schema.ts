/**
 * The tables of alarms and of the rules that raise them.
 *
 * @module
 */
import { sql } from "kysely";
import type { Migrations } from "../../storage/mod.ts";

/**
 * What a rule looks at:
 * - `offline_share`: percent of registered gateways that are offline, of each region or of one group
 * - `registration_failures`: percent of Registers that were refused or failed, since the look before
 * - `queue_age`: seconds that the oldest command has waited for a gateway that is online
 * - `rollout_paused`: 1 for each rollout that paused
 * - `service`: 1 for a service that is degraded, 2 for one that is down
 * - `short_messages`: 1 for each alarm of the short-message service
 * - `webhooks`: 1 for each webhook to which nothing could be delivered for an hour, 2 for one that the platform disabled
 */
export const ALARM_KINDS = [
  "offline_share",
  "registration_failures",
  "queue_age",
  "rollout_paused",
  "service",
  "short_messages",
  "webhooks",
] as const;
/** One of {@linkcode ALARM_KINDS}. */
export type AlarmKind = typeof ALARM_KINDS[number];

/** From the least to the most pressing. */
export const SEVERITIES = ["info", "warning", "critical"] as const;
/** One of {@linkcode SEVERITIES}. */
export type Severity = typeof SEVERITIES[number];

/** A rule. */
export interface AlarmRuleRow {
  id: string;
  kind: AlarmKind;
  description: string;
  enabled: number;
  severity: Severity;
  /** Raised where the value is at least this for `hold_ms`, cleared where it is below `clear_below` for as long. */
  raise_at: number;
  clear_below: number;
  hold_ms: number;
  /** How many gateways or Registers make a share. */
  least: number;
  /** The group that it is about; null: all gateways. */
  group_name: string | null;
  updated_at: number;
  updated_by: string;
}

/** An alarm: one that is raised, or that was. */
export interface AlarmRow {
  /** Sorts by time. */
  id: string;
  rule_id: string;
  kind: AlarmKind;
  /** What it is about: a region, a rollout's id, a service, a node; "" where there is only one such thing. */
  subject: string;
  severity: Severity;
  group_name: string | null;
  /** One sentence for people, as of when it was raised. */
  detail: string;
  value: number;
  raised_at: number;
  cleared_at: number | null;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  note: string | null;
}

/** The tables of this part. */
export type AlarmTables = {
  alarm_rule: AlarmRuleRow;
  alarm: AlarmRow;
};

const MINUTE = 60_000;

/** The rules that a new platform begins with; operators change and remove them. */
const FIRST_RULES: readonly Omit<AlarmRuleRow, "updated_at" | "updated_by" | "enabled" | "group_name">[] = [
  {
    id: "region-offline",
    kind: "offline_share",
    description: "Many gateways of a region are offline",
    severity: "critical",
    raise_at: 20,
    clear_below: 10,
    hold_ms: 2 * MINUTE,
    least: 20,
  },
  {
    id: "registrations-fail",
    kind: "registration_failures",
    description: "Many registrations fail",
    severity: "warning",
    raise_at: 20,
    clear_below: 5,
    hold_ms: 2 * MINUTE,
    least: 20,
  },
  {
    id: "commands-wait",
    kind: "queue_age",
    description: "A command waits although its gateway is online",
    severity: "warning",
    raise_at: 120,
    clear_below: 60,
    hold_ms: 0,
    least: 1,
  },
  {
    id: "rollout-paused",
    kind: "rollout_paused",
    description: "A rollout has paused",
    severity: "warning",
    raise_at: 1,
    clear_below: 1,
    hold_ms: 0,
    least: 1,
  },
  {
    id: "service-degraded",
    kind: "service",
    description: "A service of the platform is degraded or down",
    severity: "critical",
    raise_at: 1,
    clear_below: 1,
    hold_ms: MINUTE / 2,
    least: 1,
  },
  {
    id: "short-messages",
    kind: "short_messages",
    description: "The short-message service complains",
    severity: "warning",
    raise_at: 1,
    clear_below: 1,
    hold_ms: 0,
    least: 1,
  },
];

/** Makes the tables of {@linkcode AlarmTables}, with the first rules. */
export const alarmMigrations: Migrations = {
  "2026-11-23-zz-alarms": {
    async up(db) {
      await db.schema.createTable("alarm_rule")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("description", "text", (c) => c.notNull())
        .addColumn("enabled", "integer", (c) => c.notNull())
        .addColumn("severity", "text", (c) => c.notNull())
        .addColumn("raise_at", "double precision", (c) => c.notNull())
        .addColumn("clear_below", "double precision", (c) => c.notNull())
        .addColumn("hold_ms", "bigint", (c) => c.notNull())
        .addColumn("least", "integer", (c) => c.notNull())
        .addColumn("group_name", "text")
        .addColumn("updated_at", "bigint", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .execute();
      await db.schema.createTable("alarm")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("rule_id", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("subject", "text", (c) => c.notNull())
        .addColumn("severity", "text", (c) => c.notNull())
        .addColumn("group_name", "text")
        .addColumn("detail", "text", (c) => c.notNull())
        .addColumn("value", "double precision", (c) => c.notNull())
        .addColumn("raised_at", "bigint", (c) => c.notNull())
        .addColumn("cleared_at", "bigint")
        .addColumn("acknowledged_at", "bigint")
        .addColumn("acknowledged_by", "text").addColumn("note", "text")
        .execute();
      // However many nodes look: one thing is raised once.
      await db.schema.createIndex("alarm_raised").unique().on("alarm").columns(["rule_id", "subject"])
        .where(sql.ref("cleared_at"), "is", null).execute();
      await db.schema.createIndex("alarm_cleared").on("alarm").column("cleared_at").execute();
      const rows = FIRST_RULES.map((rule) => ({
        ...rule,
        enabled: 1,
        group_name: null,
        updated_at: 0,
        updated_by: "",
      }));
      await db.insertInto("alarm_rule").values(rows).execute();
    },
  },
  "2026-11-29-a-webhook-alarms": {
    async up(db) {
      const rule: AlarmRuleRow = {
        id: "webhook-fails",
        kind: "webhooks",
        description: "A webhook's receiver takes nothing, or the webhook was disabled for that",
        ...{ enabled: 1, severity: "warning", raise_at: 1, clear_below: 1, hold_ms: 0, least: 1 },
        ...{ group_name: null, updated_at: 0, updated_by: "" },
      };
      // An operator's own rule of that name stays.
      await db.insertInto("alarm_rule").values(rule).onConflict((c) => c.doNothing()).execute();
    },
  },
};
