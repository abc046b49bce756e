/**
 * The sources of a plug-in and the paths within them.
 *
 * @module
 */

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
