/**
 * The part of the host API that has nothing to do with any device: storage, timers, peers, digests and randomness.
 * What a device can do comes from whoever makes the manager.
 *
 * @module
 */
import type { Clock, Random } from "../../base/mod.ts";
import type { JsonObject } from "../json.ts";
import type { Capabilities, PluginCall } from "../types.ts";
import { cryptoFunctions } from "./crypto.ts";
import { peerFunctions } from "./peers.ts";
import { PluginStorage, storageFunctions } from "./storage.ts";
import { timerFunctions } from "./timers.ts";

export { PluginStorage };

/** What the functions work with. */
export interface HostApiDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: PluginStorage;
  readonly call: (call: PluginCall) => Promise<JsonObject>;
}

/** Names of the capabilities; nobody else may define them. */
export const HOST_API = ["storage", "timers", "plugins.call", "crypto"] as const;

/** The functions by capability. */
export function hostApi({ clock, random, storage, call }: HostApiDeps): Capabilities {
  return {
    "storage": storageFunctions(storage),
    "timers": timerFunctions(clock),
    "plugins.call": peerFunctions(call),
    "crypto": cryptoFunctions(random),
  };
}
