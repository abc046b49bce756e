/**
 * The PostgreSQL server of the tests: whether it is there, and databases on it that are gone when they are done with.
 *
 * @module
 */
import pg from "pg";
import { SERVER } from "../../src/storage/testing.ts";

export { dropDatabases, makeDatabase, SERVER } from "../../src/storage/testing.ts";

/** Whether the server is there. */
export async function hasPostgres(): Promise<boolean> {
  const client = new pg.Client({
    connectionString: `${SERVER}/postgres`,
    connectionTimeoutMillis: 1000,
  });
  return await client.connect().then(async () => {
    await client.end();
    return true;
  }, () => false);
}
