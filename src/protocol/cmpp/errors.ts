/**
 * What can be wrong with CMPP bytes and messages, as a closed set.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/**
 * - `total_length`: Total_Length is below the header's 12 octets or above the limit; the stream can't be followed
 * - `command`: the Command_Id is none of the version spoken
 * - `length`: Total_Length does not fit the message and its counts
 * - `value`: a field holds what it may not (the message names field and value)
 * - `text`: a text can't be written in the Msg_Fmt asked for
 * - `too_long`: a text needs more parts than a long message can have
 */
export type CmppErrorCode = "total_length" | "command" | "length" | "value" | "text" | "too_long";

/** A failure of the CMPP codec. Where the header could be read, `commandId` and `sequence` say whose it was. */
export class CmppError extends GatehouseError<CmppErrorCode> {
  override readonly name = "CmppError";

  constructor(
    code: CmppErrorCode,
    message: string,
    readonly commandId?: number,
    readonly sequence?: number,
  ) {
    super(code, message);
  }
}
