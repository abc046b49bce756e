/**
 * The tables of rollouts.
 *
 * @module
 */
import type { Migrations } from "../../storage/mod.ts";
import type { FleetTables } from "../fleet/mod.ts";

/** What a rollout does on each gateway. */
export type RolloutKind = "install" | "uninstall" | "configure" | "post" | "redistribute";

/**
 * Where a rollout stands. `approval`: somebody else than its maker has to approve it. `scheduled`: it begins by
 * itself. The last two are final.
 */
export type RolloutStatus =
  | "draft"
  | "approval"
  | "scheduled"
  | "running"
  | "paused"
  | "finished"
  | "aborted";

/** One rollout. */
export interface RolloutRow {
  id: string;
  name: string;
  description: string;
  kind: RolloutKind;
  plugin: string;
  version: string;
  /** JSON. */
  parameter: string;
  /** How its gateways were chosen, for people: they were looked up when it was made. */
  filter: string | null;
  group_name: string | null;
  status: RolloutStatus;
  /** Why it is paused or aborted. */
  reason: string | null;
  /** Number of the stage that is under way, from 0. */
  stage: number;
  max_in_flight: number;
  per_minute: number;
  command_timeout_ms: number;
  max_attempts: number;
  /** JSON of {@linkcode Window}, or null. */
  window: string | null;
  needs_approval: number;
  approved_at: number | null;
  approved_by: string | null;
  start_at: number | null;
  created_at: number;
  created_by: string;
  started_at: number | null;
  finished_at: number | null;
  /** The rollout that this one takes back. */
  reverts: string | null;
}

/** A part of a rollout's gateways, which has to go well before the next part begins. */
export interface StageRow {
  rollout_id: string;
  no: number;
  name: string;
  total: number;
  /** Percent of its gateways that have to succeed before the next stage begins. */
  success_threshold: number;
  /** Percent of its gateways that may fail; one more and the rollout pauses. */
  error_threshold: number;
}

/** Where one gateway stands in a rollout. */
export type ItemStatus = "waiting" | "issued" | "succeeded" | "failed" | "skipped";

/** One gateway of a rollout. */
export interface ItemRow {
  rollout_id: string;
  mac: string;
  stage: number;
  /** Its place within the rollout. */
  place: number;
  status: ItemStatus;
  /** Chosen and kept before the command is made: whatever is cut off, it is made once. */
  command_id: string | null;
  attempt: number;
  error_code: string | null;
  error: string | null;
  /** Other than the rollout's, for rollouts that take another one back; null: the rollout's. */
  kind: RolloutKind | null;
  version: string | null;
  /** JSON. */
  parameter: string | null;
  /** The plug-in's version before; `""`: it was not there; null: that is not known. */
  previous_version: string | null;
  /** The parameters before that are written, as JSON of names and values; null: they were not asked for. */
  previous_parameter: string | null;
  finished_at: number | null;
}

/** The tables of this part. */
export type OwnTables = { rollout: RolloutRow; rollout_stage: StageRow; rollout_item: ItemRow };

/** All that this part sees. */
export type RolloutTables = FleetTables & OwnTables;

/** Makes the tables of {@linkcode OwnTables}. */
export const rolloutMigrations: Migrations = {
  "2026-11-23-the-rollouts": {
    async up(db) {
      await db.schema.createTable("rollout")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("description", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("plugin", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("parameter", "text", (c) => c.notNull())
        .addColumn("filter", "text").addColumn("group_name", "text")
        .addColumn("status", "text", (c) => c.notNull())
        .addColumn("reason", "text")
        .addColumn("stage", "integer", (c) => c.notNull())
        .addColumn("max_in_flight", "integer", (c) => c.notNull())
        .addColumn("per_minute", "integer", (c) => c.notNull())
        .addColumn("command_timeout_ms", "bigint", (c) => c.notNull())
        .addColumn("max_attempts", "integer", (c) => c.notNull())
        .addColumn("window", "text")
        .addColumn("needs_approval", "integer", (c) => c.notNull())
        .addColumn("approved_at", "bigint").addColumn("approved_by", "text")
        .addColumn("start_at", "bigint")
        .addColumn("created_at", "bigint", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("started_at", "bigint").addColumn("finished_at", "bigint")
        .addColumn("reverts", "text")
        .execute();
      await db.schema.createIndex("rollout_status").on("rollout").column("status").execute();
      await db.schema.createTable("rollout_stage")
        .addColumn("rollout_id", "text", (c) => c.notNull().references("rollout.id").onDelete("cascade"))
        .addColumn("no", "integer", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("total", "integer", (c) => c.notNull())
        .addColumn("success_threshold", "integer", (c) => c.notNull())
        .addColumn("error_threshold", "integer", (c) => c.notNull())
        .addPrimaryKeyConstraint("rollout_stage_pk", ["rollout_id", "no"]).execute();
      await db.schema.createTable("rollout_item")
        .addColumn("rollout_id", "text", (c) => c.notNull().references("rollout.id").onDelete("cascade"))
        .addColumn("mac", "text", (c) => c.notNull())
        .addColumn("stage", "integer", (c) => c.notNull())
        .addColumn("place", "integer", (c) => c.notNull())
        .addColumn("status", "text", (c) => c.notNull())
        .addColumn("command_id", "text")
        .addColumn("attempt", "integer", (c) => c.notNull())
        .addColumn("error_code", "text").addColumn("error", "text")
        .addColumn("kind", "text").addColumn("version", "text").addColumn("previous_version", "text")
        .addColumn("finished_at", "bigint")
        .addPrimaryKeyConstraint("rollout_item_pk", ["rollout_id", "mac"]).execute();
      await db.schema.createIndex("rollout_item_next").on("rollout_item")
        .columns(["rollout_id", "stage", "status", "place"]).execute();
      await db.schema.createIndex("rollout_item_mac").on("rollout_item").column("mac").execute();
    },
  },
  "2026-11-29-rollouts-what-was-before": {
    async up(db) {
      await db.schema.alterTable("rollout_item").addColumn("parameter", "text").execute();
      await db.schema.alterTable("rollout_item").addColumn("previous_parameter", "text").execute();
      // Pages of gateways go by place.
      await db.schema.createIndex("rollout_item_place").on("rollout_item").columns(["rollout_id", "place"])
        .execute();
    },
  },
};
