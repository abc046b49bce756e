/**
 * What the one search field of an operator finds.
 *
 * @module
 */
import type { Filter } from "./filter.ts";

/**
 * Gateways whose MAC, SN or LOID begins so, or that have exactly this tag. `text` has none of `%`, `_` and `\`. MACs and
 * SNs are found in any letters; LOIDs and tags as they were given.
 */
export function beginning(text: string): Filter {
  const pattern = `${text.toUpperCase()}%`;
  return (eb) =>
    eb.or([
      eb("gateway.mac", "like", pattern),
      eb("gateway.sn", "like", pattern),
      eb("gateway.loid", "like", `${text}%`),
      eb("gateway.mac", "in", eb.selectFrom("gateway_tag").select("gateway_tag.mac").where("tag", "=", text)),
    ]);
}
