/**
 * `crypto`: digests of text, and randomness fit for secrets.
 *
 * @module
 */
import type { Random } from "../../base/mod.ts";
import type { HostFunction } from "../types.ts";

const ALGORITHMS: readonly unknown[] = ["SHA-256", "SHA-384", "SHA-512"];
/** The most random bytes at once. */
const MOST_BYTES = 1024;

/** The functions. */
export function cryptoFunctions(random: Random): Record<string, HostFunction> {
  return {
    /** `[algorithm, text]`: the digest of the text's UTF-8 bytes, in hex. */
    "crypto.digest": async ([algorithm, text]) => {
      if (!ALGORITHMS.includes(algorithm)) throw new Error(`algorithm: one of ${ALGORITHMS.join(", ")}`);
      if (typeof text !== "string") throw new Error("text: not a string");
      const bytes = await crypto.subtle.digest(algorithm as string, new TextEncoder().encode(text));
      return new Uint8Array(bytes).toHex();
    },
    /** `[count]`: so many random bytes, in hex. */
    "crypto.random": ([count]) => {
      if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > MOST_BYTES) {
        throw new Error(`count: a whole number from 1 to ${MOST_BYTES}`);
      }
      return random.bytes(count).toHex();
    },
  };
}
