/**
 * The platform's plug-in repository.
 *
 * @module
 */
export {
  MAX_PLUGIN_BYTES,
  PluginRepository,
  RepositoryError,
  type RepositoryErrorCode,
} from "./repository.ts";
