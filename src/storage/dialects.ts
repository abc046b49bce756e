/**
 * Where the two databases differ, as far as those who use them have to know.
 *
 * @module
 */
import { type Kysely, PostgresAdapter, sql } from "kysely";

/** Whether `db` is the server database: each statement is a way there and back, and it has types of its own. */
// deno-lint-ignore no-explicit-any -- its tables are of no matter
export function onServer(db: Kysely<any>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** The type of a column of raw bytes, for a migration on `db`. */
export function binaryType(db: Kysely<unknown>) {
  return onServer(db) ? sql`bytea` : sql`blob`;
}
