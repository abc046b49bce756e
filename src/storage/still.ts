/**
 * Changes that are made only while a row is as it was seen.
 *
 * @module
 */
import { type RawBuilder, sql, type SqlBool } from "kysely";

/**
 * A condition for `where`: every column in `was` still has that value; always true where nothing is given. In one
 * statement with the change it makes that change atomic.
 */
export function stillIs(was: Readonly<Record<string, unknown>> | undefined): RawBuilder<SqlBool> {
  const conditions = Object.entries(was ?? {})
    .map(([column, value]) => sql`${sql.ref(column)} is not distinct from ${value}`);
  return conditions.length === 0 ? sql<SqlBool>`1 = 1` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}
