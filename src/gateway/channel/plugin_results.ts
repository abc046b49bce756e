/**
 * What a plug-in's failure is called in answers to the management methods (reference §4).
 *
 * @module
 */
import { PluginResult } from "../../protocol/smart_gateway/mod.ts";
import { PluginError } from "../../sandbox/mod.ts";

/** The result for an error; `otherwise` for those without a number of their own. */
export function pluginResultOf(error: unknown, otherwise: number = PluginResult.GENERAL): number {
  if (!(error instanceof PluginError)) return otherwise;
  switch (error.code) {
    case "absent":
      return PluginResult.ABSENT;
    case "not_running":
    case "closed":
      return PluginResult.NOT_RUNNING;
    case "version":
      return PluginResult.VERSION;
    case "busy":
      return PluginResult.BUSY;
    default:
      return otherwise;
  }
}
