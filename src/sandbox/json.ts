/**
 * JSON as it crosses a border: the types, and the bounds on size and nesting of a text that someone else wrote.
 *
 * @module
 */

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  [name: string]: Json;
}

/** The deepest nesting that crosses the border, either way. Past about 1,000 the engine's own parser fails. */
export const JSON_DEPTH = 64;
/** The longest text of one request, reply, argument list or host function's answer, in UTF-16 units. */
export const JSON_LENGTH = 1024 * 1024;

/** Whether `text`, if it is JSON at all, nests deeper than `limit`. Scans; never recurses. */
export function nestsDeeperThan(text: string, limit: number): boolean {
  if (text.length <= 2 * limit) return false; // every level takes an opening and a closing character
  let depth = 0, quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

/** What is wrong with `text` as something that crosses the border, or undefined. Does not parse it. */
export function faultOf(text: string, what: string, length: number = JSON_LENGTH): string | undefined {
  if (text.length > length) return `${what} is longer than ${length} characters: ${text.length}`;
  if (nestsDeeperThan(text, JSON_DEPTH)) return `${what} is nested deeper than ${JSON_DEPTH} levels`;
  return undefined;
}

/** Whether `value` is a plain JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses an object so that it is safe to copy: a field named `__proto__` would become a prototype, so it is left out. */
export function parseObject(text: string): JsonObject {
  if (!text.includes("__proto__") && !text.includes("\\u")) return JSON.parse(text) as JsonObject;
  return JSON.parse(text, (key, value) => key === "__proto__" ? undefined : value) as JsonObject;
}
