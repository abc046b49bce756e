/**
 * The repository's own files.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";

/** The repository's folder. */
export const ROOT: string = fromFileUrl(new URL("../..", import.meta.url));

/** Paths from the root of every file under `folders` whose name ends so; hidden folders are left out. */
export async function filesUnder(folders: readonly string[], endings: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(join(ROOT, folder))) {
      const path = folder === "." ? name : `${folder}/${name}`;
      if (isDirectory && !name.startsWith(".")) await walk(path);
      else if (isFile && endings.some((ending) => name.endsWith(ending))) found.push(path);
    }
  };
  for (const folder of folders) await walk(folder);
  return found.sort();
}

/** The text of a file by its path from the root. */
export function textOf(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path));
}
