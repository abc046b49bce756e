/**
 * What guests leave for the host: the lines of `guest.ts`, and how errors are told.
 *
 * @module
 */
import type { GuestOutput } from "./engine.ts";
import { ERROR_LENGTH } from "./guest.ts";

/** Hands on each line that a guest left. */
export function deliver(text: string, output: GuestOutput): void {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const first = text.indexOf(" ", at), second = text.indexOf(" ", first + 1);
    const key = text.slice(first + 1, second);
    switch (text[at]) {
      case "S":
        output.returned(Number(key), text.slice(second + 1, end));
        break;
      case "E": {
        const [message, stack] = JSON.parse(text.slice(second + 1, end)) as [string, string];
        output.threw(Number(key), message, stack);
        break;
      }
      case "H": {
        const third = text.indexOf(" ", second + 1);
        output.hostCall(Number(key), text.slice(second + 1, third), text.slice(third + 1, end));
        break;
      }
      case "D":
        output.dropped(Number(text.slice(first + 1, end)));
        break;
      case "L":
        output.log(key, JSON.parse(text.slice(second + 1, end)) as string);
        break;
    }
    at = end + 1;
  }
}

/** What a guest threw, with the author's own file and line. */
export function describeThrown(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown).slice(0, ERROR_LENGTH);
  const { name, message, stack } = thrown as Record<string, unknown>;
  // An error from the host begins on our side of the border, where its author has no line.
  const own = typeof stack === "string" ? stack.replaceAll(/^.*\(gatehouse:guest.*$/gm, "") : "";
  const where = /\(?([^\s()]+:\d+(?::\d+)?)\)?/.exec(own)?.[1];
  return `${name}: ${message}${where ? ` (${where})` : ""}`.slice(0, ERROR_LENGTH);
}

/** What the engine itself threw: an overflow of its stack, a trap, or something that should not be. */
export function describeHostError(error: unknown): string {
  if (error instanceof RangeError) return "overflowed the engine's stack";
  if (error instanceof WebAssembly.RuntimeError) return `the engine trapped: ${error.message}`;
  return `the engine failed: ${error instanceof Error ? error.message : String(error)}`;
}
