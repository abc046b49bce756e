import { assertEquals } from "@std/assert";
import * as v from "valibot";
import { faultOf } from "./schema_fault.ts";

Deno.test("what is missing or unknown is said in plain words, and the rest as the schema says it", () => {
  const schema = v.strictObject({ name: v.string(), age: v.pipe(v.number("no number"), v.minValue(0)) });
  const faults = (value: unknown) => v.safeParse(schema, value).issues?.map(faultOf);
  assertEquals(faults({ age: 1 }), ["is missing"]);
  assertEquals(faults({ name: "a", age: 1, height: 2 }), ["Unknown key"]);
  assertEquals(faults({ name: "a", age: "1" }), ["no number"]);
  assertEquals(faults({ name: "a", age: 1 }), undefined);
});
