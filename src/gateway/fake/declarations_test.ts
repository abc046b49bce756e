import { assertEquals } from "@std/assert";
import { systemClock, systemRandom } from "../../base/mod.ts";
import types from "../../../plugins/gatehouse.d.ts" with { type: "text" };
import { openFakeGateway } from "./mod.ts";

/** `group.function` of each function that the interface Host declares, beside the log. */
function declared(): string[] {
  const host = /interface Host \{([^]*?)\n {2}\}/.exec(types)![1]!.replace(/\/\*\*[^]*?\*\//g, "");
  return [...host.matchAll(/readonly (\w+): \{([^]*?)\n {4}\};/g)].flatMap(([, group, body]) =>
    [...body!.matchAll(/^ {6}(\w+)\(/gm)].map(([, name]) => `${group}.${name}`)
  ).sort();
}

Deno.test("the declarations for authors name the capabilities and host functions that there are, and no others", async () => {
  await using gateway = await openFakeGateway({ clock: systemClock, random: systemRandom });
  const functions = Object.values(gateway.capabilities).flatMap((all) => Object.keys(all));
  assertEquals(declared(), functions.sort());
  const union = /type Capability =([^]*?);/.exec(types)![1]!;
  assertEquals(
    [...union.matchAll(/"([\w.]+)"/g)].map(([, name]) => name).sort(),
    Object.keys(gateway.capabilities).sort(),
  );
});
