/**
 * The platform's plug-in repository.
 *
 * @module
 */
export { RepositoryError, type RepositoryErrorCode } from "./errors.ts";
export {
  type Channel,
  CHANNELS,
  type NewPlugin,
  type PluginFilter,
  type PluginKey,
  PluginRepository,
} from "./repository.ts";
export { shippedManifests } from "./shipped.ts";
export { MAX_PLUGIN_BYTES } from "./upload.ts";
export type { Vouched } from "./vouch.ts";
