/**
 * What is told of a rollout that came to a status.
 *
 * @module
 */
import type { PlatformEvents } from "../subjects.ts";
import type { RolloutRow } from "./schema.ts";

/** What is told of a rollout that was made, or has another status. */
export function movedOf(
  { id, name, status, reason, created_by: by }: RolloutRow,
): PlatformEvents["rollout.moved"] {
  return { id, name, status, reason, by };
}
