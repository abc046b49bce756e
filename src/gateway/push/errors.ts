/**
 * What can go wrong with a message before it is taken, as a closed set of codes.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/**
 * - `full`: too much waits for the platform already; nothing of it is given up for a newer message
 * - `too_large`: longer than a message may be
 * - `storage`: the disk did not take it
 * - `closed`: the gateway is stopping
 */
export type PushErrorCode = "full" | "too_large" | "storage" | "closed";

/** A message that was not taken: it will not reach the platform. */
export class PushError extends GatehouseError<PushErrorCode> {
  override readonly name = "PushError";
}
