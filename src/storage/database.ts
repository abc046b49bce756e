/**
 * Opening a database and bringing its tables up to date.
 *
 * @module
 */
import { type Dialect, Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { messageOf } from "../base/mod.ts";
import { StorageError } from "./errors.ts";
import { postgresDialect } from "./postgres.ts";
import { sqliteDialect } from "./sqlite.ts";

/** Migrations of one or more components by name; names start with a date, so that they sort by age. */
export type Migrations = Readonly<Record<string, Migration>>;

/** An open database with tables `Tables`. Close it by disposing of it. */
export interface Database<Tables> extends AsyncDisposable {
  /** The query layer. Every call is asynchronous: a server may stand behind it. */
  readonly sql: Kysely<Tables>;
  /** The same, as a component sees it whose migrations made the tables `Own`. */
  tables<Own>(): Kysely<Own>;
}

/**
 * Opens the database at `url` (`sqlite:PATH`, `sqlite::memory:`, or `postgres://…`) and applies the migrations that it
 * has not seen.
 *
 * @throws {StorageError} `url`, `unavailable`, `newer` (the database knows migrations that this program does not)
 *   or `migration`
 */
export async function openDatabase<Tables>(url: string, migrations: Migrations): Promise<Database<Tables>> {
  const { dialect, name: path } = dialectOf(url);
  const sql = new Kysely<Tables>({ dialect });
  try {
    await migrate(sql, migrations, path);
  } catch (error) {
    await sql.destroy().catch(() => {}); // a database that never opened has nothing to close
    throw error;
  }
  return {
    sql,
    tables: <Own>() => sql as unknown as Kysely<Own>,
    [Symbol.asyncDispose]: () => sql.destroy(),
  };
}

/** The dialect of a URL, and its name for people: without the password. */
function dialectOf(url: string): { dialect: Dialect; name: string } {
  if (url.startsWith("sqlite:")) {
    const path = url.slice("sqlite:".length);
    return { dialect: sqliteDialect(path), name: path };
  }
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) {
    const shown = new URL(url);
    if (shown.password) shown.password = "***";
    return { dialect: postgresDialect(url), name: shown.href };
  }
  throw new StorageError(
    "url",
    "the database URL is not supported: give sqlite:PATH or postgres://USER@HOST/DATABASE",
  );
}

async function migrate<Tables>(sql: Kysely<Tables>, migrations: Migrations, path: string): Promise<void> {
  const migrator = new Migrator({
    db: sql,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    allowUnorderedMigrations: true,
  });
  let known;
  try {
    known = await migrator.getMigrations();
  } catch (error) {
    throw new StorageError("unavailable", `cannot open database "${path}": ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { error, results } = await migrator.migrateToLatest();
  if (!error) return;
  if (/previously executed migration/.test(messageOf(error))) {
    throw new StorageError(
      "newer",
      `database "${path}" was written by a newer version of this program: start that version, or restore a backup`,
      { cause: error },
    );
  }
  const failed = results?.find((result) => result.status === "Error")?.migrationName;
  const at = failed ?? `after ${known.filter((migration) => migration.executedAt).length} migrations`;
  throw new StorageError("migration", `cannot migrate database "${path}" (${at}): ${messageOf(error)}`, {
    cause: error,
  });
}
