/**
 * Short ways to write definitions down.
 *
 * @module
 */
import type { ParameterDefinition } from "../definition.ts";

type Text = Extract<ParameterDefinition, { type: "string" }>;
type Unsigned = Extract<ParameterDefinition, { type: "int" | "unsignedInt" }>;
type Flag = Extract<ParameterDefinition, { type: "boolean" }>;

/** A time of day. */
export const CLOCK_TIME = { test: /^(?:[01]\d|2[0-3]):[0-5]\d$/, says: "a time of day as in 07:30" };

/** Days of a timer, as phone apps say them. */
export const CYCLE = {
  test: /^(?:|[Dd][Aa][Yy]|[1-7](?:,[1-7]){0,6})$/,
  says: "DAY, or days of the week as in 1,2,7",
};

/** Text of at most so many characters that may be written. */
export function text(maxLength: number, more: Omit<Partial<Text>, "type" | "maxLength"> = {}): Text {
  return { type: "string", maxLength, access: "readWrite", ...more };
}

/** A number from 0 on that may be written. */
export function unsigned(more: Omit<Partial<Unsigned>, "type"> = {}): Unsigned {
  return { type: "unsignedInt", access: "readWrite", ...more };
}

/** Yes or no that may be written. */
export function flag(more: Omit<Partial<Flag>, "type"> = {}): Flag {
  return { type: "boolean", access: "readWrite", ...more };
}

/** The same, only to be read, of what the machine tells. */
export function told<T extends ParameterDefinition>(definition: T): T {
  return { ...definition, access: "readOnly" };
}

/** The same, living in the machine. */
export function backed<T extends ParameterDefinition>(definition: T): T {
  return { ...definition, backed: true };
}
