/**
 * The plug-ins folder on disk: what lies in it, and reading one plug-in out of it.
 *
 * An entry is a `.js`, `.ts` or `.ghp` (package) file, a folder with a `plugin.js` or `plugin.ts`, or a folder of versions (see `versions.ts`). Names that start with a dot are nobody's business but
 * ours. Links are followed only where they stay inside the plug-in (a folder) or the plug-ins folder (a file).
 *
 * @module
 */
import { join } from "@std/path";
import type { Program } from "./engine.ts";
import { PACKAGE_FILE, packageProgram, TYPED_ENTRY_MODULE, withoutTypes } from "./content.ts";
import { PluginError } from "./errors.ts";
import { DEFAULT_PACKAGE_LIMITS, isTypeScript, PACKAGE_EXTENSION } from "./package/mod.ts";
import { ENTRY_MODULE, PLUGIN_BYTES } from "./program.ts";
import { readPointer } from "./versions.ts";

/** The most files of a plug-in, and its deepest folder. */
const PLUGIN_FILES = 256;
const PLUGIN_DEPTH = 8;
/** The most entries of the plug-ins folder that are looked at. */
const MOST_ENTRIES = 256;

/** An entry of the plug-ins folder, and a text that changes when any of its files does. */
export interface Entry {
  readonly name: string;
  readonly fingerprint: string;
}

/** What lies in the folder now. */
export async function scanFolder(dir: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const { name } of Deno.readDir(dir)) {
    if (name.startsWith(".") || entries.size >= MOST_ENTRIES) continue;
    const fingerprint = await fingerprintOf(dir, name).catch(() => undefined); // it is going away right now
    if (fingerprint !== undefined) entries.set(name, { name, fingerprint });
  }
  return entries;
}

/** A text that changes when the entry does; undefined where the entry is no plug-in. */
export async function fingerprintOf(dir: string, name: string): Promise<string | undefined> {
  const path = join(dir, name);
  const info = await Deno.stat(path);
  if (info.isFile) return isModule(name) || isPackage(name) ? mark("", info) : undefined;
  if (!info.isDirectory) return undefined;
  const pointer = await readPointer(path), root = pointer ? join(path, pointer.active) : path;
  if (await entryOf(root) === undefined) return pointer && `${pointer.active} is not there`;
  const marks: string[] = [pointer?.active ?? ""];
  for (const file of await filesOf(root)) marks.push(mark(file, await Deno.stat(join(root, file))));
  return marks.join("\n");
}

/** The file by which a folder is a plug-in: its entry module, or the package that it was installed from. */
async function entryOf(folder: string): Promise<string | undefined> {
  for (const name of [PACKAGE_FILE, ENTRY_MODULE, TYPED_ENTRY_MODULE]) {
    if ((await Deno.stat(join(folder, name)).catch(() => undefined))?.isFile) return name;
  }
  return undefined;
}

/** Files of code; those of an author's tests are none. */
function isModule(name: string): boolean {
  return name.endsWith(".js") || (isTypeScript(name) && !name.endsWith("_test.ts"));
}

function isPackage(name: string): boolean {
  return name.endsWith(PACKAGE_EXTENSION);
}

function mark(path: string, info: Deno.FileInfo): string {
  return `${path}:${info.size}:${info.mtime?.getTime() ?? 0}:${info.ino ?? 0}`;
}

/**
 * Reads an entry; of one with versions the active one, or that in the folder `version`. Throws PluginError `invalid`
 * or `limit`, or NotFound.
 */
export async function readEntry(dir: string, name: string, version?: string): Promise<Program> {
  const top = join(dir, name), pointed = version ?? (await readPointer(top))?.active;
  const path = pointed === undefined ? top : join(top, pointed);
  const home = await Deno.realPath(dir);
  const info = await Deno.stat(path);
  const modules: Record<string, string> = Object.create(null);
  const budget = { left: PLUGIN_BYTES };
  if (info.isFile) {
    if (isPackage(name)) return await readPackageFile(path, home);
    modules[name] = await readModule(path, home, budget);
    return { entry: name, modules: await withoutTypes(modules) };
  }
  const inside = await Deno.realPath(path);
  if (!isWithin(inside, home)) {
    throw new PluginError("invalid", `"${name}" links to outside the plug-ins folder`);
  }
  const entry = await entryOf(path);
  if (entry === PACKAGE_FILE) return await readPackageFile(join(path, PACKAGE_FILE), inside);
  for (const file of await filesOf(path)) modules[file] = await readModule(join(path, file), inside, budget);
  return { entry: entry ?? ENTRY_MODULE, modules: await withoutTypes(modules) };
}

async function readPackageFile(path: string, home: string): Promise<Program> {
  const budget = { left: DEFAULT_PACKAGE_LIMITS.packedBytes };
  return await packageProgram(await readWhole(path, home, budget));
}

/** The files under `root` that count, relative, in a fixed order. */
async function filesOf(root: string): Promise<string[]> {
  const files: string[] = [];
  const walk = async (folder: string, depth: number) => {
    if (depth > PLUGIN_DEPTH) {
      throw new PluginError("limit", `folders deeper than ${PLUGIN_DEPTH}: "${folder}"`);
    }
    for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
      if (name.startsWith(".")) continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) await walk(path, depth + 1);
      else if (isModule(name) || path === PACKAGE_FILE) files.push(path);
      if (files.length > PLUGIN_FILES) throw new PluginError("limit", `more than ${PLUGIN_FILES} files`);
    }
  };
  await walk("", 1);
  return files.sort();
}

async function readModule(path: string, home: string, budget: { left: number }): Promise<string> {
  const bytes = await readWhole(path, home, budget);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // told below
  }
  throw new PluginError("invalid", `"${path}" is not UTF-8 text`);
}

/** A file's bytes, as long as the budget has room for them; it is charged with them. */
async function readWhole(
  path: string,
  home: string,
  budget: { left: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const real = await Deno.realPath(path);
  if (!isWithin(real, home)) throw new PluginError("invalid", `"${path}" links to outside its folder`);
  using file = await Deno.open(real, { read: true });
  const info = await file.stat();
  if (!info.isFile) throw new PluginError("invalid", `"${path}" is no regular file`);
  const bytes = new Uint8Array(Math.min(info.size, budget.left) + 1); // one more, to see a file that is longer
  let length = 0;
  for (let n; length < bytes.length && (n = await file.read(bytes.subarray(length))) !== null;) length += n;
  if (length > budget.left) throw new PluginError("limit", `"${path}" has more than ${budget.left} bytes`);
  budget.left -= length;
  return bytes.subarray(0, length);
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith("/") ? folder : folder + "/");
}
