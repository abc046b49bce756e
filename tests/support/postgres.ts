/**
 * Databases of the tests' own on a PostgreSQL server, gone when they are done with.
 *
 * @module
 */
import pg from "pg";

/** The server that tests use: trusted, on this machine. */
export const SERVER = "postgres://postgres@127.0.0.1:5432";

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

/** Makes a database of that name if there is none; its URL. */
export async function makeDatabase(name: string): Promise<string> {
  await administer(async (client) => {
    const { rows } = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (rows.length === 0) await client.query(`create database "${name}"`);
  });
  return `${SERVER}/${name}`;
}

/** Removes the databases whose names begin so, whoever is still connected to them. */
export async function dropDatabases(beginning: string): Promise<void> {
  await administer(async (client) => {
    const { rows } = await client.query("select datname from pg_database where datname like $1", [
      `${beginning}%`,
    ]);
    for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`);
  });
}

// deno-lint-ignore no-explicit-any -- the library has no declarations of its own
async function administer(work: (client: any) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: `${SERVER}/postgres` });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
