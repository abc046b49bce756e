import { assertEquals } from "@std/assert";
import type { Policy } from "../../../distribution/mod.ts";
import { type Draft, draftFrom, draftOf, EDITS, fits, MAX_RULES, ruleField, rulesOf } from "./draft.ts";

const POLICY: Policy = {
  rules: [
    {
      name: "pilot",
      match: { vendor: "Acme", percent: 12.5, macFrom: "64D954000000" },
      targets: [{ address: "a:1", weight: 3 }, { address: "b:1", weight: 0 }],
    },
    { name: "elsewhere", match: {}, targets: [], redirect: "d:12112" },
  ],
};
const names = (draft: Draft) => draft.map(({ name }) => name);

/** The fields that a browser would send of a draft. */
function fieldsOf(draft: Draft): Map<string, string> {
  const fields = new Map([["rules", String(draft.length)]]);
  draft.forEach(({ name, match, targets, redirect }, rule) => {
    for (const [key, text] of Object.entries({ name, redirect, targets: String(targets.length), ...match })) {
      fields.set(ruleField(rule, key), text);
    }
    targets.forEach(({ address, weight }, target) => {
      fields.set(ruleField(rule, "address", target), address);
      fields.set(ruleField(rule, "weight", target), weight);
    });
  });
  return fields;
}

Deno.test("a policy goes through a form's fields and comes out the same", () => {
  const fields = fieldsOf(draftOf(POLICY));
  const back = draftFrom((name) => fields.get(name) ?? "");
  assertEquals(rulesOf(back), POLICY.rules as unknown[]);
});

Deno.test("rules are added, removed and moved, and so are their addresses; what is not there changes nothing", () => {
  const draft = draftOf(POLICY),
    edit = (name: string, rule = -1, target = -1, of: Draft = draft) => EDITS[name]!(of, rule, target);
  assertEquals(names(edit("up", 1)), ["elsewhere", "pilot"]);
  assertEquals(names(edit("down", 0)), ["elsewhere", "pilot"]);
  for (const [name, rule] of [["up", 0], ["down", 1], ["up", 9], ["down", -5], ["remove", NaN]] as const) {
    assertEquals(names(edit(name, rule)), ["pilot", "elsewhere"], `${name} ${rule}`);
  }
  assertEquals(names(edit("remove", 0)), ["elsewhere"]);
  assertEquals(names(edit("add")), ["pilot", "elsewhere", ""]);
  assertEquals(edit("addTarget", 0)[0]?.targets.length, 3);
  assertEquals(edit("removeTarget", 0, 0)[0]?.targets, [{ address: "b:1", weight: "0" }]);
  assertEquals(edit("removeTarget", 0, 7)[0]?.targets.length, 2);
});

Deno.test("no form makes a draft larger than a page holds", () => {
  const draft = draftFrom((name) => name === "rules" || name.endsWith("targets") ? "9999" : "x");
  assertEquals([draft.length, draft[0]?.targets.length], [MAX_RULES, 32]);
  assertEquals(EDITS["add"]!(draft, -1, -1).length, MAX_RULES);
  assertEquals(EDITS["addTarget"]!(draft, 0, -1)[0]?.targets.length, 32);
  assertEquals(draftFrom((name) => name === "rules" ? "-1e9" : "").length, 0);
  const many = Array.from({ length: MAX_RULES + 1 }, () => POLICY.rules[0]!);
  assertEquals([fits(POLICY), fits({ rules: many })], [true, false]);
});

Deno.test("what is no number goes to the API as it was typed", () => {
  const [rule] = draftOf(POLICY), wrong = { ...rule!, match: { ...rule!.match, percent: "many" } };
  assertEquals((rulesOf([wrong])[0] as { match: { percent: unknown } }).match.percent, "many");
});
