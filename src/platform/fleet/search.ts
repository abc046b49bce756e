/**
 * What the one search field of an operator finds.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";
import type { Filter } from "./filter.ts";
import type { FleetTables } from "./schema.ts";

/** Gateways that are named one by one; where more are found, they are looked for among all, and soon met. */
const NAMED = 2000;

/**
 * Gateways whose MAC, SN or LOID begins so, or that have exactly this tag. `text` has none of `%`, `_` and `\`. MACs and
 * SNs are found in any letters; LOIDs and tags as they were given.
 */
export async function beginning(db: Kysely<FleetTables>, text: string): Promise<Filter> {
  const pattern = `${text.toUpperCase()}%`, own = `${text}%`;
  // One look into each index: conditions with "or" between them would be held against every row.
  const looks = await Promise.all([
    db.selectFrom("gateway").select("mac").where("mac", "like", pattern).limit(NAMED + 1).execute(),
    db.selectFrom("gateway").select("mac").where("sn", "like", pattern).limit(NAMED + 1).execute(),
    db.selectFrom("gateway").select("mac").where("loid", "like", own).limit(NAMED + 1).execute(),
    db.selectFrom("gateway_tag").select("mac").where("tag", "=", text).limit(NAMED + 1).execute(),
  ]);
  const macs = new Set(looks.flat().map(({ mac }) => mac));
  if (macs.size <= NAMED) return (eb) => eb("gateway.mac", "in", macs.size > 0 ? [...macs] : [""]);
  // No index serves these, on purpose: going by MAC from where the page begins, the next ones are soon found.
  const plain = (column: "mac" | "sn" | "loid") => sql<string>`${sql.ref(`gateway.${column}`)} || ''`;
  return (eb) =>
    eb.or([
      eb(plain("mac"), "like", pattern),
      eb(plain("sn"), "like", pattern),
      eb(plain("loid"), "like", own),
      eb("gateway.mac", "in", eb.selectFrom("gateway_tag").select("gateway_tag.mac").where("tag", "=", text)),
    ]);
}
