/**
 * The data folder, made and tried out before a role starts, so that the error can name the flag.
 *
 * @module
 */
import { join } from "@std/path";
import { messageOf } from "../base/mod.ts";
import { StartError } from "./errors.ts";

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

function reason(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory) {
    return "there is a file in its place";
  }
  return messageOf(error).split("\n")[0]!.replace(/ \(os error \d+\).*$/, "");
}
