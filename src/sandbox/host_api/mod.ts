/**
 * The part of the host API that has nothing to do with any device: storage, timers, peers, digests and randomness.
 * What a device can do comes from whoever makes the manager.
 *
 * @module
 */
import type { Clock, Random } from "../../base/mod.ts";
import type { Capabilities } from "../types.ts";
import { cryptoFunctions } from "./crypto.ts";
import { type PeerDeps, peerFunctions } from "./peers.ts";
import { PluginStorage, storageFunctions } from "./storage.ts";
import { timerFunctions } from "./timers.ts";

export { PluginStorage };

/** What the functions work with. */
export interface HostApiDeps extends PeerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: PluginStorage;
}

/** Names of the capabilities; nobody else may define them. */
export const HOST_API = ["storage", "timers", "plugins.call", "crypto"] as const;

/** The functions by capability. */
export function hostApi({ clock, random, storage, ...peers }: HostApiDeps): Capabilities {
  return {
    "storage": storageFunctions(storage),
    "timers": timerFunctions(clock),
    "plugins.call": peerFunctions(peers),
    "crypto": cryptoFunctions(random),
  };
}
