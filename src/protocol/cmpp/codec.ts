/**
 * What every message family gives to the table of messages: how to read and write its bodies.
 *
 * @module
 */
import type { CommandName } from "./commands.ts";
import { CmppError } from "./errors.ts";
import { type Fields, type Layout, readFields, type ValuesOf, writeFields } from "./layout.ts";
import { HEADER_OCTETS, type Reader, type Writer } from "./wire.ts";

/** What every message has: its name, and the Sequence_Id that ties a response to its request. */
export interface Head<Name extends CommandName = CommandName> {
  readonly command: Name;
  readonly sequence: number;
}

/** Reads and writes one kind of message in one dialect. */
export interface Codec<M extends Head = Head> {
  /** Total_Length of `message`; throws {@linkcode CmppError} `value` where its counts can't be. */
  total(message: M): number;
  write(to: Writer, message: M): void;
  /** The message; throws {@linkcode CmppError} `length` or `value`. Contents are views into the PDU. */
  read(from: Reader, sequence: number): M;
}

/** A message whose body is a layout. */
export type Fixed<Name extends CommandName, F extends Fields> = Head<Name> & Readonly<ValuesOf<F>>;

/** The codec of messages of fixed length. */
export function fixed<Name extends CommandName, const F extends Fields>(
  command: Name,
  table: Layout<F>,
): Codec<Fixed<Name, F>> {
  const total = HEADER_OCTETS + table.octets;
  return {
    total: () => total,
    write: (to, message) => writeFields(table, to, message),
    read(from, sequence) {
      if (from.pdu.length !== total) throw badLength(from.pdu, command, total);
      const message = { command, sequence };
      readFields(table, from, message);
      // The loop has just filled in every field that the layout names.
      return message as Fixed<Name, F>;
    },
  };
}

/** The error for a PDU of the wrong length. */
export function badLength(pdu: Uint8Array, command: CommandName, expected: number): CmppError {
  return inPdu(pdu, "length", `${command} has Total_Length ${pdu.length}, its fields make ${expected}`);
}

/** The error for a field of a PDU that holds what it may not. */
export function badValue(pdu: Uint8Array, field: string, value: unknown, allowed: string): CmppError {
  return inPdu(pdu, "value", `${field} is ${value}: allowed is ${allowed}`);
}

function inPdu(pdu: Uint8Array, code: "length" | "value", message: string): CmppError {
  const view = new DataView(pdu.buffer, pdu.byteOffset, pdu.byteLength);
  return new CmppError(code, message, view.getUint32(4), view.getUint32(8));
}
