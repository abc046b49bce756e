/**
 * Asking the name servers of this machine.
 *
 * @module
 */
import { messageOf } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";

const NAME =
  /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?$/;
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
  if (!NAME.test(name)) throw new DriverError("invalid", `not a host name: "${name.slice(0, 64)}"`);
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
