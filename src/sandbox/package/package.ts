/**
 * A package that was read: what is in it, and who signed it.
 *
 * @module
 */
import { ENTRY_MODULE } from "../program.ts";
import type { Program } from "../engine.ts";
import { readArchive } from "./archive.ts";
import { PackageError } from "./errors.ts";
import {
  DEFAULT_PACKAGE_LIMITS,
  MANIFEST_FILE,
  type PackageFiles,
  type PackageLimits,
  SIGNATURES_FILE,
  textOf,
} from "./files.ts";
import { type RawManifest, readManifestFile } from "./manifest_check.ts";
import { contentDigest, type PackageSignature, readSignatures, sha256Hex } from "./signature.ts";

/** The name of a package's file ends with this. */
export const PACKAGE_EXTENSION = ".ghp";

/** Where a program comes from, as far as its package tells. */
export interface Origin {
  /** `manifest.json`, of the right shape. */
  readonly manifest: RawManifest;
  /** Hex SHA-256 of the content: what the signatures are over. */
  readonly digest: string;
  /** Not verified: whoever trusts a key checks them. */
  readonly signatures: readonly PackageSignature[];
}

/** A program out of a package. */
export interface PackagedProgram extends Program {
  readonly origin: Origin;
}

/** A package that was read. Nothing in it was run, and its signatures were not verified. */
export interface PluginPackage extends Origin {
  /** Hex SHA-256 of the archive's bytes. */
  readonly sha256: string;
  /** Its code: the sources by path. */
  readonly program: PackagedProgram;
  /** Everything in it, in its order. */
  readonly files: PackageFiles;
}

/** Reads a package. Throws PackageError. */
export async function readPackage(
  bytes: Uint8Array<ArrayBuffer>,
  limits: PackageLimits = DEFAULT_PACKAGE_LIMITS,
): Promise<PluginPackage> {
  const files = await readArchive(bytes, limits);
  const manifest = readManifestFile(files.get(MANIFEST_FILE));
  const signed = files.get(SIGNATURES_FILE);
  const signatures = signed ? readSignatures(signed) : [];
  const digest = await contentDigest(files, limits);
  const origin: Origin = { manifest, digest, signatures };
  const program = { entry: ENTRY_MODULE, modules: modulesOf(files, limits), origin };
  return { ...origin, sha256: await sha256Hex(bytes), program, files };
}

/** What a program's package tells; undefined where it came without one. */
export function originOf(program: Program): Origin | undefined {
  return "origin" in program ? (program as PackagedProgram).origin : undefined;
}

/** The sources among the files. Throws PackageError `code` or `size`. */
export function modulesOf(
  files: PackageFiles,
  { codeBytes }: PackageLimits = DEFAULT_PACKAGE_LIMITS,
): Record<string, string> {
  const modules: Record<string, string> = Object.create(null);
  let bytes = 0;
  for (const [path, content] of files) {
    if (!path.endsWith(".js")) continue;
    modules[path] = textOf(path, content);
    bytes += content.length;
  }
  if (bytes > codeBytes) {
    throw new PackageError("size", `the package has more than ${codeBytes} bytes of code`);
  }
  if (!Object.hasOwn(modules, ENTRY_MODULE)) {
    throw new PackageError("code", `the package has no "${ENTRY_MODULE}"`);
  }
  return modules;
}
