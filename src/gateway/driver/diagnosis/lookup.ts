/**
 * Asking the name servers of this machine.
 *
 * @module
 */
import { messageOf } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { checkQuestion } from "./bounds.ts";

/** Questions at one time, and the most addresses of an answer. */
const MAX_RUNNING = 16;
const MAX_ADDRESSES = 32;

let running = 0;

/** The addresses of a host name; none where it has none. @throws {DriverError} */
export async function lookup(
  name: string,
  type: "A" | "AAAA",
  signal: AbortSignal,
  resolve: typeof Deno.resolveDns = Deno.resolveDns,
): Promise<string[]> {
  checkQuestion(name);
  if (running >= MAX_RUNNING) throw new DriverError("busy", `${MAX_RUNNING} questions are asked`);
  running++;
  try {
    const found = await resolve(name, type, { signal });
    return (found as string[]).slice(0, MAX_ADDRESSES);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new DriverError("failed", `"${name}" can't be looked up: ${messageOf(error)}`);
  } finally {
    running--;
  }
}
