/**
 * The data folder, made, tried out and held before a role starts, so that the error can name the flag.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, messageOf, sleep } from "../base/mod.ts";
import { StartError } from "./errors.ts";
import type { Role } from "./setting.ts";

/** How long to wait for a process that is just ending, and between attempts, in milliseconds. */
const PATIENCE_MS = 5_000, PAUSE_MS = 250;

/** Makes the folder if it is absent, and writes and removes a file in it. @throws {StartError} */
export async function prepareDataDir(path: string): Promise<void> {
  const probe = join(path, `.writable-${Deno.pid}`);
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o750 });
    await Deno.writeFile(probe, new Uint8Array(1));
    await Deno.remove(probe);
  } catch (error) {
    throw new StartError(
      `the data folder "${path}" can't be written (${reason(error)}): name another one with --data`,
      { cause: error },
    );
  }
}

/**
 * Holds the folder for one process of the role: two would write over each other's files. The system lets it go with
 * the process, however that ends; so the file stays where it is. A file system that knows no locks stops nobody.
 *
 * @throws {StartError} where another process has it
 */
export async function holdDataDir(clock: Clock, path: string, role: Role): Promise<Disposable> {
  const file = await Deno.open(join(path, `${role}.lock`), {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    const until = clock.monotonic() + PATIENCE_MS;
    while (!await file.tryLock(true).catch(() => true)) {
      if (clock.monotonic() >= until) {
        throw new StartError(
          `the data folder "${path}" is in use by another ${role}${await holderOf(file)}: ` +
            "stop that one, or name another folder with --data",
        );
      }
      await sleep(clock, PAUSE_MS);
    }
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** ` (process 4711)`, as whoever holds the file wrote it into it; empty where it wrote nothing yet. */
async function holderOf(file: Deno.FsFile): Promise<string> {
  const read = new Uint8Array(20), length = await file.read(read) ?? 0;
  const pid = /^\d+/.exec(new TextDecoder().decode(read.subarray(0, length)))?.[0];
  return pid === undefined ? "" : ` (process ${pid})`;
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory) {
    return "there is a file in its place";
  }
  return messageOf(error).split("\n")[0]!.replace(/ \(os error \d+\).*$/, "");
}
