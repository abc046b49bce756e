/**
 * What can be wrong with a rollout, or with what somebody wants of it.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/** `state`: not possible as it stands. `empty`: it would reach no gateway. `own`: one's own can't be approved. */
export type RolloutErrorCode = "rollout_not_found" | "rollout_state" | "rollout_empty" | "rollout_own";

/** A refusal with its reason. */
export class RolloutError extends GatehouseError<RolloutErrorCode> {
  override readonly name = "RolloutError";
}
