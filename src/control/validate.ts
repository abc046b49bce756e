/**
 * Checking what came in against its schema, and telling every fault with its place.
 *
 * @module
 */
import * as v from "valibot";
import { faultOf, nextTurn } from "../base/mod.ts";
import { type Fault, problem } from "./problem.ts";

/** Any valibot schema that needs no promise. */
export type Schema = v.GenericSchema;

/** Faults listed in one answer; the rest are counted. */
const MAX_FAULTS = 50;
/** Longest message of one fault, in characters: valibot quotes what it received. */
const MAX_MESSAGE = 200;
/** Elements of a list that are looked at in one turn. */
const IN_TURN = 1000;

/** What a check found: the parsed value, or what is wrong with it. */
export type Checked = { value: unknown } | { faults: Fault[]; total: number };

/**
 * The faults of one request part; the parsed value where there are none. `thorough` asks for all faults: leave it
 * out for large input, where a list of every wrong element would cost far more memory than the input itself. `from`:
 * the place of the first element, where a list is checked in pieces.
 */
export function check(
  part: Fault["in"],
  schema: Schema,
  value: unknown,
  thorough: boolean,
  from = 0,
): Checked {
  const first = v.safeParse(schema, value, { abortEarly: true });
  if (first.success) return { value: first.output };
  const { issues } = thorough ? v.safeParse(schema, value) : first;
  const all = (issues ?? first.issues).flatMap(told);
  return {
    total: all.length,
    faults: all.slice(0, MAX_FAULTS).map((issue) => {
      const message = faultOf(issue);
      return {
        in: part,
        path: pathOf(issue, from),
        message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message,
      };
    }),
  };
}

/** Where one thing or a list of them is taken: what is wrong with what was meant, in place of "neither". */
function told(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
  if (issue.type !== "union") return [issue];
  const list = Array.isArray(issue.input);
  const inside = issue.issues?.filter(({ path }) => path && (typeof path[0].key === "number") === list) ?? [];
  if (inside.length === 0) return [issue];
  return inside.flatMap(told).map((inner) => ({
    ...inner,
    path: [...issue.path ?? [], ...inner.path ?? []] as unknown as NonNullable<typeof inner.path>,
  }));
}

/** The same for what may be a long list: others get their turn between its pieces. */
export async function checkInTurns(
  part: Fault["in"],
  schema: Schema,
  value: unknown,
  thorough: boolean,
): Promise<Checked> {
  const list = Array.isArray(value) && value.length > IN_TURN ? listOf(schema) : undefined;
  if (!list) return check(part, schema, value, thorough);
  const all = value as readonly unknown[], parsed: unknown[] = [];
  for (let from = 0; from < all.length; from += IN_TURN) {
    const piece = check(part, v.array(list.item), all.slice(from, from + IN_TURN), thorough, from);
    if ("faults" in piece) return piece;
    parsed.push(...piece.value as unknown[]);
    await nextTurn();
  }
  // What is asked of the whole, such as its length.
  return check(part, v.pipe(v.array(v.unknown()), ...list.asked), parsed, thorough);
}

/** The schema of a list's elements, and what is asked of the whole; undefined where it is about no list, or several. */
function listOf(
  schema: Schema,
): { item: Schema; asked: v.PipeAction<unknown[], unknown[], v.BaseIssue<unknown>>[] } | undefined {
  const options = schema.type === "union" ? (schema as unknown as { options: Schema[] }).options : [schema];
  const lists = options.filter(({ type }) => type === "array");
  if (lists.length !== 1) return undefined;
  const { item, pipe = [] } = lists[0] as unknown as { item: Schema; pipe?: unknown[] };
  return { item, asked: pipe.slice(1) as v.PipeAction<unknown[], unknown[], v.BaseIssue<unknown>>[] };
}

/** The problem that lists `faults`. */
export function invalidRequest(faults: readonly Fault[], total = faults.length) {
  const first = faults[0];
  const more = total > 1 ? ` (and ${total - 1} more)` : "";
  return problem(
    400,
    "invalid_request",
    first ? `${first.in} ${first.path}: ${first.message}${more}` : "the request does not fit the schema",
    { members: { faults, ...(total > faults.length ? { faultsOmitted: total - faults.length } : {}) } },
  );
}

/** `$.list[2].name`; keys that are no plain names are quoted. A number at the beginning counts on from `from`. */
function pathOf(issue: v.BaseIssue<unknown>, from: number): string {
  let path = "$";
  for (const item of issue.path ?? []) {
    if (typeof item.key === "number") path += `[${path === "$" ? from + item.key : item.key}]`;
    else {
      const key = String(item.key).slice(0, 64);
      path += /^[A-Za-z_][\w-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    }
  }
  return path;
}

/** Query parameters as a plain object without a prototype: one value a string, several an array of strings. */
export function queryObject(search: URLSearchParams): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of search) {
    const before = query[name];
    if (before === undefined) query[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else query[name] = [before, value];
  }
  return query;
}

/** Faults for parameters that the schema does not know: a typing error must not silently widen a search. */
export function unknownParameters(
  query: Record<string, unknown>,
  schema: Schema | undefined,
): Fault[] {
  const known = schema && "entries" in schema ? schema.entries as Record<string, unknown> : {};
  return Object.keys(query).filter((name) => !Object.hasOwn(known, name)).slice(0, MAX_FAULTS).map((
    name,
  ) => ({
    in: "query",
    path: `$.${name.slice(0, 64)}`,
    message: "Unknown parameter",
  }));
}
