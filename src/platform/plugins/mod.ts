/**
 * The platform's plug-in repository.
 *
 * @module
 */
export { ManifestError, type ManifestErrorCode, readManifest } from "./manifest_source.ts";
export {
  MAX_PLUGIN_BYTES,
  PluginRepository,
  RepositoryError,
  type RepositoryErrorCode,
} from "./repository.ts";
