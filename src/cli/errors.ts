/**
 * What ends the program, with the exit code that goes with it.
 *
 * @module
 */
import { GatehouseError, messageOf } from "../base/mod.ts";

/** Exit codes, as `--help` and docs/operating.md list them. */
export const EXIT = {
  /** Stopped cleanly, or printed what was asked for. */
  ok: 0,
  /** Could not start, or could not stop in good order. */
  failed: 1,
  /** Flags, environment or configuration file are wrong. */
  usage: 2,
} as const;

/** The reader asked for something that can't be: one sentence that names the flag and what is allowed. Exit 2. */
export class UsageError extends GatehouseError<"usage"> {
  override readonly name = "UsageError";
  constructor(message: string) {
    super("usage", message);
  }
}

/** What was asked for is fine, but the machine does not let it be: one sentence that names the flag. Exit 1. */
export class StartError extends GatehouseError<"start"> {
  override readonly name = "StartError";
  constructor(message: string, options?: ErrorOptions) {
    super("start", message, options);
  }
}

/** Why a file can't be used, without the system's numbers. */
export function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AlreadyExists) return "there is a file already";
  return messageOf(error).split("\n")[0]!.replace(/ \(os error \d+\).*$/, "");
}
