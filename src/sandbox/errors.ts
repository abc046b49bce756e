/**
 * The errors of the sandbox: a closed set of codes, so that a gateway can map them to results on the wire.
 *
 * @module
 */
import { GatehouseError } from "../base/mod.ts";

/**
 * What went wrong:
 * - `absent`: no such plug-in;
 * - `not_running`: it is there, but stopped, errored or broken;
 * - `version`: it is there in another version than the one asked for;
 * - `unknown_command`: it (or, where no plug-in was named, any plug-in) has no such command;
 * - `no_right`: the command may not be called from where the call came;
 * - `busy`: too many calls in flight;
 * - `timeout`: no answer within the time allowed, or too long on the processor in one go;
 * - `failed`: the plug-in threw; the message is its own;
 * - `crashed`: the plug-in, or the process that hosts it, broke off in the middle of the call;
 * - `limit`: a size, depth or memory limit was reached;
 * - `invalid`: the package or its manifest is at fault; `faults` lists everything that was found;
 * - `untrusted`: nobody that is trusted vouches for it, or it asks for more than it is trusted with;
 * - `closed`: the manager was shut down.
 */
export type PluginErrorCode =
  | "absent"
  | "not_running"
  | "version"
  | "unknown_command"
  | "no_right"
  | "busy"
  | "timeout"
  | "failed"
  | "crashed"
  | "limit"
  | "invalid"
  | "untrusted"
  | "closed";

/** A failure of a plug-in or of a call to one. */
export class PluginError extends GatehouseError<PluginErrorCode> {
  override readonly name = "PluginError";

  /** `faults`: with code `invalid`, each fault with its path, such as `manifest.limits.callMs: …`. */
  constructor(
    code: PluginErrorCode,
    message: string,
    options?: ErrorOptions,
    readonly faults: readonly string[] = [],
  ) {
    super(code, message, options);
  }
}

/** A plug-in names itself as another one that is there. */
export class NameTaken extends PluginError {
  /** `holder`: the entry of the other one. */
  constructor(readonly taken: string, holder: string) {
    super("invalid", `manifest.name: "${taken}" is taken by "${holder}"`);
  }
}

const CODES: readonly string[] = [
  "absent",
  "not_running",
  "version",
  "unknown_command",
  "no_right",
  "busy",
  "timeout",
  "failed",
  "crashed",
  "limit",
  "invalid",
  "untrusted",
  "closed",
] satisfies PluginErrorCode[];

/** Whether `value`, from another process, is one of our codes. */
export function isPluginErrorCode(value: unknown): value is PluginErrorCode {
  return typeof value === "string" && CODES.includes(value);
}
