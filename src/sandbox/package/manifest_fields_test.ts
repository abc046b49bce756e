import { assertEquals, assertStringIncludes } from "@std/assert";
import { manifestFaults } from "./manifest_check.ts";

const manifest = (fields: unknown) => ({
  name: "com.example.form",
  version: "1.0",
  apiVersion: "2026-11-01",
  commands: { GREET: { right: "both", fields } },
});

Deno.test("a manifest may say which fields a command takes", () => {
  const fields = [
    { name: "Name", label: { en: "Whom", zh: "姓名" }, required: true, pattern: "[A-Za-z ]{1,40}" },
    { name: "Tone", values: ["kind", "cool"] },
  ];
  assertEquals(manifestFaults(manifest(fields)), []);
  assertEquals(manifestFaults(manifest([])), []);
});

Deno.test("fields that no form could show are told with their path", () => {
  for (
    const [field, told] of [
      [{ name: "<script>" }, "a field's name is letters"],
      [{ name: "CmdType" }, "is in every request by itself"],
      [{ name: "A", pattern: "(" }, "no regular expression"],
      [{ name: "A", values: [] }, "values"],
      [{ name: "A", label: "Whom" }, "label"],
      [{ name: "A", more: 1 }, "more"],
      [{}, "name"],
    ] as const
  ) {
    const faults = manifestFaults(manifest([field]));
    assertStringIncludes(faults.join(), told);
    assertStringIncludes(faults[0]!, "manifest.commands.GREET.fields.0");
  }
  assertEquals(manifestFaults(manifest([{}])), ["manifest.commands.GREET.fields.0.name: is missing"]);
  const many = Array.from({ length: 33 }, (_, i) => ({ name: `F${i}` }));
  assertStringIncludes(manifestFaults(manifest(many)).join(), "at most 32 fields");
});
