/**
 * The server database: Kysely's PostgreSQL dialect over node-postgres, which is loaded only where it is used.
 *
 * @module
 */
import { type Dialect, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";

/** Connections of one process. Everything here is short work: more would only wait inside the server. */
const CONNECTIONS = 10;
/** How long a connection may take to come about, and a statement to end, in milliseconds. */
const CONNECT_MS = 5_000;
const STATEMENT_MS = 15_000;
/** How long the server's word is waited for beyond that: then it, or the way to it, stands still. */
const GRACE_MS = 2_000;
/** How long connections in use get when the program ends. */
const END_MS = 3_000;

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
        query_timeout: STATEMENT_MS + GRACE_MS,
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
      // The same for one in use: its statement fails, which is enough.
      pool.on(
        "connect",
        (client: { on(event: "error", listener: () => void): void }) => client.on("error", () => {}),
      );
      return careful(pool);
    },
  });
}

/** What node-postgres' clients have beside what Kysely asks of them. */
interface Client extends PostgresPoolClient {
  end(): Promise<void>;
}

/**
 * A pool that keeps no connection on which a statement was given up: its answer is still due, so that whatever is
 * asked behind it would only wait for it, for as long as the server or the network stands still.
 */
function careful(pool: PostgresPool): PostgresPool {
  const known = new WeakMap<PostgresPoolClient, PostgresPoolClient>(), out = new Set<Client>();
  const around = (client: Client): PostgresPoolClient => {
    let lost: unknown;
    const query = async (sql: string, parameters: readonly unknown[]) => {
      if (lost !== undefined) throw lost; // also the rollback: the server does that when the connection is gone
      try {
        return await client.query(sql, parameters);
      } catch (error) {
        if (!isAnswer(error)) lost = error;
        throw error;
      }
    };
    return {
      query: query as PostgresPoolClient["query"],
      get processID() {
        return client.processID!;
      },
      release(discard?: boolean) {
        out.delete(client);
        client.release(discard || lost !== undefined);
      },
    } as PostgresPoolClient;
  };
  return {
    ...("options" in pool ? { options: pool.options } : {}),
    async connect() {
      const client = await pool.connect() as Client;
      out.add(client);
      let shown = known.get(client);
      if (!shown) known.set(client, shown = around(client));
      return shown;
    },
    async end() {
      // A connection in the middle of a statement is closed under it.
      const timer = setTimeout(() => {
        for (const client of out) void client.end().catch(() => {});
      }, END_MS);
      try {
        await pool.end();
      } finally {
        clearTimeout(timer);
      }
    },
  } as PostgresPool;
}

/** Whether the server has said that a statement is wrong, and the connection can go on. */
function isAnswer(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code) &&
    code !== "EPIPE";
}
