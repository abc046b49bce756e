/**
 * From what somebody hands over (a package, TypeScript) to a program, with errors that are the sandbox's own.
 *
 * @module
 */
import type { Program } from "./engine.ts";
import { PluginError } from "./errors.ts";
import type { Manifest } from "./manifest.ts";
import { checkAgrees, isTypeScript, originOf, PackageError, readPackage, stripTypes } from "./package/mod.ts";
import { ENTRY_MODULE, programOf } from "./program.ts";

/** The file that holds the package in the folder of a version that was installed from one. */
export const PACKAGE_FILE = "package.ghp";
/** The module that a folder may have in place of {@linkcode ENTRY_MODULE}. */
export const TYPED_ENTRY_MODULE = "plugin.ts";

/** What may be installed: a package, the source of a single module, or sources by path. */
export type PluginContent = Uint8Array<ArrayBuffer> | string | Readonly<Record<string, string>>;

/** The program in `content`, and the files that are kept of it. Throws PluginError `invalid` or `limit`. */
export async function contentOf(
  name: string,
  content: PluginContent,
): Promise<{ program: Program; kept: Readonly<Record<string, string | Uint8Array>> }> {
  if (content instanceof Uint8Array) {
    // Kept as it came: its signatures are over all of it, and are asked for again at each start.
    return { program: await packageProgram(content), kept: { [PACKAGE_FILE]: content } };
  }
  const sources = typeof content === "string" ? { [ENTRY_MODULE]: content } : content;
  return { program: programOf(name, sources), kept: sources };
}

/** The program in a package. Throws PluginError `invalid` or `limit`. */
export async function packageProgram(bytes: Uint8Array<ArrayBuffer>): Promise<Program> {
  return await asPluginError(async () => (await readPackage(bytes)).program);
}

/**
 * Modules with the types taken out of those that have any. They keep their paths, so that imports and errors name the
 * files that the author knows. Throws PluginError `invalid` or `limit`.
 */
export async function withoutTypes(
  modules: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const typed = new Map(Object.entries(modules).filter(([path]) => isTypeScript(path)));
  const result: Record<string, string> = Object.assign(Object.create(null), modules);
  if (typed.size === 0) return result;
  for (const [path, code] of await asPluginError(() => stripTypes(typed))) result[path] = code;
  return result;
}

/** Throws PluginError `invalid` where a program that came in a package says other than the package's manifest. */
export function checkOrigin(program: Program, manifest: Manifest): void {
  const origin = originOf(program);
  if (!origin) return;
  try {
    checkAgrees(origin.manifest, manifest);
  } catch (error) {
    throw pluginErrorOf(error);
  }
}

async function asPluginError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw pluginErrorOf(error);
  }
}

function pluginErrorOf(error: unknown): unknown {
  if (!(error instanceof PackageError)) return error;
  const code = error.code === "size" || error.code === "files" ? "limit" : "invalid";
  return new PluginError(code, error.message, { cause: error }, error.faults);
}
