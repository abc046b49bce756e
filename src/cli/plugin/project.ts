/**
 * A plug-in as it lies on its author's disk, and where in it a fault is.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import { StartError } from "../errors.ts";
import { type Kind, path } from "../parsers.ts";
import {
  isTypeScript,
  looksPacked,
  PackageError,
  packFolder,
  type PluginPackage,
  readPackage,
  stripTypes,
} from "../../sandbox/package/mod.ts";
import type { Positional } from "./command.ts";

/** The path of a plug-in. */
export const PLUGIN_PATH: Positional = {
  label: "PATH",
  kind: path("DIR") as Kind<string>,
  help: "the plug-in: a folder with plugin.js or plugin.ts, one such file, or a package",
};

/** The largest package that is read, and the most test files. */
const MOST_BYTES = 16 << 20;
const MOST_TEST_FILES = 100;

/** A plug-in that was read. */
export interface Project {
  readonly plugin: PluginPackage;
  /** The package's bytes: as they were, or as `pack` makes them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether `path` was a package already. */
  readonly packed: boolean;
}

/** Reads a plug-in. @throws {StartError} @throws {PackageError} its message names file and line, with the source */
export async function readProject(place: string): Promise<Project> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(place);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new StartError(`there is no "${place}"`);
    throw error;
  }
  if (info.isFile && !/\.(js|ts)$/.test(place)) {
    if (info.size > MOST_BYTES) throw new StartError(`"${place}" has more than ${MOST_BYTES} bytes`);
    const bytes = await Deno.readFile(place);
    if (!looksPacked(bytes)) throw new StartError(`"${place}" is neither a .js or .ts file nor a package`);
    return { plugin: await readPackage(bytes), bytes, packed: true };
  }
  try {
    return { ...await packFolder(place), packed: false };
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const shown = await excerpt(place, error.message);
    throw shown ? new PackageError(error.code, `${error.message}\n${shown}`, {}, error.faults) : error;
  }
}

/** A file of tests, as JavaScript, by its name within the folder. */
export interface TestFiles {
  readonly names: readonly string[];
  readonly modules: Readonly<Record<string, string>>;
}

/** The `*_test.js` and `*_test.ts` beside the plug-in's code. Each is told by the name of the `.js` that it becomes. */
export async function readTests(place: string): Promise<TestFiles> {
  const single = !(await Deno.stat(place)).isDirectory;
  const folder = single ? dirname(place) : place;
  const wanted = single ? `${basename(place).replace(/\.(js|ts)$/, "")}_test.` : undefined;
  const sources = new Map<string, string>();
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !/[._]test\.(js|ts)$/.test(name) || name.startsWith(".")) continue;
    if (wanted !== undefined && !name.startsWith(wanted)) continue;
    if (sources.size >= MOST_TEST_FILES) throw new StartError(`more than ${MOST_TEST_FILES} files of tests`);
    if ((await Deno.stat(join(folder, name))).size > 1 << 20) throw new StartError(`"${name}" is too long`);
    sources.set(name, await Deno.readTextFile(join(folder, name)));
  }
  const typed = new Map([...sources].filter(([name]) => isTypeScript(name)));
  const stripped = typed.size > 0 ? await stripTypes(typed) : typed;
  const modules: Record<string, string> = Object.create(null);
  for (const [name, text] of sources) modules[name.replace(/\.ts$/, ".js")] = stripped.get(name) ?? text;
  return { names: Object.keys(modules).sort(), modules };
}

/** The line that a message speaks of, as its author wrote it; undefined where it names none. */
export async function excerpt(place: string, message: string): Promise<string | undefined> {
  const [, file] = /"([\w./-]+\.(?:js|ts))"/.exec(message) ?? [];
  const at = /\((\d+):(\d+)\)/.exec(message), spelled = /line (\d+)(?:, column (\d+))?/.exec(message);
  const line = Number(at?.[1] ?? spelled?.[1] ?? 0);
  const column = at ? Number(at[2]) + 1 : Number(spelled?.[2] ?? 0);
  if (file === undefined || line === 0) return undefined;
  const source = await sourceOf(place, file);
  return source && pointAt(source.text, source.name, line, column);
}

/** A module as its author wrote it, with its name: `plugin.js` may have been a `plugin.ts`. */
export async function sourceOf(
  place: string,
  file: string,
): Promise<{ name: string; text: string } | undefined> {
  const folder = (await Deno.stat(place)).isDirectory;
  if (file.split("/").some((part) => part === ".." || part === "")) return undefined; // it is the plug-in that says so
  const names = folder ? [file, file.replace(/\.js$/, ".ts")] : [basename(place)];
  for (const name of names) {
    try {
      return { name, text: await Deno.readTextFile(folder ? join(place, name) : place) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** `plugin.js:3:7`, the line, and a mark under the column (from 1; 0: none). */
export function pointAt(text: string, file: string, line: number, column: number): string | undefined {
  const source = text.split("\n")[line - 1];
  if (source === undefined) return undefined;
  const from = Math.max(0, column - 80), shown = source.slice(from, from + 120).replaceAll("\t", " ");
  const mark = column > 0 ? `\n       ${" ".repeat(String(line).length + column - 1 - from)}^` : "";
  return `  ${file}:${line}${column > 0 ? `:${column}` : ""}\n    ${line} | ${shown}${mark}`;
}
