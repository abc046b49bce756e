/**
 * A rollout's brakes as one text, which says whether somebody has changed them.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { changedMeanwhile } from "../../control/mod.ts";
import type { RolloutRow, RolloutTables, StageRow } from "./schema.ts";

/** All brakes of a rollout, as JSON. */
export function brakesText(row: RolloutRow, stages: readonly StageRow[]): string {
  const { max_in_flight, per_minute, window } = row;
  const thresholds = stages.map((stage) => [stage.success_threshold, stage.error_threshold]);
  return JSON.stringify([max_in_flight, per_minute, window, thresholds]);
}

/** The stages of a rollout, in their order. */
export function stagesOf(db: Kysely<RolloutTables>, id: string): Promise<StageRow[]> {
  return db.selectFrom("rollout_stage").selectAll().where("rollout_id", "=", id).orderBy("no").execute();
}

/**
 * Breaks off a transaction that holds `row` where its brakes are not as `seen`; undefined: whatever they are.
 * @throws {ProblemError} 412 `precondition_failed`
 */
export async function mustBe(
  tx: Kysely<RolloutTables>,
  row: RolloutRow,
  seen: string | undefined,
): Promise<void> {
  if (seen === undefined || brakesText(row, await stagesOf(tx, row.id)) === seen) return;
  throw changedMeanwhile();
}
