/**
 * What can be wrong with bytes from the wire, or with a message about to be sent: a closed set.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";
import type { TransactionId } from "./identifiers.ts";

/** Why a message was refused. */
export type ProtocolErrorCode =
  /** Longer than a datagram or frame may be. */
  | "oversize"
  /** Not UTF-8. */
  | "utf8"
  /** Not JSON, or not a JSON object. */
  | "json"
  /** JSON nested deeper than any message of the protocol is. */
  | "depth"
  /** Neither a method that this link knows nor a reply. */
  | "unknown_method"
  /** A field that must be there is not. */
  | "missing_field"
  /** A field of the wrong JSON type. */
  | "wrong_type"
  /** A field longer than it may be. */
  | "too_long"
  /** A field of the right type whose value makes no sense. */
  | "bad_value";

/** More about a {@linkcode ProtocolError}. */
export interface ProtocolErrorDetail extends ErrorOptions {
  /** The field's name on the wire. */
  field?: string | undefined;
  /** The method as it stood on the wire. */
  method?: string | undefined;
  /** The message's `ID`, where it could still be read: an answer can then name it. */
  id?: TransactionId | undefined;
}

/** The only error that this folder's codecs throw, whatever bytes they are fed. */
export class ProtocolError extends GatehouseError<ProtocolErrorCode> {
  override readonly name = "ProtocolError";
  readonly field: string | undefined;
  readonly method: string | undefined;
  readonly id: TransactionId | undefined;

  constructor(code: ProtocolErrorCode, message: string, detail: ProtocolErrorDetail = {}) {
    super(code, message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.field = detail.field;
    this.method = detail.method;
    this.id = detail.id;
  }
}
