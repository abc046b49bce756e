/**
 * Databases for tests: embedded and in memory, or on a PostgreSQL server where `GATEHOUSE_TEST_POSTGRES` gives the
 * beginning of their names, so that the same tests hold on both.
 *
 * @module
 */
import pg from "pg";
import { FakeClock } from "../base/mod.ts";
import { type Database, type Migrations, openDatabase } from "./database.ts";

/** The server that tests use: trusted, on this machine. */
export const SERVER = "postgres://postgres@127.0.0.1:5432";

/** An empty database with the tables that `migrations` make. Whoever set `GATEHOUSE_TEST_POSTGRES` removes what is left. */
export async function testDatabase<Tables>(migrations: Migrations): Promise<Database<Tables>> {
  const prefix = Deno.env.get("GATEHOUSE_TEST_POSTGRES");
  if (prefix === undefined) return await openDatabase<Tables>("sqlite::memory:", migrations);
  const name = `${prefix}units`, { url, schema } = await makeSchema(name);
  const database = await openDatabase<Tables>(url, migrations, { schema });
  // Fake time waits for the server, so that what is due at one time is done at that time, as in memory.
  const executor = database.sql.getExecutor(), provide = executor.provideConnection.bind(executor);
  let waiting = 0;
  const busy = () => waiting > 0, known = new WeakSet<object>();
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    waiting++;
    try {
      return await work();
    } finally {
      waiting--;
    }
  };
  // What waits for a connection or an answer; not who only has a connection, which may be for good.
  executor.provideConnection = async (consumer) => {
    const had = Promise.withResolvers<void>();
    void counted(() => had.promise);
    try {
      return await provide((connection) => {
        had.resolve();
        if (!known.has(connection)) {
          known.add(connection);
          const execute = connection.executeQuery.bind(connection);
          connection.executeQuery = (...args) => counted(() => execute(...args));
        }
        return consumer(connection);
      });
    } finally {
      had.resolve();
    }
  };
  FakeClock.busy.add(busy);
  const close = database[Symbol.asyncDispose].bind(database);
  return Object.assign(database, {
    async [Symbol.asyncDispose]() {
      FakeClock.busy.delete(busy);
      await close();
      // Whoever makes tables looks through all that are there: none may be left to look through.
      await administer((client) => client.query(`drop schema "${schema}" cascade`), name);
    },
  });
}

/** Room of one's own in a database of that name: a schema is made in no time, a database is not. */
async function makeSchema(database: string): Promise<{ url: string; schema: string }> {
  const url = await makeDatabase(database), schema = `t_${crypto.randomUUID().slice(0, 8)}`;
  await administer((client) => client.query(`create schema "${schema}"`), database);
  return { url: `${url}?options=${encodeURIComponent(`-c search_path=${schema}`)}`, schema };
}

/** Makes a database of that name if there is none, empty or as `template` is, to which nobody is connected; its URL. */
export async function makeDatabase(name: string, template = "template1"): Promise<string> {
  await administer(async (client) => {
    const { rows } = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (rows.length > 0) return;
    await client.query(`create database "${name}" template "${template}"`);
    // What a test writes need not outlive a power cut.
    await client.query(`alter database "${name}" set synchronous_commit = off`);
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
async function administer(work: (client: any) => Promise<void>, database = "postgres"): Promise<void> {
  const client = new pg.Client({ connectionString: `${SERVER}/${database}` });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
