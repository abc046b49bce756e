/**
 * Messages of fixed length as tables of fields: everything but the hot SUBMIT and DELIVER is written down this way.
 *
 * @module
 */
import type { Reader, Writer } from "./wire.ts";

/** One type of field. */
export interface Kind<T> {
  readonly octets: number;
  read(from: Reader): T;
  write(to: Writer, value: T, field: string): void;
}

/** Fields in their order on the wire. */
export type Fields = Readonly<Record<string, Kind<unknown>>>;

/** The values of {@linkcode Fields}. */
export type ValuesOf<F extends Fields> = { [Name in keyof F]: F[Name] extends Kind<infer T> ? T : never };

/** Unsigned Integer of one octet. */
export const u8: Kind<number> = {
  octets: 1,
  read: (from) => from.u8(),
  write: (to, value, field) => to.u8(value, field),
};

/** Unsigned Integer of two octets. */
export const u16: Kind<number> = {
  octets: 2,
  read: (from) => from.u16(),
  write: (to, value, field) => to.u16(value, field),
};

/** Unsigned Integer of four octets. */
export const u32: Kind<number> = {
  octets: 4,
  read: (from) => from.u32(),
  write: (to, value, field) => to.u32(value, field),
};

/** Integer of four octets: only Last_route_Id has a sign. */
export const i32: Kind<number> = {
  octets: 4,
  read: (from) => from.i32(),
  write: (to, value, field) => to.i32(value, field),
};

/** Unsigned Integer of eight octets: a Msg_Id. */
export const u64: Kind<bigint> = {
  octets: 8,
  read: (from) => from.u64(),
  write: (to, value, field) => to.u64(value, field),
};

/** Octet String, left-aligned and filled with NUL. */
export function text(octets: number): Kind<string> {
  return {
    octets,
    read: (from) => from.text(octets),
    write: (to, value, field) => to.text(value, octets, field),
  };
}

/** Octet String, right-aligned and filled with ASCII "0": the gateway codes of FWD. */
export function zeroFilled(octets: number): Kind<string> {
  return {
    octets,
    read: (from) => from.text(octets),
    write: (to, value, field) => to.text(value.padStart(octets, "0"), octets, field),
  };
}

/** Octets as they are, such as a digest. What is read is a copy. */
export function octets(count: number): Kind<Uint8Array> {
  return {
    octets: count,
    read: (from) => from.octets(count).slice(),
    write: (to, value, field) => to.octets(value, field, count),
  };
}

/** A field that a version does not have: reads as `value`, and writes nothing. */
export function absent<T>(value: T): Kind<T> {
  return { octets: 0, read: () => value, write: () => {} };
}

/** A table of fields with its length. */
export interface Layout<F extends Fields> {
  readonly fields: F;
  /** Octets of all fields together. */
  readonly octets: number;
}

/** Makes a layout. */
export function layout<const F extends Fields>(fields: F): Layout<F> {
  return { fields, octets: Object.values(fields).reduce((sum, kind) => sum + kind.octets, 0) };
}

/** Reads the fields of `table` into `into`. */
export function readFields(table: Layout<Fields>, from: Reader, into: Record<string, unknown>): void {
  for (const name in table.fields) into[name] = table.fields[name]!.read(from);
}

/** Writes the fields of `table`. */
export function writeFields(
  table: Layout<Fields>,
  to: Writer,
  values: Readonly<Record<string, unknown>>,
): void {
  for (const name in table.fields) table.fields[name]!.write(to, values[name], name);
}
