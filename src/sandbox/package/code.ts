/**
 * Looking at a package's code without running it: that it parses, and what manifest it exports.
 *
 * The parser is loaded when it is needed: a gateway, which runs the code, does without it.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";
import { ENTRY_MODULE } from "../program.ts";
import { PackageError } from "./errors.ts";
import { MANIFEST_FILE, type PackageFiles } from "./files.ts";
import { checkSame, checkShape, type RawManifest, readManifestFile } from "./manifest_check.ts";
import { modulesOf } from "./package.ts";

/**
 * Checks the code among a package's files: every module parses, the manifest is a literal of the right shape and
 * says what `manifest.json` says, if that is there. Throws PackageError `code`, `manifest` or `mismatch`.
 */
export async function checkCode(files: PackageFiles): Promise<{ manifest: RawManifest }> {
  const { checkModule, readManifest } = await import("./manifest_source.ts");
  const modules = modulesOf(files);
  const told = <T>(path: string, look: () => T): T => {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error;
      const code = error.code === "manifest" ? "manifest" : "code";
      throw new PackageError(code, `"${path}": ${error.message}`, { cause: error });
    }
  };
  for (const [path, text] of Object.entries(modules)) told(path, () => checkModule(text));
  const written = told(ENTRY_MODULE, () => readManifest(modules[ENTRY_MODULE]!));
  // As JSON has it, so that both can be compared and the one can become the other.
  const manifest = checkShape(JSON.parse(JSON.stringify(written)));
  const file = files.get(MANIFEST_FILE);
  if (file) checkSame(readManifestFile(file), manifest);
  return { manifest };
}

/** Lets relative imports name the `.js` files that `.ts` files become. Both are as long: nothing moves. */
export async function tsImportsToJs(path: string, code: string): Promise<string> {
  const { importsIn } = await import("./manifest_source.ts");
  let imports;
  try {
    imports = importsIn(code);
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    throw new PackageError("code", `"${path}": ${error.message}`, { cause: error });
  }
  let result = code;
  for (const { specifier, end } of imports) {
    if (!/^\.\.?\/.*\.ts$/.test(specifier)) continue;
    // `end` is behind the closing quote.
    result = result.slice(0, end - 4) + ".js" + result.slice(end - 1);
  }
  return result;
}

/** The manifest in a plug-in of one source, of the right shape. Throws PackageError `code` or `manifest`. */
export async function checkSource(source: string): Promise<RawManifest> {
  const { manifest } = await checkCode(new Map([[ENTRY_MODULE, new TextEncoder().encode(source)]]));
  return manifest;
}
