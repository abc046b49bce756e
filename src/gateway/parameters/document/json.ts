/**
 * Configurations as JSON: `{ "format", "version", "parameters": { name: value } }`.
 *
 * @module
 */
import { messageOf } from "../../../base/mod.ts";
import {
  DOCUMENT_FORMAT,
  DOCUMENT_VERSION,
  type DocumentEntry,
  Gathered,
  LARGEST_DOCUMENT,
  refused,
} from "./document.ts";

/** Writes a document. */
export function encodeJson(entries: readonly DocumentEntry[]): string {
  const parameters = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
  return JSON.stringify({ format: DOCUMENT_FORMAT, version: DOCUMENT_VERSION, parameters }, undefined, 2) +
    "\n";
}

/** Reads a document: values by name, not checked yet. Throws ParameterError `document`. */
export function decodeJson(text: string): Record<string, unknown> {
  if (text.length > LARGEST_DOCUMENT) throw refused(`larger than ${LARGEST_DOCUMENT} bytes`);
  // Three levels are all there are: counted before a parser goes down them.
  if (depthOf(text) > 3) throw refused("nested too deep");
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw refused(messageOf(error), error);
  }
  if (!isRecord(found) || found["format"] !== DOCUMENT_FORMAT || found["version"] !== DOCUMENT_VERSION) {
    throw refused(`it does not say "format": "${DOCUMENT_FORMAT}", "version": "${DOCUMENT_VERSION}"`);
  }
  const { parameters } = found;
  if (!isRecord(parameters)) throw refused(`it has no object "parameters"`);
  const gathered = new Gathered();
  for (const [name, value] of Object.entries(parameters)) gathered.add(name, value);
  return gathered.values;
}

function depthOf(text: string): number {
  let depth = 0, deepest = 0, quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "{" || c === "[") deepest = Math.max(deepest, ++depth);
    else if (c === "}" || c === "]") depth--;
  }
  return deepest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
