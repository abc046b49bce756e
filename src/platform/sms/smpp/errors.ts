/**
 * What can go wrong with a short-message centre over SMPP, as a closed set.
 *
 * @module
 */
import { GatehouseError } from "../../../base/mod.ts";

/**
 * - `pdu`: octets that are no PDU
 * - `refused`: the centre refused the bind (`status`)
 * - `lost`: the connection ended before the answer
 * - `timeout`: not answered in time
 */
export type SmppErrorCode = "pdu" | "refused" | "lost" | "timeout";

/** A failure of the connection to a centre. */
export class SmppError extends GatehouseError<SmppErrorCode> {
  override readonly name = "SmppError";

  constructor(code: SmppErrorCode, message: string, readonly status?: number, options?: ErrorOptions) {
    super(code, message, options);
  }
}
