/**
 * What can be wrong with a rollout, or with what somebody wants of it.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/**
 * `state`: not possible as it stands. `empty`: it would reach no gateway. `own`: one's own can't be approved.
 * `plugin`: what it installs is not in the repository, or may not be handed out. `irreversible`: what it did can't be taken back. `stages`: other stages than it has.
 */
export type RolloutErrorCode =
  | "rollout_not_found"
  | "rollout_state"
  | "rollout_empty"
  | "rollout_own"
  | "rollout_plugin"
  | "rollout_irreversible"
  | "rollout_stages";

/** A refusal with its reason. */
export class RolloutError extends GatehouseError<RolloutErrorCode> {
  override readonly name = "RolloutError";
}
