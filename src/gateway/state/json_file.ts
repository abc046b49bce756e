/**
 * One small JSON file that survives a kill or a power cut at any moment: written beside, synced, renamed over.
 *
 * @module
 */
import { dirname } from "@std/path";

/** The file's JSON value; undefined where there is none. Throws a SyntaxError where it is not JSON. */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return JSON.parse(text);
}

/** Replaces the file by `value`, for its owner's eyes only. Once this resolves, the new content is on the disk. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.new`;
  const file = await Deno.open(temporary, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(value, undefined, 2) + "\n");
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
  // The rename itself is only on the disk once the folder is.
  const folder = await Deno.open(dirname(path), { read: true });
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}
