/**
 * The PostgreSQL server of the tests: whether it is there, and databases on it that are gone when they are done with.
 *
 * @module
 */
import pg from "pg";
import { platformMigrations } from "../../src/platform/mod.ts";
import { openDatabase } from "../../src/storage/mod.ts";
import { makeDatabase, SERVER } from "../../src/storage/testing.ts";

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

const templates = new Map<string, Promise<string>>();

/** A database with a platform's tables: they are made once for all whose names begin with `prefix`, and copied. */
export async function platformDatabase(prefix: string, name: string): Promise<string> {
  const template = templates.get(prefix) ?? makeTemplate(`${prefix}template`);
  templates.set(prefix, template);
  return await makeDatabase(prefix + name, await template);
}

async function makeTemplate(name: string): Promise<string> {
  await using _migrated = await openDatabase(await makeDatabase(name), platformMigrations);
  return name;
}
