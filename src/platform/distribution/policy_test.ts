import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as v from "valibot";
import { choose, type Policy, PolicySchema } from "./policy.ts";

const policy = (value: unknown): Policy => v.parse(PolicySchema, value);
const gateway = (mac: string, vendor = "ZTE", model = "F650") => ({
  mac,
  vendor,
  model,
  firmware: "V1.2.3",
  region: "north",
});
const target = (p: Policy, mac: string) => {
  const choice = choose(p, gateway(mac));
  return choice?.kind === "operations" ? `${choice.target.host}:${choice.target.port}` : undefined;
};
const mac = fc.integer({ min: 0, max: 0xffffff }).map((n) =>
  "64D954" + n.toString(16).padStart(6, "0").toUpperCase()
);

Deno.test("the first rule that matches vendor, model and OUI decides", () => {
  const p = policy({
    rules: [
      { name: "lab", match: { oui: "AABBCC" }, redirect: "lab.example:12112" },
      { name: "zte old", match: { vendor: "ZTE", model: "F400" }, targets: [{ address: "old:1" }] },
      { name: "zte", match: { vendor: "ZTE" }, targets: [{ address: "zte:1" }] },
    ],
  });
  assertEquals(choose(p, gateway("AABBCC000001")), {
    kind: "redirect",
    address: "lab.example:12112",
    rule: "lab",
  });
  assertEquals(target(p, "64D954000001"), "zte:1");
  assertEquals(choose(p, gateway("64D954000001", "ZTE", "F400"))?.rule, "zte old");
  assertEquals(choose(p, gateway("64D954000001", "Huawei")), undefined);
});

Deno.test("a gateway keeps its choice, and leaves it only when its target goes", () => {
  const three = policy({
    rules: [{ name: "r", targets: ["a:1", "b:1", "c:1"].map((address) => ({ address })) }],
  });
  const two = policy({ rules: [{ name: "r", targets: ["a:1", "b:1"].map((address) => ({ address })) }] });
  fc.assert(fc.property(mac, (m) => {
    const before = target(three, m), after = target(two, m);
    assertEquals(target(three, m), before);
    if (before !== "c:1") assertEquals(after, before);
  }));
});

Deno.test("weights share gateways out, and weight 0 drains a target", () => {
  const p = policy({
    rules: [{
      name: "r",
      targets: [{ address: "a:1", weight: 3 }, { address: "b:1", weight: 1 }, { address: "c:1", weight: 0 }],
    }],
  });
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const address = target(p, i.toString(16).padStart(12, "0").toUpperCase())!;
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  const share = counts.get("a:1")! / 20_000;
  assert(share > 0.73 && share < 0.77, `a has ${share} where 0.75 was asked for`);
  assertEquals(counts.has("c:1"), false);
});

Deno.test("a policy with a fault is refused with the place of the fault", () => {
  const faults = (value: unknown) =>
    v.safeParse(PolicySchema, value).issues?.map((issue) => v.getDotPath(issue)) ?? [];
  assertEquals(faults({ rules: [{ name: "r", targets: [{ address: "nowhere" }] }] }), [
    "rules.0.targets.0.address",
  ]);
  assertEquals(faults({ rules: [{ name: "r" }] }), ["rules.0"]);
  assertEquals(faults({ rules: [{ name: "r", match: { oui: "zz" }, redirect: "a:1" }] }), [
    "rules.0.match.oui",
  ]);
});

Deno.test("rules look at MAC ranges, firmware and region too", () => {
  const decides = (match: unknown, subject = gateway("64D954000100")) =>
    choose(policy({ rules: [{ name: "r", match, targets: [{ address: "a:1" }] }] }), subject) !== undefined;
  assertEquals(decides({ macFrom: "64D954000100", macTo: "64D954000100" }), true);
  assertEquals(decides({ macFrom: "64D954000101" }), false);
  assertEquals(decides({ macTo: "64D9540000FF" }), false);
  assertEquals(decides({ region: "north" }), true);
  assertEquals(decides({ region: "south" }), false);
  assertEquals(
    decides({ region: "north" }, { ...gateway("64D954000100"), region: undefined as never }),
    false,
  );
  for (
    const [firmware, expected] of [
      ["V1.2.3", true],
      ["V1.2", false],
      ["V1.*", true],
      ["*", true],
      ["*.3", true],
      ["V*2*3", true],
      ["V1.2.3*V1.2.3", false],
      ["V2*", false],
      ["*2*2*", false],
      ["v1.*", false],
    ] as const
  ) {
    assertEquals(decides({ firmware }), expected, firmware);
  }
});

Deno.test("a share of the gateways is always the same ones, and grows without moving those that moved before", () => {
  const at = (percent: number, m: string) =>
    target(
      policy({
        rules: [
          { name: "move", match: { percent }, targets: [{ address: "new:1" }] },
          { name: "rest", targets: [{ address: "old:1" }] },
        ],
      }),
      m,
    );
  let moved = 0;
  for (let i = 0; i < 10_000; i++) {
    const m = (i * 7919).toString(16).padStart(12, "0").toUpperCase();
    const ten = at(10, m), forty = at(40, m);
    if (ten === "new:1") {
      moved++;
      assertEquals(forty, "new:1");
    }
    assertEquals([at(0, m), at(100, m)], ["old:1", "new:1"]);
  }
  assert(moved > 900 && moved < 1100, `${moved} of 10,000 where a tenth was asked for`);
});
