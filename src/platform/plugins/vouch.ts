/**
 * Who vouches for a plug-in of the repository: its signatures, checked against the platform's trusted keys.
 *
 * Asked when it is taken in, when it is shown and when it is handed out, so that a key that was revoked in the
 * meantime counts no more.
 *
 * @module
 */
import {
  type PackagedProgram,
  type PackageSignature,
  PluginError,
  type RawManifest,
  type TrustStore,
} from "../../sandbox/package/mod.ts";
import type { PluginRow } from "../registry/mod.ts";

/** What is known of a plug-in's signatures now. */
export interface Vouched {
  /** `refused`: it must not be handed out. */
  readonly tier: "carrier" | "vendor" | "community" | "unsigned" | "refused";
  /** The key that counts. */
  readonly key: string | null;
  /** Why it is refused. */
  readonly reason: string | null;
}

/** What is looked at of a row. */
export type Signed = Pick<PluginRow, "content_digest" | "signatures" | "manifest">;

/** Asks the trusted keys about a plug-in. */
export async function vouchedFor(trust: Pick<TrustStore, "admit">, row: Signed): Promise<Vouched> {
  const manifest = JSON.parse(row.manifest) as RawManifest;
  try {
    const admission = await trust.admit(programOf(row, manifest), "carrier");
    const list = (value: unknown) => Array.isArray(value) ? value as string[] : [];
    // What the manifest leaves out is the gateway's default, which no sensible tier forbids; it checks that itself.
    admission.check({
      capabilities: list(manifest["capabilities"]),
      limits: { ...manifest["limits"] as object } as never,
      peers: list(manifest["peers"]),
      hosts: list(manifest["hosts"]),
      parameters: { ...manifest["parameters"] as object },
    });
    return { tier: admission.tier, key: admission.key ?? null, reason: null };
  } catch (error) {
    if (!(error instanceof PluginError) || error.code !== "untrusted") throw error;
    return { tier: "refused", key: null, reason: error.message };
  }
}

/** As much of the program as its signatures are about. */
function programOf(
  { content_digest: digest, signatures }: Signed,
  manifest: RawManifest,
): Parameters<TrustStore["admit"]>[0] | PackagedProgram {
  const program = { entry: "", modules: {} };
  if (digest === null || signatures === null) return program;
  const list = JSON.parse(signatures) as { key: string; signature: string }[];
  return {
    ...program,
    origin: {
      manifest,
      digest,
      signatures: list.map(({ key, signature }): PackageSignature => ({
        key,
        signature: Uint8Array.fromBase64(signature),
      })),
    },
  };
}
