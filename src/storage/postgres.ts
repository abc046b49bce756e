/**
 * The server database: Kysely's PostgreSQL dialect over node-postgres, which is loaded only where it is used.
 *
 * @module
 */
import { type Dialect, PostgresDialect, type PostgresPool } from "kysely";

/** Connections of one process. Everything here is short work: more would only wait inside the server. */
const CONNECTIONS = 10;
/** How long a connection may take to come about, and a statement to end, in milliseconds. */
const CONNECT_MS = 5_000;
const STATEMENT_MS = 15_000;

/** PostgreSQL's number for its type bigint. */
const INT8 = 20;

/** A dialect on the server that `url` names: `postgres://user:password@host:port/database`. */
export function postgresDialect(url: string): Dialect {
  return new PostgresDialect({
    pool: async () => {
      const { default: pg } = await import("pg");
      const pool = new pg.Pool({
        connectionString: url,
        max: CONNECTIONS,
        connectionTimeoutMillis: CONNECT_MS,
        statement_timeout: STATEMENT_MS,
        query_timeout: 2 * STATEMENT_MS,
        idle_in_transaction_session_timeout: STATEMENT_MS,
        keepAlive: true,
        application_name: "gatehouse",
        // Times are milliseconds since 1970 and fit a double: numbers, as SQLite gives them.
        types: {
          getTypeParser: (type: number, format: string) =>
            type === INT8 ? Number : pg.types.getTypeParser(type, format),
        },
      });
      // An idle connection that breaks is taken out of the pool; whoever asks next gets another one.
      pool.on("error", () => {});
      return pool as PostgresPool;
    },
  });
}
