/**
 * What can go wrong with parameters: a closed set of codes, each with the fault that CWMP has for it.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/**
 * - `unknown`: no parameter, table or instance of this name (CWMP 9005);
 * - `type`: not a value of the parameter's type (9006);
 * - `value`: of the type, but out of range (9007);
 * - `read_only`: nobody may write it from outside (9008);
 * - `no_right`: its owner is another: this writer may not (9001);
 * - `limit`: no more instances, or values in one call, are taken (9004);
 * - `unavailable`: this machine has nothing that it could be read from or brought into force with (9002);
 * - `apply`: the machine did not take it; nothing was kept (9002);
 * - `disk`: it could not be written to the disk; nothing was kept (9002);
 * - `document`: a document to be imported can't be read (9018).
 */
export type ParameterErrorCode =
  | "unknown"
  | "type"
  | "value"
  | "read_only"
  | "no_right"
  | "limit"
  | "unavailable"
  | "apply"
  | "disk"
  | "document";

/** What is wrong with one parameter of several. */
export interface ParameterFault {
  readonly name: string;
  readonly code: ParameterErrorCode;
  readonly message: string;
}

/** A refusal. Where several parameters were named, `faults` has each that is at fault. Holds no values. */
export class ParameterError extends GatehouseError<ParameterErrorCode> {
  override readonly name = "ParameterError";

  constructor(
    code: ParameterErrorCode,
    message: string,
    options?: ErrorOptions,
    readonly faults: readonly ParameterFault[] = [],
  ) {
    super(code, message, options);
  }
}

/** The number that CWMP has for each code. */
export const CWMP_FAULTS: Readonly<Record<ParameterErrorCode, number>> = {
  unknown: 9005,
  type: 9006,
  value: 9007,
  read_only: 9008,
  no_right: 9001,
  limit: 9004,
  unavailable: 9002,
  apply: 9002,
  disk: 9002,
  document: 9018,
};

/** One error for one or several faults. */
export function errorOf(faults: readonly ParameterFault[]): ParameterError {
  const [first] = faults;
  if (!first) throw new TypeError("no fault");
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return new ParameterError(first.code, `${first.message}${more}`, {}, faults);
}
