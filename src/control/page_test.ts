import { assertEquals, assertThrows } from "@std/assert";
import * as v from "valibot";
import {
  decodeCursor,
  encodeCursor,
  pageOf,
  ProblemError,
  queryBoolean,
  queryInteger,
  queryList,
} from "./mod.ts";

Deno.test("pages follow each other by cursor until the rows end", () => {
  const all = Array.from({ length: 7 }, (_, i) => ({ id: i }));
  const seen: number[][] = [];
  let after = -1;
  for (;;) {
    const rows = all.filter(({ id }) => id > after).slice(0, 3 + 1);
    const page = pageOf(rows, 3, (row) => row.id, (row) => row.id);
    seen.push(page.items);
    if (page.next === undefined) break;
    after = decodeCursor(page.next, v.number());
  }
  assertEquals(seen, [[0, 1, 2], [3, 4, 5], [6]]);
  assertEquals(pageOf([], 3, () => 0, () => 0), { items: [] });
});

Deno.test("a cursor that was not given out by this list is a 400", () => {
  const schema = v.tuple([v.number(), v.string()]);
  assertEquals(decodeCursor(encodeCursor([1, "网关"]), schema), [1, "网关"]);
  for (const cursor of ["", "%%%", "bm90IGpzb24", encodeCursor(["1", 2]), encodeCursor({ __proto__: 1 })]) {
    const error = assertThrows(() => decodeCursor(cursor, schema), ProblemError);
    assertEquals([error.status, error.code], [400, "invalid_cursor"]);
  }
});

Deno.test("query numbers, flags and lists take what they say and nothing else", () => {
  const number = queryInteger(0, 60);
  assertEquals(["0", "60", "007"].map((text) => v.parse(number, text)), [0, 60, 7]);
  for (const bad of ["", "-1", "61", "1.5", "1e1", " 1", "0x1", "99999999999999999999", ["1"]]) {
    assertEquals(v.is(number, bad), false, String(bad));
  }
  assertEquals([v.parse(queryBoolean(), "true"), v.parse(queryBoolean(), "false")], [true, false]);
  assertEquals(v.is(queryBoolean(), "1"), false);
  const list = queryList(v.picklist(["a", "b"]), 2);
  assertEquals([v.parse(list, "a"), v.parse(list, ["a", "b"])], [["a"], ["a", "b"]]);
  assertEquals([v.is(list, ["a", "b", "a"]), v.is(list, "c")], [false, false]);
});
