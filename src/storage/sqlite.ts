/**
 * The embedded database: Kysely's SQLite dialect over the runtime's own `node:sqlite`.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Dialect, SqliteDialect, type SqliteStatement } from "kysely";

/** How many prepared statements are kept; the house uses fewer, so that none is prepared twice. */
const STATEMENT_CACHE = 512;

/** What SQLite takes and gives. */
type SqlValue = null | number | bigint | string | Uint8Array;

/**
 * How far a commit goes before it is answered: `normal`, into the system's memory (a power cut may take what was
 * written since the last checkpoint, never the database); `full`, onto the disk.
 */
export type SyncMode = "normal" | "full";

/**
 * A dialect on the database file at `path` (`:memory:` for one that is gone when closed).
 *
 * Write-ahead log: what was committed survives a killed process. Foreign keys are enforced.
 */
export function sqliteDialect(path: string, sync: SyncMode = "normal"): Dialect {
  return new SqliteDialect({
    database: () => {
      const database = new DatabaseSync(path);
      database.exec(
        "pragma journal_mode = wal; pragma foreign_keys = on; " +
          `pragma synchronous = ${sync}; ` +
          "pragma busy_timeout = 5000; pragma temp_store = memory; pragma case_sensitive_like = on",
      );
      const statements = new Map<string, SqliteStatement>();
      return Promise.resolve({
        close: () => database.close(),
        prepare(sql) {
          let statement = statements.get(sql);
          if (!statement) {
            if (statements.size >= STATEMENT_CACHE) statements.delete(statements.keys().next().value!);
            statements.set(sql, statement = adapt(database.prepare(sql)));
          }
          return statement;
        },
      });
    },
  });
}

/** Kysely hands parameters over as one array and asks whether a statement returns rows. */
function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(bindable)),
    run: (parameters) => statement.run(...parameters.map(bindable)),
    iterate: (parameters) => statement.iterate(...parameters.map(bindable)),
  };
}

function bindable(value: unknown): SqlValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  return value === undefined ? null : value as SqlValue;
}
