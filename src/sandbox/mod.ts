/**
 * Plug-ins in QuickJS: loading, running, limiting and calling code that is not trusted. Knows nothing of gateways.
 *
 * @module
 */
export type { PluginContent } from "./content.ts";
export { PluginError, type PluginErrorCode } from "./errors.ts";
export type { Figures, Latency } from "./figures.ts";
export { type HostCommand } from "./host_process.ts";
export { isJsonObject, type Json, type JsonObject } from "./json.ts";
export { LOG_LINES, type LogQuery, type PluginLogLine } from "./log_lines.ts";
export { createPluginManager } from "./manager.ts";
export {
  API_VERSIONS,
  type Auth,
  declaredFor,
  type DeclaredPaths,
  DEFAULT_CEILINGS,
  DEFAULT_LIMITS,
  type Manifest,
  type ManifestCommand,
  type PluginLimits,
  type Right,
  RIGHTS,
} from "./manifest.ts";
export { writeWhole } from "./store.ts";
export type {
  Capabilities,
  HostCall,
  HostFunction,
  PluginCall,
  PluginEvent,
  PluginHost,
  PluginManager,
  PluginManagerOptions,
  PluginState,
  PluginStatus,
} from "./types.ts";
