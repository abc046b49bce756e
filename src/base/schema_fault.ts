/**
 * What a schema says of a value, in words that ask for no knowledge of the library that checks it.
 *
 * @module
 */

/** What is used here of an issue as valibot gives it. */
export interface SchemaIssue {
  readonly message: string;
  readonly expected: string | null;
  readonly received: string;
}

/** What is wrong, to stand behind the place of it: `is missing`, `Unknown key`, or as the schema says it. */
export function faultOf({ message, expected, received }: SchemaIssue): string {
  if (!message.startsWith("Invalid key: ")) return message;
  if (expected === "never") return "Unknown key";
  return received === "undefined" ? "is missing" : message;
}
