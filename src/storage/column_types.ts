/**
 * Column types whose names differ between the databases.
 *
 * @module
 */
import { type Kysely, PostgresAdapter, sql } from "kysely";

/** The type of a column of raw bytes, for a migration on `db`. */
export function binaryType(db: Kysely<unknown>) {
  return db.getExecutor().adapter instanceof PostgresAdapter ? sql`bytea` : sql`blob`;
}
