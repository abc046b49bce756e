/**
 * The sources of a plug-in and the paths within them.
 *
 * @module
 */
import type { Program } from "./engine.ts";
import { PluginError } from "./errors.ts";

/** The module that a folder must have. */
export const ENTRY_MODULE = "plugin.js";
/** The largest plug-in, all its files together, in bytes. */
export const PLUGIN_BYTES = 4 * 1024 * 1024;

/**
 * The path of the module that `specifier` names when imported by the module `from`: relative imports only, and
 * none that leaves the folder. Undefined for anything else.
 */
export function resolveModule(from: string, specifier: string): string | undefined {
  if (!/^\.\.?\//.test(specifier) || specifier.includes("\0") || specifier.includes("\\")) return undefined;
  const path = from.split("/").slice(0, -1);
  for (const segment of specifier.split("/")) {
    if (segment === "..") {
      if (path.pop() === undefined) return undefined;
    } else if (segment !== "." && segment !== "") path.push(segment);
  }
  return path.join("/");
}

/** The program in a package: one source, or sources by path. Throws PluginError `invalid` or `limit`. */
export function programOf(name: string, files: string | Readonly<Record<string, string>>): Program {
  const modules: Record<string, string> = Object.create(null);
  if (typeof files === "string") modules[`${name}.js`] = files;
  else Object.assign(modules, files);
  let bytes = 0;
  for (const [path, text] of Object.entries(modules)) {
    if (
      !/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,7}$/.test(path) ||
      !path.endsWith(".js")
    ) {
      throw new PluginError(
        "invalid",
        `"${path}": a path of letters, digits, '.', '_', '-' that ends in ".js"`,
      );
    }
    if (text.includes("\0")) throw new PluginError("invalid", `"${path}" is not text`);
    bytes += new TextEncoder().encode(text).length;
  }
  if (bytes > PLUGIN_BYTES) throw new PluginError("limit", `${bytes} bytes: ${PLUGIN_BYTES} at most`);
  const entry = typeof files === "string" ? `${name}.js` : ENTRY_MODULE;
  if (modules[entry] === undefined) throw new PluginError("invalid", `no "${ENTRY_MODULE}" among the files`);
  return { entry, modules };
}
