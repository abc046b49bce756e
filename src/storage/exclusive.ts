/**
 * What one process at a time may do with a database (or several that know of each other): whoever holds it, holds it
 * until it ends, however it ends.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { type Kysely, sql } from "kysely";
import { type Deps, GatehouseError, messageOf, sleep } from "../base/mod.ts";
import { onServer } from "./dialects.ts";

/** - `held_elsewhere`: another process holds it */
export class HoldError extends GatehouseError<"held_elsewhere"> {
  override readonly name = "HoldError";
}

/** What is held, and how. */
export interface HoldOptions {
  /** A short name; on the embedded database the file `<dataDir>/<name>.lock`. */
  readonly name: string;
  /** The number of PostgreSQL's advisory lock. */
  readonly number: number;
  /** On PostgreSQL: together with all who hold it shared too; default: alone. */
  readonly shared?: boolean;
  readonly dataDir: string;
  /** What `HoldError` says. */
  readonly refusal: string;
}

/** It is held. Dispose of it to let it go. */
export interface Hold extends AsyncDisposable {
  /** Whether it still is, as far as is known: a server's connection may break, and another process be quicker. */
  readonly held: boolean;
  /** Another process was quicker: this one never holds it again. */
  readonly lost: boolean;
}

/** How long to wait for a process that is just ending, and between attempts, in milliseconds. */
const PATIENCE_MS = 5_000, PAUSE_MS = 250;
/** How often the server is asked whether the connection that holds is still there, in milliseconds. */
const LOOK_MS = 2_000;

type HoldDeps = Pick<Deps, "clock" | "log">;
/** Holds nothing yet; gives what lets it go, or undefined where another process has it. */
type Attempt = () => Promise<Held | undefined>;
interface Held {
  /** Rejects where it is held no more. */
  readonly look: () => Promise<void>;
  /** `lost`: it is held no more, and there is nobody left to tell so. */
  readonly letGo: (lost?: boolean) => Promise<void>;
}

/**
 * Holds what one process at a time may. On PostgreSQL with an advisory lock on a connection of its own, on the
 * embedded database with a lock on a file: both are free as soon as the process is gone.
 *
 * @throws {HoldError}
 */
export async function hold<Tables>(deps: HoldDeps, db: Kysely<Tables>, options: HoldOptions): Promise<Hold> {
  const server = onServer(db),
    attempt = server ? serverLock(db as unknown as Kysely<unknown>, options) : fileLock(options);
  const until = deps.clock.monotonic() + PATIENCE_MS;
  let held = await attempt();
  while (!held) {
    if (deps.clock.monotonic() >= until) throw new HoldError("held_elsewhere", options.refusal);
    await sleep(deps.clock, PAUSE_MS);
    held = await attempt();
  }
  return server ? new Watched(deps, held, attempt, options.name) : {
    ...{ held: true, lost: false },
    [Symbol.asyncDispose]: () => held.letGo(),
  };
}

/** Looks whether it is still held, and takes it again where it was lost and nobody else has it. */
class Watched implements Hold {
  #held = true;
  #lost = false;
  readonly #stop = new AbortController();
  readonly #life: Promise<void>;

  constructor(
    private readonly deps: HoldDeps,
    private holding: Held,
    private readonly attempt: Attempt,
    private readonly what: string,
  ) {
    this.#life = this.#watch();
  }

  get held(): boolean {
    return this.#held;
  }

  get lost(): boolean {
    return this.#lost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#life;
    await this.holding.letGo(!this.#held);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop, wait = () => sleep(this.deps.clock, LOOK_MS, signal).catch(() => {});
    for (await wait(); !signal.aborted; await wait()) {
      if (this.#held) await this.holding.look().catch((error) => this.#lose(error));
      // At once where it was lost just now: what the process does waits for it.
      if (!this.#held && await this.#again().catch(() => undefined) === false) return;
    }
  }

  #lose(error: unknown): void {
    this.#held = false;
    this.deps.log.error("lost what one process may do", { what: this.what, error: messageOf(error) });
  }

  /** False where another process has it: whatever this one knows is out of date, for good. */
  async #again(): Promise<boolean> {
    const held = await this.attempt();
    if (!held) {
      this.#lost = true;
      this.deps.log.error("another process has taken over: restart this one", { what: this.what });
      return false;
    }
    await this.holding.letGo(true);
    this.holding = held;
    this.#held = true;
    this.deps.log.info("holds again what one process may do", { what: this.what });
    return true;
  }
}

function fileLock({ dataDir, name }: HoldOptions): Attempt {
  return () => {
    // The database's own lock on a file: the system lets it go with the process, on every system that we run on.
    const database = new DatabaseSync(join(dataDir, `${name}.lock`));
    try {
      database.exec("pragma busy_timeout = 0; pragma locking_mode = exclusive; begin exclusive");
    } catch (error) {
      database.close();
      if (/locked/.test(messageOf(error))) return Promise.resolve(undefined);
      throw error;
    }
    return Promise.resolve({
      look: () => Promise.resolve(),
      letGo: () => Promise.resolve(database.close()),
    });
  };
}

/** Seconds after which the server notices that a connection is gone of which nobody says so. */
const KEEPALIVE = { tcp_keepalives_idle: "5", tcp_keepalives_interval: "5", tcp_keepalives_count: "3" };

/** A session of the server's: its process numbers come again, so its beginning counts too. */
interface Session {
  readonly pid: number;
  readonly since: string;
}

function serverLock(db: Kysely<unknown>, { number, shared = false }: HoldOptions): Attempt {
  const lock = sql.raw(shared ? "pg_try_advisory_lock_shared" : "pg_try_advisory_lock"),
    unlock = sql.raw(shared ? "pg_advisory_unlock_shared" : "pg_advisory_unlock");
  let mine: Session | undefined;
  return () => {
    const answer = Promise.withResolvers<Held | undefined>(), end = Promise.withResolvers<boolean>();
    const life = db.connection().execute(async (connection) => {
      for (const [name, value] of Object.entries(KEEPALIVE)) {
        await sql`select set_config(${name}, ${value}, false)`.execute(connection);
      }
      const { rows: [row] } = await sql<Session & { taken: boolean }>`
        select ${lock}(${number}) as taken, pid, backend_start::text as since
        from pg_stat_activity where pid = pg_backend_pid()`.execute(connection);
      if (!row?.taken) {
        // The server may not have noticed yet that the connection is gone on which this process held it.
        if (mine && await ended(connection, number, mine)) {
          throw new Error("the connection before still held it");
        }
        return answer.resolve(undefined);
      }
      mine = { pid: row.pid, since: row.since };
      answer.resolve({
        look: async () => void await sql`select 1`.execute(connection),
        letGo: (lost = false) => (end.resolve(lost), life),
      });
      if (await end.promise) return;
      await sql`select ${unlock}(${number})`.execute(connection).catch(() => {}); // gone is let go too
    }).catch((error) => answer.reject(error));
    return answer.promise;
  };
}

/** Ends the session if it is the one that holds the lock; false where it is not. */
async function ended(db: Kysely<unknown>, number: number, { pid, since }: Session): Promise<boolean> {
  const { rows } = await sql`
    select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.classid = 0 and l.objid = ${number} and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and l.pid = ${pid} and a.backend_start::text = ${since}`.execute(db);
  return rows.length > 0;
}
