/**
 * Searching what messages say: a bounded number is opened at a time.
 *
 * @module
 */
import * as v from "valibot";
import { CmppError } from "../../protocol/cmpp/mod.ts";
import { SealError } from "../credentials/mod.ts";

/** Messages that one search opens at most; it gives a cursor where it has to stop there. */
const SEARCHED = 10_000;
const PAGE = 500;

/** What every search is asked with. */
export const searchBody = {
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  cursor: v.optional(v.string()),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 50),
} as const;

/** What every search answers. */
export const searchResponse = <Schema extends v.GenericSchema>(view: Schema) => ({
  description: "What was found; a page may be empty and have a cursor",
  schema: v.object({ items: v.array(view), nextCursor: v.nullable(v.string()) }),
});

/** A search over rows in pages. */
export interface Search<Row, View extends { readonly text: string | null }, Place> {
  readonly text: string;
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly place: Place | undefined;
  readonly page: (size: number, place: Place | undefined) => Promise<Row[]>;
  readonly placeOf: (row: Row) => Place;
  /** Opens one; throws where it can't be read: it is not found then. */
  readonly view: (row: Row) => View;
  readonly cursorOf: (place: Place) => string;
}

/** Opens page after page until there are enough. */
export async function searchPages<Row, View extends { readonly text: string | null }, Place>(
  search: Search<Row, View, Place>,
): Promise<{ items: View[]; nextCursor: string | null }> {
  const wanted = search.text.toLocaleLowerCase(), items: View[] = [];
  let { place } = search;
  for (let opened = 0; opened < SEARCHED && !search.signal.aborted; opened += PAGE) {
    const rows = await search.page(PAGE, place);
    for (const row of rows) {
      place = search.placeOf(row);
      const found = readable(() => search.view(row));
      if (!found?.text?.toLocaleLowerCase().includes(wanted)) continue;
      items.push(found);
      if (items.length === search.limit) return { items, nextCursor: search.cursorOf(place) };
    }
    if (rows.length < PAGE) return { items, nextCursor: null };
  }
  return { items, nextCursor: place ? search.cursorOf(place) : null };
}

function readable<View>(view: () => View): View | undefined {
  try {
    return view();
  } catch (error) {
    if (error instanceof SealError || error instanceof CmppError) return undefined;
    throw error;
  }
}
