/**
 * Numbers as routes know them.
 *
 * @module
 */

/** A phone's number without the country code that the protocol allows before it (reference §4). */
export function nationalNumber(number: string): string {
  return number.replace(/^(?:\+|00)?86(?=1\d{10}$)/, "").replace(/^\+/, "");
}
