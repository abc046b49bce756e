/**
 * Opening a database and bringing its tables up to date.
 *
 * @module
 */
import { type Dialect, Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { type Health, messageOf, Metrics, silentLog, systemClock } from "../base/mod.ts";
import { StorageError } from "./errors.ts";
import { type Hold, hold, type HoldOptions } from "./exclusive.ts";
import { postgresDialect } from "./postgres.ts";
import { sqliteDialect, type SyncMode } from "./sqlite.ts";
import { DatabaseWatch, type WatchDeps } from "./watch.ts";
import { watchedDialect } from "./watched.ts";

/** Migrations of one or more components by name; names start with a date, so that they sort by age. */
export type Migrations = Readonly<Record<string, Migration>>;

/** An open database with tables `Tables`. Close it by disposing of it. */
export interface Database<Tables> extends AsyncDisposable {
  /** The query layer. Every call is asynchronous: a server may stand behind it. */
  readonly sql: Kysely<Tables>;
  /** The same, as a component sees it whose migrations made the tables `Own`. */
  tables<Own>(): Kysely<Own>;
  /** `degraded` while it is away, slow, full or broken; `down` where another process has taken it over. */
  health(): Health;
}

/** How a database is opened. */
export interface DatabaseOptions {
  /** Where an outage is told of, and what time it is; default: nowhere, and the system's. */
  readonly deps?: WatchDeps;
  /** The embedded database: how far a commit goes before it is answered; default `normal`. */
  readonly sync?: SyncMode;
  /** The server database: the schema that the URL's `search_path` names, where it is not the usual one. */
  readonly schema?: string;
  /** The server database: held before it is touched, so that nobody works on it who must not do so meanwhile. */
  readonly hold?: HoldOptions;
}

/**
 * Opens the database at `url` (`sqlite:PATH`, `sqlite::memory:`, or `postgres://…`) and applies the migrations that it
 * has not seen.
 *
 * @throws {StorageError} `url`, `unavailable`, `newer` (the database knows migrations that this program does not)
 *   or `migration`
 * @throws {HoldError} where another process holds it
 */
export async function openDatabase<Tables>(
  url: string,
  migrations: Migrations,
  { deps = { clock: systemClock, log: silentLog, metrics: new Metrics() }, ...options }: DatabaseOptions = {},
): Promise<Database<Tables>> {
  const { dialect, name: path, isServer } = dialectOf(url, options.sync);
  let held: Hold | undefined;
  const watch = new DatabaseWatch(deps, () => held?.lost ?? false);
  const sql = new Kysely<Tables>({ dialect: watchedDialect(dialect, watch) });
  try {
    await migrate(sql, migrations, path, options.schema, async () => {
      if (isServer && options.hold) held = await hold(deps, sql, options.hold);
    });
  } catch (error) {
    await held?.[Symbol.asyncDispose]();
    await sql.destroy().catch(() => {}); // a database that never opened has nothing to close
    throw error;
  }
  watch.start((write) => ask(sql as unknown as Kysely<OwnTables>, write), isServer);
  return {
    sql,
    tables: <Own>() => sql as unknown as Kysely<Own>,
    health: () => watch.health(),
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      // Together: a server that stands still keeps what holds it from ending until its connection is closed.
      await Promise.all([held?.[Symbol.asyncDispose](), sql.destroy()]);
    },
  };
}

/** A table of the migrator's, which every database has. */
interface OwnTables {
  kysely_migration_lock: { id: string; is_locked: number };
}

/** Asks the database whether it answers, or with `write` whether it can be written. */
async function ask(sql: Kysely<OwnTables>, write: boolean): Promise<void> {
  if (write) {
    await sql.updateTable("kysely_migration_lock").set((e) => ({ is_locked: e.ref("is_locked") })).execute();
  } else await sql.selectFrom("kysely_migration_lock").select("id").execute();
}

/** The dialect of a URL, and its name for people: without the password. */
function dialectOf(url: string, sync?: SyncMode): { dialect: Dialect; name: string; isServer: boolean } {
  if (url.startsWith("sqlite:")) {
    const path = url.slice("sqlite:".length);
    return { dialect: sqliteDialect(path, sync), name: path, isServer: false };
  }
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) {
    const shown = new URL(url);
    if (shown.password) shown.password = "***";
    return { dialect: postgresDialect(url), name: shown.href, isServer: true };
  }
  throw new StorageError(
    "url",
    "the database URL is not supported: give sqlite:PATH or postgres://USER@HOST/DATABASE",
  );
}

async function migrate<Tables>(
  sql: Kysely<Tables>,
  migrations: Migrations,
  path: string,
  schema: string | undefined,
  reached: () => Promise<void>,
): Promise<void> {
  const migrator = new Migrator({
    db: sql,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    allowUnorderedMigrations: true,
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  });
  let known;
  try {
    known = await migrator.getMigrations();
  } catch (error) {
    throw new StorageError("unavailable", `cannot open database "${path}": ${messageOf(error)}`, {
      cause: error,
    });
  }
  await reached();
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
