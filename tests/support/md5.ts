/**
 * MD5 by another implementation than the program's own.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Upper-case hex of the MD5 of an ASCII text. */
export function md5Hex(text: string): string {
  return createHash("md5").update(text, "latin1").digest("hex").toUpperCase();
}
