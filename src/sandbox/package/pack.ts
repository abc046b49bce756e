/**
 * Making packages, and signing them.
 *
 * @module
 */
import { ENTRY_MODULE } from "../program.ts";
import { writeArchive } from "./archive.ts";
import { checkCode, tsImportsToJs } from "./code.ts";
import { PackageError } from "./errors.ts";
import {
  DEFAULT_PACKAGE_LIMITS,
  MANIFEST_FILE,
  type PackageFiles,
  type PackageLimits,
  PathBook,
  SIGNATURES_FILE,
  textOf,
} from "./files.ts";
import { readManifestFile } from "./manifest_check.ts";
import { type PluginPackage, readPackage } from "./package.ts";
import { contentDigest, signDigest, type SigningKey, writeSignatures } from "./signature.ts";
import { isTypeScript, stripTypes } from "./strip.ts";

/** A package that was made: its bytes, and what a reader finds in them. */
export interface PackedPlugin {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly plugin: PluginPackage;
}

/** How to pack. */
export interface PackOptions {
  /** Who signs it; nobody by default. */
  readonly keys?: readonly SigningKey[];
  readonly limits?: PackageLimits;
}

/**
 * Packs a plug-in: `plugin.js` or `plugin.ts`, the modules and assets beside it and, if there is one, `manifest.json`
 * (it must say what the code's manifest says; where it is missing it is made from that). TypeScript becomes
 * JavaScript. The same files give the same bytes, also when signed. Throws PackageError.
 */
export async function packPlugin(files: PackageFiles, options: PackOptions = {}): Promise<PackedPlugin> {
  const limits = options.limits ?? DEFAULT_PACKAGE_LIMITS;
  refuseSecrets(files);
  const content = await withoutTypes(files, limits);
  content.delete(SIGNATURES_FILE); // of an earlier time
  const { manifest } = await checkCode(content);
  const file = content.get(MANIFEST_FILE);
  if (file) readManifestFile(file);
  else content.set(MANIFEST_FILE, new TextEncoder().encode(JSON.stringify(manifest, undefined, 2) + "\n"));
  return await sealed(content, options.keys ?? [], limits);
}

/** Adds a signature to a package; one by the same key is replaced. Throws PackageError. */
export async function signPackage(
  bytes: Uint8Array<ArrayBuffer>,
  key: SigningKey,
  limits: PackageLimits = DEFAULT_PACKAGE_LIMITS,
): Promise<PackedPlugin> {
  const { files, digest, signatures } = await readPackage(bytes, limits);
  const others = signatures.filter((one) => one.key !== key.id);
  const signed = new Map(files);
  signed.set(SIGNATURES_FILE, writeSignatures([...others, await signDigest(digest, key)]));
  return await written(signed, limits);
}

async function sealed(
  content: Map<string, Uint8Array>,
  keys: readonly SigningKey[],
  limits: PackageLimits,
): Promise<PackedPlugin> {
  if (keys.length > 0) {
    const digest = await contentDigest(content, limits);
    const signatures = await Promise.all(keys.map((key) => signDigest(digest, key)));
    content.set(SIGNATURES_FILE, writeSignatures(signatures));
  }
  return await written(content, limits);
}

/** Writes the archive, and reads it as anybody else will. */
async function written(files: PackageFiles, limits: PackageLimits): Promise<PackedPlugin> {
  const bytes = await writeArchive(files, limits);
  return { bytes, plugin: await readPackage(bytes, limits) };
}

/** The files with each `.ts` module as the `.js` that it becomes. */
async function withoutTypes(files: PackageFiles, limits: PackageLimits): Promise<Map<string, Uint8Array>> {
  const sources = new Map<string, string>(),
    result = new Map<string, Uint8Array>(),
    book = new PathBook(limits);
  for (const [path, bytes] of files) {
    if (path.endsWith(".d.ts")) continue;
    if (isTypeScript(path)) {
      book.add(withoutTs(path));
      sources.set(path, textOf(path, bytes));
    } else {
      book.add(path);
      result.set(path, bytes);
    }
  }
  if (sources.size === 0) return result;
  for (const [path, code] of await stripTypes(sources)) {
    result.set(withoutTs(path), new TextEncoder().encode(await tsImportsToJs(path, code)));
  }
  if (!result.has(ENTRY_MODULE)) {
    throw new PackageError("code", `no "${ENTRY_MODULE}" or "plugin.ts" to pack`);
  }
  return result;
}

function withoutTs(path: string): string {
  return path.slice(0, -".ts".length) + ".js";
}

/** A private key that lies in the folder must not travel with the plug-in. */
function refuseSecrets(files: PackageFiles): void {
  for (const [path, bytes] of files) {
    if (bytes.length < 10_000 && new TextDecoder().decode(bytes).includes('"gatehouse-private-key"')) {
      throw new PackageError("signature", `"${path}" holds a private key: it must not be packed`);
    }
  }
}
