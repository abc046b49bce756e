import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { faultOf, isJsonObject, type Json, nestsDeeperThan } from "./json.ts";

function depthOf(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner as Json)));
}

Deno.test("the depth of a JSON text is counted without parsing it", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 8 }), (value, limit) => {
    assertEquals(nestsDeeperThan(JSON.stringify(value), limit), depthOf(value as Json) > limit);
  }));
});

Deno.test("brackets and quotes inside strings are not taken for nesting", () => {
  assertEquals(nestsDeeperThan(JSON.stringify(['"[[[[[[\\', "{{{{{{{{{{{{"]), 1), false);
});

Deno.test("a text of 100,000 opening brackets is refused without overflowing the stack", () => {
  assertEquals(faultOf("[".repeat(100_000), "the request"), "the request is nested deeper than 64 levels");
});

Deno.test("a text past its length is refused", () => {
  assertEquals(faultOf("x".repeat(11), "it", 10), "it is longer than 10 characters: 11");
});

Deno.test("arrays and null are no JSON objects", () => {
  assertEquals([{}, [], null, "x"].map(isJsonObject), [true, false, false, false]);
});
