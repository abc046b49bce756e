/**
 * Schemas that many routes share: numbers in a query, waiting, addresses, times.
 *
 * @module
 */
import * as v from "valibot";

/** What the OpenAPI document says of a schema whose checks can't be read from it. */
const documents = new WeakMap<object, Readonly<Record<string, unknown>>>();

/** The JSON schema that stands for `schema` in the document, where {@linkcode queryInteger} and such gave one. */
export function documentOf(schema: object): Readonly<Record<string, unknown>> | undefined {
  return documents.get(schema);
}

/**
 * A schema that the document shows as `json`, since what it checks can't be read from it. It has to be the first of
 * its pipe; give `examples` where a reader could not guess what is meant.
 */
export function documented<const S extends v.GenericSchema>(
  schema: S,
  json: Readonly<Record<string, unknown>>,
): S {
  documents.set(schema, json);
  return schema;
}

/** A whole number written in a query or path, from `min` to `max`. */
export function queryInteger(min: number, max: number) {
  const text = v.string();
  documents.set(text, { type: "integer", minimum: min, maximum: max });
  return v.pipe(
    text,
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      const number = /^-?\d{1,15}$/.test(value) ? Number(value) : NaN;
      if (number >= min && number <= max) return number;
      addIssue({ message: `Invalid number: Expected a whole number from ${min} to ${max}` });
      return NEVER;
    }),
  );
}

/** `true` or `false` written in a query. */
export function queryBoolean() {
  const text = v.picklist(["true", "false"]);
  documents.set(text, { type: "boolean" });
  return v.pipe(text, v.transform((value) => value === "true"));
}

/** A parameter that may be given several times; always an array. */
export function queryList<const S extends v.GenericSchema<string, unknown>>(item: S, max = 100) {
  return v.pipe(
    v.union([v.string(), v.array(v.string())]),
    v.transform((value) => typeof value === "string" ? [value] : value),
    v.maxLength(max),
    v.array(item),
  );
}

/** `?wait=SECONDS`: how long the caller is ready to wait for the outcome; 0 or absent: not at all. */
export function waitSeconds(max = 60) {
  return v.optional(queryInteger(0, max), "0");
}

/** 12 hex digits in either case; upper case inside. */
export const macSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9A-Fa-f]{12}$/, "Invalid MAC: Expected 12 hex digits without colons"),
  v.toUpperCase(),
);

/** A point in time as ISO 8601 writes it: `2026-11-01T08:00:00.000Z`. */
export const timeSchema = v.pipe(v.string(), v.isoTimestamp());

/** Milliseconds since 1970 as {@linkcode timeSchema} has them; null stays null. */
export function isoTime(at: number): string;
export function isoTime(at: number | null): string | null;
export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
