/**
 * What a schema says of a manifest, in words for its author.
 *
 * @module
 */
import { closest } from "../suggest.ts";

/** Fields of a manifest and of its commands, and its limits. */
const FIELDS: readonly string[] = [
  ...["name", "version", "apiVersion", "description", "author", "commands", "capabilities", "peers", "hosts"],
  ...["parameters", "limits", "right", "auth", "fields", "label", "required", "pattern", "values"],
];
const LIMITS: readonly string[] = [
  ...["memoryMb", "callMs", "cpuMs", "calls", "queue", "storageKb", "logsPerSecond", "timers"],
  "messagesPerMinute",
];

/** The same text with what is missing, unknown or of another type told plainly. */
export function inWords(text: string): string {
  return text
    .replaceAll(/(manifest\.[\w.-]+): is missing/g, "$1: it is missing")
    .replaceAll(
      /(manifest\.(?:[\w.-]*\.)?)([\w-]+): Unknown key/g,
      (_, path: string, field: string) => {
        const near = closest(field, path.startsWith("manifest.limits.") ? LIMITS : FIELDS);
        return `${path}${field}: there is no such field${
          near === undefined ? "" : `: did you mean ${near}?`
        }`;
      },
    )
    .replaceAll(
      /Invalid type: Expected (\w+) but received (\S+)/g,
      (_, type: string, given: string) =>
        `${KINDS[type.toLowerCase()] ?? `a ${type}`} is needed, not ${given}`,
    );
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};
