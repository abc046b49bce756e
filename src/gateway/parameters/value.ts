/**
 * Values of parameters: from whatever was sent to what is kept, and to text and back.
 *
 * @module
 */
import type { ParameterType, ParameterValue } from "./definition.ts";
import { ParameterError } from "./errors.ts";

const LEAST_INT = -(2 ** 31), MOST_INT = 2 ** 31 - 1, MOST_UNSIGNED = 2 ** 32 - 1;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?$/;
/** CWMP's word for a time that is not known. */
const UNKNOWN_TIME = "0001-01-01T00:00:00Z";
// What XML 1.0 has no way to say, in text that a configuration file must be able to carry.
// deno-lint-ignore no-control-regex
const UNSPEAKABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u;

/**
 * The value that `input` is for a parameter of this type: a value of the type itself, or its text as CWMP and the
 * phone apps write it. Throws {@linkcode ParameterError} `type` or `value`, without the value in the message.
 */
export function valueOf(type: ParameterType, input: unknown): ParameterValue {
  switch (type.type) {
    case "boolean":
      if (typeof input === "boolean") return input;
      if (input === "true" || input === "1" || input === 1) return true;
      if (input === "false" || input === "0" || input === 0) return false;
      throw wrongType("true, false, 1 or 0");
    case "int":
    case "unsignedInt":
      return numberOf(type, input);
    case "string":
      return textOf(type, input);
    case "dateTime":
      if (typeof input !== "string") throw wrongType("a time as text");
      if (input === UNKNOWN_TIME) return input;
      if (!DATE_TIME.test(input) || Number.isNaN(Date.parse(input))) {
        throw wrongType("a time as in 2026-11-01T08:00:00Z");
      }
      return input;
    case "base64":
      return base64Of(type.maxLength, input);
  }
}

/** A value as text, as CWMP has it. */
export function textOfValue(value: ParameterValue): string {
  return typeof value === "boolean" ? (value ? "1" : "0") : String(value);
}

/** Of what range values are, in words, for documents and errors: `0 to 65535`; empty where there is none. */
export function rangeOf(type: ParameterType): string {
  switch (type.type) {
    case "int":
    case "unsignedInt": {
      const { min, max } = boundsOf(type);
      return type.min === undefined && type.max === undefined ? "" : `${min} to ${max}`;
    }
    case "string":
      if (type.values) return type.values.map((value) => value === "" ? "(empty)" : value).join(", ");
      return `${type.minLength ? `${type.minLength} to` : "up to"} ${type.maxLength} characters` +
        (type.pattern ? `, ${type.pattern.says}` : "");
    case "base64":
      return `up to ${type.maxLength} bytes`;
    default:
      return "";
  }
}

function boundsOf(
  type: Extract<ParameterType, { type: "int" | "unsignedInt" }>,
): { min: number; max: number } {
  return type.type === "int"
    ? { min: type.min ?? LEAST_INT, max: type.max ?? MOST_INT }
    : { min: type.min ?? 0, max: type.max ?? MOST_UNSIGNED };
}

function numberOf(type: Extract<ParameterType, { type: "int" | "unsignedInt" }>, input: unknown): number {
  const value = typeof input === "string" && /^[+-]?\d{1,10}$/.test(input.trim()) ? Number(input) : input;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType("a whole number");
  if (type.type === "unsignedInt" && value < 0) throw wrongType("a whole number, not negative");
  const { min, max } = boundsOf(type);
  if (value < min || value > max) throw new ParameterError("value", `not from ${min} to ${max}`);
  return value + 0;
}

function textOf(type: Extract<ParameterType, { type: "string" }>, input: unknown): string {
  if (typeof input !== "string") throw wrongType("text");
  // The length first: nothing below looks at a text that is too long.
  if (input.length > 2 * type.maxLength || [...input].length > type.maxLength) {
    throw new ParameterError("value", `longer than ${type.maxLength} characters`);
  }
  if (UNSPEAKABLE.test(input)) throw new ParameterError("value", "holds control characters");
  if ([...input].length < (type.minLength ?? 0)) {
    throw new ParameterError(
      "value",
      type.minLength === 1 ? "empty" : `shorter than ${type.minLength} characters`,
    );
  }
  if (type.values && !type.values.includes(input)) {
    throw new ParameterError("value", `not one of ${rangeOf(type)}`);
  }
  if (type.pattern && !type.pattern.test.test(input)) {
    throw new ParameterError("value", `not ${type.pattern.says}`);
  }
  return input;
}

function base64Of(maxLength: number, input: unknown): string {
  if (typeof input !== "string" || input.length > 4 * Math.ceil(maxLength / 3) + 2) {
    throw typeof input === "string"
      ? new ParameterError("value", `longer than ${maxLength} bytes`)
      : wrongType("base64");
  }
  try {
    const bytes = Uint8Array.fromBase64(input);
    if (bytes.length > maxLength) throw new ParameterError("value", `longer than ${maxLength} bytes`);
    return bytes.toBase64();
  } catch (error) {
    if (error instanceof ParameterError) throw error;
    throw wrongType("base64");
  }
}

function wrongType(wanted: string): ParameterError {
  return new ParameterError("type", `not ${wanted}`);
}
