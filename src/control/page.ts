/**
 * Lists a page at a time: an opaque cursor says where the next page starts.
 *
 * @module
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding";
import * as v from "valibot";
import { problem } from "./problem.ts";
import { queryInteger } from "./schemas.ts";
import type { Schema } from "./validate.ts";

/** Longest cursor taken, in characters. */
const MAX_CURSOR = 1024;

/** The query parameters of a list: `cursor` and `limit`. Spread into a route's query schema. */
export function pageQuery(defaultLimit = 50, maxLimit = 500) {
  return {
    cursor: v.optional(v.pipe(v.string(), v.maxLength(MAX_CURSOR))),
    limit: v.optional(queryInteger(1, maxLimit), String(defaultLimit)),
  };
}

/** The shape of a page of `item`s: `next` is the cursor of the following page and absent on the last one. */
export function pageSchema<const S extends Schema>(item: S) {
  return v.object({ items: v.array(item), next: v.optional(v.string()) });
}

/** A page as {@linkcode pageSchema} shows it. */
export interface Page<T> {
  items: T[];
  next?: string;
}

/** Packs a sort key. A cursor is not secret and not signed: what it says is checked again, and rights as always. */
export function encodeCursor(key: unknown): string {
  return encodeBase64Url(JSON.stringify(key));
}

/**
 * Unpacks a cursor into what `schema` says; undefined where there is none, on the first page.
 *
 * @throws {ProblemError} 400 `invalid_cursor` for anything else
 */
export function decodeCursor<const S extends Schema>(cursor: string, schema: S): v.InferOutput<S>;
export function decodeCursor<const S extends Schema>(
  cursor: string | undefined,
  schema: S,
): v.InferOutput<S> | undefined;
export function decodeCursor(cursor: string | undefined, schema: Schema): unknown {
  if (cursor === undefined) return undefined;
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(decodeBase64Url(cursor))));
  } catch (cause) {
    throw problem(400, "invalid_cursor", "the cursor is not one that this list gave out", { cause });
  }
}

/**
 * Makes a page of `rows`, which were asked for with `limit + 1`: the one too many says that there is a next page.
 * `keyOf` gives the sort key of a row.
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => unknown,
  itemOf: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit), last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    ...(rows.length > limit && last !== undefined ? { next: encodeCursor(keyOf(last)) } : {}),
  };
}
