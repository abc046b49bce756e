import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ObjectDefinition } from "./definition.ts";
import { AREAS } from "./mod.ts";
import { compareNames, LONGEST_NAME, Model, nameOf, parseName } from "./model.ts";

const OBJECT: ObjectDefinition = { path: "Device.", owner: "shared", parameters: {} };

Deno.test("the definitions agree with each other, and names of instances stay within what CWMP carries", () => {
  const model = new Model(AREAS);
  for (const { template, object, owner, definition } of model.parameters()) {
    assert(nameOf(template, [999, 999, 999, 999]).length <= LONGEST_NAME, template);
    assert(template.startsWith("InternetGatewayDevice."), template);
    if (definition.access === "readWrite") continue;
    assert(!definition.backed, `${template} can't be written: nothing has to back it`);
    assert(object.owner === owner || definition.owner !== undefined);
  }
});

Deno.test("every table is within an object that is there, or is at the root", () => {
  const paths = new Set(AREAS.flat().map(({ path }) => path));
  for (const path of paths) {
    const tables = [...path.matchAll(/\{i\}\./g)].map(({ index }) => path.slice(0, index + 4));
    for (const table of tables) assert(paths.has(table), `${path} is in ${table}, which is not defined`);
  }
});

Deno.test("definitions that contradict themselves are refused when they are read", () => {
  const bad: ObjectDefinition[][] = [
    [{ ...OBJECT, path: "Device" }],
    [{ ...OBJECT, path: "Device.{i}" }],
    [{ ...OBJECT, path: "Device.{i}." }],
    [{ ...OBJECT, table: { access: "readOnly", max: 1 } }],
    [OBJECT, OBJECT],
    [{ ...OBJECT, parameters: { N: { type: "unsignedInt", access: "readOnly", counts: "Host" } } }],
  ];
  for (const area of bad) assertThrows(() => new Model([area]), TypeError);
  const text = { type: "string", maxLength: 1, access: "readOnly", default: "too long" } as const;
  assertThrows(() => new Model([[{ ...OBJECT, parameters: { Name: text } }]]));
});

Deno.test("names are taken apart and put together again, and are in the order in which people count", () => {
  assertEquals(parseName("A.12.B.3.C"), { template: "A.{i}.B.{i}.C", indices: [12, 3] });
  assertEquals(nameOf("A.{i}.B.{i}.C", [12, 3]), "A.12.B.3.C");
  assertEquals(parseName("A.0.B"), { template: "A.0.B", indices: [] });
  for (const none of ["A.{i}.B", "x".repeat(257)]) assertEquals(parseName(none), undefined);
  const sorted = ["A.1", "A.2.B", "A.2.C", "A.10.B", "A.B"];
  assertEquals(sorted.toReversed().sort(compareNames), sorted);
});
