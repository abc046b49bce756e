/**
 * What the numbers mean that a gateway answers with, for people (docs/cmpp.md has each cause).
 *
 * @module
 */

const STATUS: Readonly<Record<number, string>> = {
  1: "it could not read CONNECT",
  2: "it knows no such SP_Id",
  3: "the secret is wrong",
  4: "the provider may not speak this version",
  56: "too many connections of this provider",
  57: "not an address of this provider",
};

const RESULT: Readonly<Record<number, string>> = {
  1: "the message is malformed",
  3: "another message with this number waits",
  4: "the length is wrong",
  5: "FeeCode is wrong",
  6: "the message is too long",
  7: "not one of the provider's services",
  8: "too fast: above the provider's rate or window",
  9: "who pays is not billed here",
  10: "Src_Id is not the provider's number",
  11: "Msg_src is not the SP_Id",
  12: "Fee_terminal_Id is no number",
  13: "not a phone's number",
  61: "its validity is over",
  63: "FeeType is wrong",
  72: "no way to this phone",
};

/** ` (the secret is wrong)`; empty where the standard and its users give it no meaning. */
const inBrackets = (meaning: string | undefined): string => meaning === undefined ? "" : ` (${meaning})`;

/** CONNECT_RESP's Status: `Status 3 (the secret is wrong)`. */
export function statusInWords(status: number): string {
  return `Status ${status}${inBrackets(STATUS[status])}`;
}

/** SUBMIT_RESP's Result: `Result 13 (not a phone's number)`. */
export function resultInWords(result: number): string {
  return `Result ${result}${inBrackets(RESULT[result])}`;
}
