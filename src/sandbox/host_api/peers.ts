/**
 * `plugins.call`: commands of other plug-ins, of those that the manifest names and no others.
 *
 * @module
 */
import { isJsonObject, type JsonObject } from "../json.ts";
import type { HostFunction, PluginCall } from "../types.ts";

/** The functions. */
export function peerFunctions(call: (call: PluginCall) => Promise<JsonObject>): Record<string, HostFunction> {
  return {
    /** `[plugin, command, request]`: the fields that it returned. The command's right may be any but `none`. */
    "plugins.call": async ([plugin, command, request = {}], { manifest, caller }) => {
      if (typeof plugin !== "string" || !manifest.peers.includes(plugin) || plugin === manifest.name) {
        throw new Error(`"${String(plugin).slice(0, 100)}" is not among the peers in the manifest`);
      }
      if (typeof command !== "string") throw new Error("command: not a string");
      if (!isJsonObject(request)) throw new Error("request: not an object");
      return await call({ plugin, command, request, origin: "peer", caller });
    },
  };
}
