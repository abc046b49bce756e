/**
 * `plugins.call`: commands of other plug-ins, of those that the manifest names and no others.
 *
 * @module
 */
import { isJsonObject, type JsonObject } from "../json.ts";
import type { HostFunction, PluginCall } from "../types.ts";

/** What the functions work with. */
export interface PeerDeps {
  readonly call: (call: PluginCall) => Promise<JsonObject>;
  /** Whether this guest's tier lets it call the plug-in of that name. True where there is none: the call says so. */
  readonly mayCall: (guest: number, plugin: string) => boolean;
}

/** The functions. */
export function peerFunctions({ call, mayCall }: PeerDeps): Record<string, HostFunction> {
  return {
    /** `[plugin, command, request]`: the fields that it returned. The command's right may be any but `none`, and it has no `auth`. */
    "plugins.call": async ([plugin, command, request = {}], { manifest, guest, caller }) => {
      if (plugin === manifest.name) throw new Error(`"${plugin}" is this plug-in itself`);
      if (typeof plugin !== "string" || !manifest.peers.includes(plugin)) {
        throw new Error(`"${String(plugin).slice(0, 100)}" is not among the peers in the manifest`);
      }
      if (!mayCall(guest, plugin)) throw new Error(`"${plugin}" may not be called by a plug-in of this tier`);
      if (typeof command !== "string") throw new Error("command: not a string");
      if (!isJsonObject(request)) throw new Error("request: not an object");
      return await call({ plugin, command, request, origin: "peer", caller });
    },
  };
}
