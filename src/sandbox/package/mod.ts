/**
 * Packages of plug-ins and who is trusted to make them: reading, packing, signing, trusting. Loads no engine.
 *
 * @module
 */
export { PluginError } from "../errors.ts";
export { looksPacked } from "./archive.ts";
export { checkCode, checkSource } from "./code.ts";
export { PackageError, type PackageErrorCode } from "./errors.ts";
export {
  DEFAULT_PACKAGE_LIMITS,
  MANIFEST_FILE,
  type PackageFiles,
  type PackageLimits,
  SIGNATURES_FILE,
} from "./files.ts";
export { packFolder } from "./folder.ts";
export { checkAgrees, manifestFaults, type RawManifest } from "./manifest_check.ts";
export { type PackedPlugin, type PackOptions, packPlugin, signPackage } from "./pack.ts";
export {
  type Origin,
  originOf,
  PACKAGE_EXTENSION,
  type PackagedProgram,
  type PluginPackage,
  readPackage,
} from "./package.ts";
export {
  keyIdOf,
  makeKeys,
  type PackageSignature,
  readPrivateKey,
  readPublicKey,
  type SigningKey,
  verifyDigest,
} from "./signature.ts";
export { isTypeScript, stripTypes } from "./strip.ts";
export {
  type Admission,
  KEY_TIERS,
  type KeyTier,
  REQUIRE_SIGNED,
  type RequireSigned,
  type Tier,
  type TierCaps,
  TIERS,
} from "./tiers.ts";
export { TIER_CAPS } from "./trust_file.ts";
export { type NewKey, type TrustedKey, TrustError, type TrustErrorCode, TrustStore } from "./trust.ts";
