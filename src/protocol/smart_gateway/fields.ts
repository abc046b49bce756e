/**
 * The kinds of field that messages are made of: how each is read (forgiving what real peers do) and written
 * (exactly as the reference says). Internal to this folder.
 *
 * @module
 */
import { formatHostPort, type HostPort, parseHostPort } from "../../base/mod.ts";
import { ProtocolError, type ProtocolErrorCode } from "./errors.ts";
import { isHex32, isMac, MAX_ID_LENGTH, normalizeMac, type TransactionId } from "./identifiers.ts";
import type { JsonValue } from "./json.ts";

/** One field of a message. */
export interface Field<T> {
  /** Its name on the wire. */
  readonly wire: string;
  /** Reads what was there (`undefined`: nothing was). An optional field reads as undefined. */
  read(value: JsonValue | undefined): T | undefined;
  /** Checks and writes. */
  write(value: T): JsonValue;
}

/** The longest text field, in characters, unless its kind says otherwise. */
export const MAX_TEXT = 256;

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

function refuse(code: ProtocolErrorCode, field: string, what: string): never {
  throw new ProtocolError(code, `field "${field}" ${what}`, { field });
}

function checkText(wire: string, text: string, max: number): string {
  if (text.length > max) refuse("too_long", wire, `has ${text.length} characters, at most ${max}`);
  if (CONTROL.test(text)) refuse("bad_value", wire, "holds control characters");
  if (!text.isWellFormed()) refuse("bad_value", wire, "holds half a surrogate pair");
  return text;
}

function readText(wire: string, value: JsonValue, max: number): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") refuse("wrong_type", wire, "is not a string");
  return checkText(wire, value, max);
}

/** A text that must be there; numbers are taken as their text. */
export function text(wire: string, max: number = MAX_TEXT): Field<string> {
  return {
    wire,
    read: (value) =>
      value === undefined ? refuse("missing_field", wire, "is missing") : readText(wire, value, max),
    write: (value) => checkText(wire, value, max),
  };
}

/** A text that is always sent and reads as `fallback` where a peer leaves it out (or sends null). */
export function looseText(wire: string, fallback = "", max: number = MAX_TEXT): Field<string> {
  return {
    wire,
    read: (value) => value === undefined || value === null ? fallback : readText(wire, value, max),
    write: (value) => checkText(wire, value, max),
  };
}

/** A field that may be absent; null counts as absent. */
export function optional<T>(field: Field<T>): Field<T> {
  return {
    wire: field.wire,
    read: (value) => value === undefined || value === null ? undefined : field.read(value),
    write: (value) => field.write(value),
  };
}

/** A whole number; its decimal text is accepted. */
export function int(wire: string, min: number, max: number): Field<number> {
  const check = (number: number) =>
    Number.isSafeInteger(number) && number >= min && number <= max
      ? number
      : refuse("bad_value", wire, `is not a whole number from ${min} to ${max}`);
  return {
    wire,
    read(value) {
      if (value === undefined) refuse("missing_field", wire, "is missing");
      if (typeof value === "number") return check(value);
      if (typeof value === "string" && /^-?\d{1,15}$/.test(value)) return check(Number(value));
      return refuse("wrong_type", wire, "is not a number");
    },
    write: check,
  };
}

/** `Result`. */
export function result(): Field<number> {
  return int("Result", -1_000_000, 1_000_000);
}

/** `Interval`, in seconds. */
export function interval(): Field<number> {
  return int("Interval", 0, 31_536_000);
}

/** A TCP or UDP port that something listens on. */
export function port(wire: string): Field<number> {
  return int(wire, 1, 65535);
}

/** A MAC: sent as 12 upper-case hex digits, read with any case and the usual separators. */
export function mac(wire: string): Field<string> {
  return {
    wire,
    read(value) {
      if (value === undefined) refuse("missing_field", wire, "is missing");
      if (typeof value !== "string") refuse("wrong_type", wire, "is not a string");
      return normalizeMac(value) ?? refuse("bad_value", wire, "is not a MAC of 12 hex digits");
    },
    write: (value) => isMac(value) ? value : refuse("bad_value", wire, "is not 12 upper-case hex digits"),
  };
}

/** A random value that is kept: 32 hex digits, read in any case, upper case from then on. */
export function random(wire: string): Field<string> {
  return {
    wire,
    read(value) {
      if (value === undefined) refuse("missing_field", wire, "is missing");
      if (typeof value !== "string") refuse("wrong_type", wire, "is not a string");
      const upper = value.length === 32 ? value.toUpperCase() : "";
      return isHex32(upper) ? upper : refuse("bad_value", wire, "is not 32 hex digits");
    },
    write: (value) => isHex32(value) ? value : refuse("bad_value", wire, "is not 32 upper-case hex digits"),
  };
}

/**
 * A digest or challenge: sent as 32 upper-case hex digits. Any short text is read, because a wrong one must be
 * answered as wrong and not as malformed, and because a challenge is only ever hashed.
 */
export function digestText(wire: string): Field<string> {
  return {
    wire,
    read: (value) =>
      value === undefined ? refuse("missing_field", wire, "is missing") : readText(wire, value, 64),
    write: (value) => isHex32(value) ? value : refuse("bad_value", wire, "is not 32 upper-case hex digits"),
  };
}

/** `ID`: a number or a string, kept with its type. */
export function id(): Field<TransactionId> {
  const check = (value: JsonValue): TransactionId => {
    if (typeof value === "string") return checkText("ID", value, MAX_ID_LENGTH);
    // An ID past 2^53 could not be echoed verbatim: it has already lost digits.
    if (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
      return value === 0 ? 0 : value;
    }
    return refuse("wrong_type", "ID", "is neither a string nor a number that can be echoed");
  };
  return {
    wire: "ID",
    read: (value) => value === undefined ? refuse("missing_field", "ID", "is missing") : check(value),
    write: check,
  };
}

/** `host:port` that a peer may leave out or leave empty; what can't be read counts as left out. */
export function hostPort(wire: string): Field<HostPort> {
  return {
    wire,
    read(value) {
      if (value === undefined || value === null || value === "") return undefined;
      const parsed = parseHostPort(readText(wire, value, MAX_TEXT));
      return parsed && parsed.port > 0 ? parsed : undefined;
    },
    write(value) {
      const written = formatHostPort(value);
      const back = parseHostPort(written);
      return back && back.port > 0
        ? checkText(wire, written, MAX_TEXT)
        : refuse("bad_value", wire, "is no address");
    },
  };
}

/** One of a few words; read without regard to case, a number as its text. */
export function word<W extends string>(wire: string, words: readonly W[], fallback?: W): Field<W> {
  return {
    wire,
    read(value) {
      if (value === undefined || value === null) {
        return fallback ?? refuse("missing_field", wire, "is missing");
      }
      const given = readText(wire, value, MAX_TEXT).toUpperCase();
      return words.find((known) => known.toUpperCase() === given) ??
        refuse("bad_value", wire, `is none of ${words.join(", ")}`);
    },
    write: (value) =>
      words.includes(value) ? value : refuse("bad_value", wire, `is none of ${words.join(", ")}`),
  };
}
