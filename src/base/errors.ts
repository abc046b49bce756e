/**
 * The root of every error that the house throws on purpose.
 *
 * Each layer has an `errors.ts` with a closed set of codes. A message says what was wrong with what value and,
 * where the reader can do something, what: no full stop, a colon before the detail, values quoted.
 *
 * @module
 */

/** An expected failure with a stable `code`, fit for a program to branch on. */
export class GatehouseError<Code extends string = string> extends Error {
  override readonly name: string = "GatehouseError";

  constructor(readonly code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
