/**
 * How the machine says that it did not do something.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/** Why the machine did not do it: `unsupported` here, `invalid` arguments, `busy`, or it `failed`. */
export type DriverErrorCode = "unsupported" | "invalid" | "busy" | "failed";

/** A failure with a reason that may be shown to whoever asked: it becomes Status "1" with this FailReason. */
export class DriverError extends GatehouseError<DriverErrorCode> {
  override readonly name = "DriverError";
}

/** The error of a part that this machine does not have. `what`: a clause, `there is no optical module`. */
export function unsupported(what: string, options?: ErrorOptions): DriverError {
  return new DriverError("unsupported", what, options);
}
