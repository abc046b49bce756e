/**
 * Backing up the embedded database while it is in use, and putting a backup in its place while it is not.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/mod.ts";
import type { BackupOrder } from "./backup_worker.ts";
import type { Migrations } from "./database.ts";
import { StorageError } from "./errors.ts";

/** What is known of a backup after looking at it. */
export interface BackupFacts {
  /** Bytes. */
  readonly size: number;
  /** Migrations that its tables have been through. */
  readonly migrations: number;
  /** The last of them. */
  readonly version: string;
}

/**
 * Writes the database file `from`, as it is at this moment, to `to`, which must not be there yet. Others go on reading
 * and writing meanwhile. What is there at the end is whole, checked and on the disk.
 *
 * @throws {StorageError} `unavailable`, `broken`
 */
export async function backUp(from: string, to: string): Promise<void> {
  const part = `${to}.part`;
  await Deno.remove(part).catch(() => {}); // of a process that was killed
  try {
    await copyOnItsOwnThread({ from, to: part });
    await sync(part);
    // A name that is taken stays whose it is.
    await Deno.link(part, to);
  } catch (error) {
    throw new StorageError("unavailable", `the backup was not written: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await Deno.remove(part).catch(() => {});
  }
}

/**
 * Looks through a backup: whether it is whole, and one of a program that is not newer than this one.
 *
 * @throws {StorageError} `unavailable`, `broken`, `newer`
 */
export function inspectBackup(path: string, known: Migrations): BackupFacts {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const check = database.prepare("pragma integrity_check").get() as
      | { integrity_check?: unknown }
      | undefined;
    if (check?.integrity_check !== "ok") {
      throw new StorageError(
        "broken",
        `"${path}" is damaged: ${String(check?.integrity_check).slice(0, 200)}`,
      );
    }
    const rows = database.prepare("select name from kysely_migration order by name").all();
    const names = rows.map(({ name }) => String(name));
    const strange = names.find((name) => !Object.hasOwn(known, name));
    if (strange !== undefined) {
      throw new StorageError(
        "newer",
        `"${path}" is of a newer version of this program (it knows "${strange}"): restore it with that version`,
      );
    }
    return { size: Deno.statSync(path).size, migrations: names.length, version: names.at(-1) ?? "" };
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError("broken", `"${path}" is no backup of this program: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    database?.close();
  }
}

/**
 * Puts the backup `from` in the place of the database file `to`, which nobody may have open. What was there is kept
 * beside it, under the name that is answered; undefined where nothing was.
 *
 * @throws {StorageError} as {@linkcode inspectBackup} does; `unavailable` where somebody has the database open
 */
export async function restoreBackup(
  from: string,
  to: string,
  known: Migrations,
  suffix: string,
): Promise<string | undefined> {
  inspectBackup(from, known);
  const part = `${to}.restoring`;
  try {
    const there = await Deno.stat(to).then(() => true, () => false);
    if (there) closeLog(to);
    await Deno.copyFile(from, part);
    await Deno.chmod(part, 0o600);
    await sync(part);
    const kept = there ? `${to}.${suffix}` : undefined;
    // A second name first, and then one step: whenever this ends, there is the one database or the other.
    if (kept !== undefined) await Deno.link(to, kept);
    await putLogsAside(to, suffix);
    await Deno.rename(part, to);
    return kept;
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError("unavailable", `"${to}" was not restored: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * What a database that is gone has left of its logs would be played into the one that comes in its place. One that is
 * there has none any more: {@linkcode closeLog}.
 */
async function putLogsAside(path: string, suffix: string): Promise<void> {
  for (const log of ["wal", "shm", "journal"]) {
    await Deno.rename(`${path}-${log}`, `${path}-${log}.${suffix}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** Ends the write-ahead log of a database, so that it is one file: only its last user can. */
function closeLog(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma journal_mode = delete");
  } catch (error) {
    throw new StorageError(
      "unavailable",
      `"${path}" is in use: stop the platform first (${messageOf(error)})`,
      {
        cause: error,
      },
    );
  } finally {
    database.close();
  }
}

async function copyOnItsOwnThread(order: BackupOrder): Promise<void> {
  const worker = new Worker(new URL("./backup_worker.ts", import.meta.url), { type: "module" });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<{ error?: string }>) =>
        data.error === undefined ? resolve() : reject(new Error(data.error));
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(order);
    });
  } finally {
    worker.terminate();
  }
}

async function sync(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  await file.sync();
}
