/**
 * What can go wrong for a service provider's client, as a closed set.
 *
 * @module
 */
import { GatehouseError } from "../base/mod.ts";

/**
 * - `refused`: CONNECT was answered with a Status other than 0 (`status`); with 1 to 4 trying again would be answered
 *   alike, with others the client goes on trying
 * - `unproven`: the gateway's digest does not show that it knows the secret
 * - `lost`: the connection ended before the answer: whether the gateway took the request is not known
 * - `timeout`: sent N times and not answered: whether the gateway took it is not known
 * - `full`: too much waits already
 * - `closed`: the client was closed
 */
export type SpErrorCode = "refused" | "unproven" | "lost" | "timeout" | "full" | "closed";

/** A failure of the client. */
export class SpError extends GatehouseError<SpErrorCode> {
  override readonly name = "SpError";

  constructor(code: SpErrorCode, message: string, readonly status?: number) {
    super(code, message);
  }
}
