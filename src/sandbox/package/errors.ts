/**
 * The errors of reading and writing packages: a closed set of codes.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/**
 * What is wrong with a package:
 * - `not_package`: these bytes are no package at all;
 * - `corrupt`: cut short, or damaged: its own checksums say so;
 * - `form`: readable, but not as `pack` would have written it (other headers, order, padding, trailing bytes);
 * - `path`: a path that is absolute, leaves the folder, or has characters that no package may have;
 * - `link`: an entry is a link, a folder, a device, anything but a regular file;
 * - `duplicate`: two entries with one path, also where only upper and lower case differ;
 * - `size`: more bytes than it declares, or than it may have;
 * - `files`: more files than it may have;
 * - `manifest`: `manifest.json` or the exported manifest is not valid: `faults` has each with its path;
 * - `mismatch`: `manifest.json` says other than the manifest that the code exports: `faults` has the paths;
 * - `code`: no `plugin.js`, or a module that is not text or can't be parsed;
 * - `typescript`: a `.ts` source that can't be made JavaScript; the message names file and line;
 * - `signature`: the signatures are not readable, or a key file is not.
 */
export type PackageErrorCode =
  | "not_package"
  | "corrupt"
  | "form"
  | "path"
  | "link"
  | "duplicate"
  | "size"
  | "files"
  | "manifest"
  | "mismatch"
  | "code"
  | "typescript"
  | "signature";

/** Why a package was not made or not taken. */
export class PackageError extends GatehouseError<PackageErrorCode> {
  override readonly name = "PackageError";

  /** `faults`: every fault with its path, where there can be several. */
  constructor(
    code: PackageErrorCode,
    message: string,
    options?: ErrorOptions,
    readonly faults: readonly string[] = [],
  ) {
    super(code, message, options);
  }
}
