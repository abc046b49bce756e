/**
 * What a plug-in's bytes turn out to be, without running any of it.
 *
 * @module
 */
import { isVersion } from "../../protocol/smart_gateway/mod.ts";
import {
  checkCode,
  checkSource,
  DEFAULT_PACKAGE_LIMITS,
  looksPacked,
  PackageError,
  type RawManifest,
  readPackage,
} from "../../sandbox/package/mod.ts";
import type { PluginRow } from "../registry/mod.ts";
import { RepositoryError } from "./errors.ts";

/** The largest plug-in taken in, in bytes: a package, and a single source. */
export const MAX_PLUGIN_BYTES = DEFAULT_PACKAGE_LIMITS.packedBytes;
const MAX_SOURCE_BYTES = 1024 * 1024;

/** A plug-in that was looked at. */
export interface Upload {
  readonly manifest: RawManifest;
  readonly format: PluginRow["format"];
  /** What its row keeps of who signed it. Not verified: see `vouch.ts`. */
  readonly signed: Pick<PluginRow, "signed_by" | "content_digest" | "signatures">;
}

/** Looks at a plug-in. @throws {RepositoryError} `invalid` */
export async function lookAt(bytes: Uint8Array<ArrayBuffer>): Promise<Upload> {
  try {
    const found = looksPacked(bytes) ? await lookAtPackage(bytes) : await lookAtSource(bytes);
    // A version that the protocol can't carry could never be asked for.
    if (isVersion(found.manifest.version)) return found;
    const fault = 'manifest.version: dotted decimal, such as "1.0"';
    throw new RepositoryError("invalid", `the manifest is not valid: ${fault}`, {}, [fault]);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new RepositoryError("invalid", error.message, { cause: error }, error.faults);
  }
}

async function lookAtPackage(bytes: Uint8Array<ArrayBuffer>): Promise<Upload> {
  const { manifest, files, signatures, digest } = await readPackage(bytes);
  await checkCode(files);
  return {
    manifest,
    format: "package",
    signed: {
      signed_by: JSON.stringify(signatures.map(({ key }) => key)),
      content_digest: digest,
      signatures: JSON.stringify(
        signatures.map(({ key, signature }) => ({ key, signature: signature.toBase64() })),
      ),
    },
  };
}

async function lookAtSource(bytes: Uint8Array): Promise<Upload> {
  if (bytes.length > MAX_SOURCE_BYTES) {
    throw new RepositoryError("invalid", `a single source has at most ${MAX_SOURCE_BYTES} bytes: pack it`);
  }
  let source;
  try {
    source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new RepositoryError("invalid", "the plug-in is neither a package nor UTF-8 text", { cause: error });
  }
  const signed = { signed_by: "[]", content_digest: null, signatures: null };
  return { manifest: await checkSource(source), format: "script", signed };
}
