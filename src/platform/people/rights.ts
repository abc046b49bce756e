/**
 * Whether somebody may give rights to somebody else.
 *
 * @module
 */
import type { Principal } from "../../control/mod.ts";

/** What of these rights goes beyond what `principal` may; undefined: nothing does. */
export function beyondRights(
  principal: Principal,
  permissions: readonly string[],
  groups: readonly string[] | null,
): string | undefined {
  const more = permissions.filter((permission) => !principal.permissions.includes(permission));
  if (more.length > 0) return more.join(", ");
  const own = principal.groups;
  return own && (groups === null || groups.some((group) => !own.includes(group)))
    ? "other groups"
    : undefined;
}
