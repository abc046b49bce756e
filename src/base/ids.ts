/**
 * Identifiers of rows and events.
 *
 * @module
 */
import { generate } from "@std/uuid/v7";

/** A new id: a UUID version 7 (RFC 9562), so that ids sort by the time they were made. */
export function newId(): string {
  return generate();
}
