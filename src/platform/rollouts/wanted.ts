/**
 * What is asked of rollouts' rows: stages, gateways, brakes.
 *
 * @module
 */
import type { RolloutRow } from "./schema.ts";

/** A part of a rollout's gateways, as it is asked for. */
export interface NewStage {
  readonly name: string;
  /** Percent of all gateways; the last stage takes what is left. */
  readonly percent: number;
  readonly successThreshold: number;
  readonly errorThreshold: number;
}

/** One gateway of a new rollout, with what is to be done on it where that is not the rollout's. */
export interface NewItem {
  readonly mac: string;
  readonly kind?: RolloutRow["kind"];
  readonly version?: string;
  /** JSON. */
  readonly parameter?: string;
  /** Why nothing is to be done on it. */
  readonly skip?: string;
}

/** Brakes of a rollout, as far as they are to be others. */
export type NewBrakes = Partial<Pick<RolloutRow, "max_in_flight" | "per_minute" | "window">> & {
  /** By the stage's number. */
  readonly stages?: readonly {
    readonly successThreshold?: number | undefined;
    readonly errorThreshold?: number | undefined;
  }[];
};

/** What is known of a rollout before it is made. */
export type NewRolloutRow = Omit<
  RolloutRow,
  | "id"
  | "created_at"
  | "stage"
  | "status"
  | "reason"
  | "started_at"
  | "finished_at"
  | "approved_at"
  | "approved_by"
>;
