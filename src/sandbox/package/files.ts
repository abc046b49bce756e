/**
 * What files a package may hold: their paths, their number, their sizes, their order.
 *
 * @module
 */
import { PackageError } from "./errors.ts";

/** Files by path, `/` between segments. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;

/** The static copy of the manifest; the first file of every package. */
export const MANIFEST_FILE = "manifest.json";
/** The signatures; the last file of a signed package, and not itself signed. */
export const SIGNATURES_FILE = "signatures.json";

/** Bounds of a package. */
export interface PackageLimits {
  /** The archive as it is sent and stored, in bytes. */
  readonly packedBytes: number;
  /** All that it inflates to, headers included, in bytes. */
  readonly bytes: number;
  /** Its JavaScript, in bytes: what a platform parses and a gateway runs; the rest is assets. */
  readonly codeBytes: number;
  readonly files: number;
}

/** 4 MiB packed, 8 MiB unpacked, 1 MiB of code, 256 files. */
export const DEFAULT_PACKAGE_LIMITS: PackageLimits = {
  packedBytes: 4 << 20,
  bytes: 8 << 20,
  codeBytes: 1 << 20,
  files: 256,
};

/** The longest path in bytes: what one tar header holds. */
const PATH_BYTES = 100;
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const DEPTH = 8;

/** Throws PackageError `path` where a file may not have this path. */
export function checkPath(path: string): void {
  const fault = faultOf(path);
  if (fault) throw new PackageError("path", `"${shown(path)}": ${fault}`);
}

function faultOf(path: string): string | undefined {
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "the path is absolute";
  const segments = path.split("/");
  if (segments.includes("..")) return "the path leaves the folder";
  if (path.length > PATH_BYTES) return `the path is longer than ${PATH_BYTES} characters`;
  if (segments.length > DEPTH) return `the path is deeper than ${DEPTH} folders`;
  if (!segments.every((segment) => SEGMENT.test(segment))) {
    return "a path has letters, digits, '.', '_', '-' only, and no name in it starts with a dot";
  }
  return undefined;
}

/** Keeps the books of the paths of one package. Throws PackageError `path`, `duplicate` or `files`. */
export class PathBook {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  constructor(private readonly limits: PackageLimits) {}

  add(path: string): void {
    checkPath(path);
    if (this.#files.size >= this.limits.files) {
      throw new PackageError("files", `the package has more than ${this.limits.files} files`);
    }
    const key = path.toLowerCase(); // some file systems tell no case
    if (this.#files.has(key)) throw new PackageError("duplicate", `"${path}" is there twice`);
    const folders = key.split("/").slice(0, -1).map((_, i, all) => all.slice(0, i + 1).join("/"));
    if (this.#folders.has(key) || folders.some((folder) => this.#files.has(folder))) {
      throw new PackageError("duplicate", `"${path}" is a file and a folder`);
    }
    this.#files.add(key);
    for (const folder of folders) this.#folders.add(folder);
  }
}

/** The order of files in a package: the manifest, the others by path, the signatures. Below 0: `a` comes first. */
export function compareFiles(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function rank(path: string): number {
  return path === MANIFEST_FILE ? 0 : path === SIGNATURES_FILE ? 2 : 1;
}

/** The bytes as text. Throws PackageError `code` where they are none. */
export function textOf(path: string, bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // told below
  }
  throw new PackageError("code", `"${path}" is not UTF-8 text`);
}

/** A path of unknown content as it may stand in an error and a log. */
export function shown(path: string): string {
  const printable = path.replace(/[^\x20-\x7e]/g, "?");
  return printable.length > 120 ? printable.slice(0, 120) + "…" : printable;
}
