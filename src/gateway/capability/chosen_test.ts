import { assertEquals } from "@std/assert";
import type { PluginStatus } from "../../sandbox/mod.ts";
import { chosen } from "./chosen.ts";

function choose(...plugins: Pick<PluginStatus, "name" | "tier" | "state" | "desired">[]): string | undefined {
  const commands = [{ name: "DO", right: "both" as const }];
  return chosen(
    { list: () => plugins.map((each) => ({ ...each, commands }) as unknown as PluginStatus) },
    "DO",
  );
}

const up = { state: "running", desired: "running" } as const;
const down = { state: "errored", desired: "running" } as const;
const stopped = { state: "stopped", desired: "stopped" } as const;

Deno.test("a command without a plug-in's name goes to the most trusted that has it, even where that is down", () => {
  const carrier = { name: "z", tier: "carrier" }, vendor = { name: "y", tier: "vendor" };
  const community = { name: "x", tier: "community" }, unsigned = { name: "a", tier: "unsigned" };
  assertEquals(
    choose({ ...unsigned, ...up }, { ...community, ...up }, { ...vendor, ...up }, { ...carrier, ...up }),
    "z",
  );
  assertEquals(choose({ ...unsigned, ...up }, { ...community, ...up }, { ...vendor, ...down }), "y");
  assertEquals(choose({ ...unsigned, ...up }, { name: "b", tier: undefined, ...up }), "a");
});

Deno.test("what somebody stopped is stood in for, by whoever is there", () => {
  const carrier = { name: "z", tier: "carrier", ...stopped }, unsigned = { name: "a", tier: "unsigned" };
  assertEquals(choose(carrier, { ...unsigned, ...up }), "a");
  assertEquals(choose(carrier, { ...unsigned, ...stopped }), "z");
});

Deno.test("among equals it is one that runs, then the first by name; where there is none, nobody", () => {
  const tier = "unsigned";
  assertEquals(
    choose({ name: "a", tier, ...down }, { name: "c", tier, ...up }, { name: "b", tier, ...up }),
    "b",
  );
  assertEquals(chosen({ list: () => [] }, "DO"), undefined);
});
