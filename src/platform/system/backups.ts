/**
 * Backups in a folder: made one at a time, listed, handed out, removed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { type Clock, type Log, messageOf } from "../../base/mod.ts";
import { problem } from "../../control/mod.ts";
import { backUp } from "../../storage/mod.ts";

/** A backup in the folder. */
export interface Backup {
  /** Its name: the UTC time of its making, `20261123T071500.000Z`. */
  readonly id: string;
  readonly size: number;
  readonly createdAt: string;
}

/** Backups kept at most: more have to be fetched and removed. */
const MAX_BACKUPS = 10;
const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{3})Z\.db$/;

/** The backups of one database file. */
export class Backups {
  #making = false;

  /** `database`: its file; undefined where a server keeps it. */
  constructor(
    private readonly deps: { readonly clock: Pick<Clock, "now" | "monotonic">; readonly log: Log },
    private readonly folder: string,
    private readonly database: string | undefined,
  ) {}

  /** Makes a backup. Throws the 409 where the database is a server's, one is being made, or there are too many. */
  async create(): Promise<Backup & { sha256: string }> {
    if (this.database === undefined) {
      throw problem(409, "server_database", "the database is a server's: back it up with pg_dump");
    }
    if (this.#making) throw problem(409, "backup_running", "a backup is being made already");
    this.#making = true;
    try {
      if ((await this.list()).length >= MAX_BACKUPS) {
        throw problem(409, "too_many_backups", `${MAX_BACKUPS} backups are kept: remove one first`);
      }
      await Deno.mkdir(this.folder, { recursive: true, mode: 0o700 });
      const id = new Date(this.deps.clock.now()).toISOString().replace(/[-:]/g, "");
      const path = join(this.folder, `${id}.db`), began = this.deps.clock.monotonic();
      await backUp(this.database, path).catch((error) => {
        // Not that the database is away: the disk may be full, or not to be written to.
        throw problem(507, "backup_failed", messageOf(error), { cause: error });
      });
      await Deno.chmod(path, 0o600);
      const ms = Math.round(this.deps.clock.monotonic() - began);
      const backup = (await this.find(id))!;
      this.deps.log.info("backup made", { backup: id, bytes: backup.size, ms });
      return { ...backup, sha256: await digest(path) };
    } finally {
      this.#making = false;
    }
  }

  /** All, the newest first. */
  async list(): Promise<Backup[]> {
    const found: Backup[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(this.folder)) {
        if (!isFile || !NAME.test(name)) continue;
        const backup = await this.find(name.slice(0, -".db".length));
        if (backup) found.push(backup);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return found.sort((a, b) => a.id < b.id ? 1 : -1);
  }

  async find(id: string): Promise<Backup | undefined> {
    const parts = NAME.exec(`${id}.db`);
    if (!parts) return undefined;
    const [, year, month, day, hour, minute, second, ms] = parts;
    try {
      const { size } = await Deno.stat(join(this.folder, `${id}.db`));
      return { id, size, createdAt: `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z` };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Its bytes; undefined where there is none. */
  async open(
    id: string,
  ): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> } | undefined> {
    if (!NAME.test(`${id}.db`)) return undefined;
    try {
      const file = await Deno.open(join(this.folder, `${id}.db`));
      const { size } = await file.stat();
      return { size, body: file.readable };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** False where there is none. */
  async remove(id: string): Promise<boolean> {
    if (!NAME.test(`${id}.db`)) return false;
    try {
      await Deno.remove(join(this.folder, `${id}.db`));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
