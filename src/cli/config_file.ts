/**
 * The configuration file: TOML, flat, with the names of the flags.
 *
 * @module
 */
import { parse } from "@std/toml";
import { messageOf } from "../base/mod.ts";
import { UsageError } from "./errors.ts";

/** The largest file that is read, in bytes. */
const LARGEST = 1024 * 1024;

/**
 * The values of a file as text, unchecked: numbers as their digits, lists with commas.
 *
 * @throws {UsageError} where the file can't be read, is no TOML, or holds what no setting takes
 */
export function readConfigFile(path: string, origin: string): ReadonlyMap<string, string> {
  let text: string;
  try {
    if (Deno.statSync(path).size > LARGEST) throw new Error("more than 1 MiB");
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new UsageError(`${origin} "${path}" can't be read: ${reason(error)}; a TOML file is allowed`);
  }
  let content: Record<string, unknown>;
  try {
    content = parse(text);
  } catch (error) {
    throw new UsageError(`${origin} "${path}" is not TOML: ${oneLine(messageOf(error))}`);
  }
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(content)) {
    const plain = asText(value);
    if (plain === undefined) {
      throw new UsageError(`"${key}" in "${path}" is not allowed: a text, a number or a list of texts is`);
    }
    values.set(key, plain);
  }
  return values;
}

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(",");
  return undefined;
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return oneLine(messageOf(error));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
