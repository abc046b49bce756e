/**
 * Packing a plug-in that lies on disk: a folder with `plugin.js` or `plugin.ts`, or one such file.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { PackageError } from "./errors.ts";
import { checkPath, DEFAULT_PACKAGE_LIMITS } from "./files.ts";
import { type PackedPlugin, type PackOptions, packPlugin } from "./pack.ts";
import { PACKAGE_EXTENSION } from "./package.ts";

/** Left out of packages: declarations, tests, packages, and what starts with a dot. */
const LEFT_OUT = /^\.|\.d\.ts$|[._]test\.(ts|js)$/;

/** Packs what lies at `path`. Throws PackageError, or what the file system throws. */
export async function packFolder(path: string, options: PackOptions = {}): Promise<PackedPlugin> {
  const limits = options.limits ?? DEFAULT_PACKAGE_LIMITS;
  const files = new Map<string, Uint8Array>();
  const budget = { left: limits.bytes };
  const info = await Deno.lstat(path);
  if (info.isFile && /\.(js|ts)$/.test(path)) {
    files.set(path.endsWith(".ts") ? "plugin.ts" : "plugin.js", await readBounded(path, budget));
  } else if (info.isDirectory) {
    await walk(path, "", async (name) => {
      if (files.size >= limits.files) {
        throw new PackageError("files", `there are more than ${limits.files} files`);
      }
      files.set(name, await readBounded(join(path, name), budget));
    });
  } else throw new PackageError("code", `"${basename(path)}" is neither a folder nor a .js or .ts file`);
  return await packPlugin(files, options);
}

async function walk(root: string, folder: string, onFile: (path: string) => Promise<void>): Promise<void> {
  for await (const entry of Deno.readDir(join(root, folder))) {
    if (LEFT_OUT.test(entry.name) || entry.name.endsWith(PACKAGE_EXTENSION)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    checkPath(path); // its depth too, before going further down
    if (entry.isDirectory) await walk(root, path, onFile);
    else if (entry.isFile) await onFile(path);
    else throw new PackageError("link", `"${path}" is a link or no regular file`);
  }
}

/** A whole file, as long as there is room for it. */
async function readBounded(path: string, budget: { left: number }): Promise<Uint8Array> {
  const { size } = await Deno.lstat(path);
  if (size > budget.left) throw new PackageError("size", `"${basename(path)}" does not fit into a package`);
  const bytes = await Deno.readFile(path);
  budget.left -= bytes.length;
  if (budget.left < 0) throw new PackageError("size", `"${basename(path)}" does not fit into a package`);
  return bytes;
}
