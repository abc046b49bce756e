/**
 * The host API's dates, of what the gateway adds to the sandbox: a plug-in that was written for a date gets the answers
 * of that date, by their shape and by the words of what is refused.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { systemClock, systemRandom } from "../../base/mod.ts";
import { Workshop } from "../../sandbox/author/mod.ts";
import { API_VERSIONS, type Json } from "../../sandbox/mod.ts";
import { openFakeGateway } from "./mod.ts";

const FOLDER = new URL("./frozen/", import.meta.url);

/** A value with its texts and numbers left out: what programs rely on. */
type Shape = string | readonly [Shape] | readonly [] | { readonly [name: string]: Shape };

function shapeOf(value: Json): Shape {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length > 0 ? [shapeOf(value[0]!)] : [];
  if (typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one as Json)]));
}

/** `there` as far as `wanted` speaks of it: what came beside it later is left out. */
function within(there: Shape | undefined, wanted: Shape): Shape | undefined {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(there) || wanted.length === 0) return Array.isArray(there) ? [] : there;
    return there.length === 0 ? there : [within(there[0], wanted[0]!)!];
  }
  if (typeof wanted === "string" || typeof there !== "object" || Array.isArray(there)) return there;
  const known = there as Readonly<Record<string, Shape>>;
  const entries = Object.entries(wanted).flatMap(([name, one]) => {
    const found = within(known[name], one);
    return found === undefined ? [] : [[name, found] as const];
  });
  return Object.fromEntries(entries);
}

for (const date of API_VERSIONS) {
  Deno.test(`a plug-in of ${date} gets from a gateway what it got on that date`, async () => {
    const source = await Deno.readTextFile(new URL(`api-${date}.js`, FOLDER));
    const golden = JSON.parse(await Deno.readTextFile(new URL(`api-${date}.json`, FOLDER)));
    const deps = { clock: systemClock, random: systemRandom };
    await using gateway = await openFakeGateway(deps);
    const program = { entry: "plugin.js", modules: { "plugin.js": source } };
    await using bench = await new Workshop(deps).open(program, { capabilities: gateway.capabilities });
    const { reply, error } = await bench.call("ALL", {});
    assertEquals(error, undefined);
    const { functions, answers, refusals } = reply as Record<string, Json>;
    // A function of that date is neither missing nor is there one of a later date.
    assertEquals(functions, golden.functions);
    assertEquals(within(shapeOf(answers!), golden.answers), golden.answers);
    assertEquals(refusals, golden.refusals);
  });
}

Deno.test("every function that a gateway gives is asked by the plug-in of some date", async () => {
  const deps = { clock: systemClock, random: systemRandom };
  await using gateway = await openFakeGateway(deps);
  const asked = new Set<string>();
  for (const date of API_VERSIONS) {
    const source = await Deno.readTextFile(new URL(`api-${date}.js`, FOLDER));
    for (const [, name] of source.matchAll(/^ {2}"([a-z]+\.[A-Za-z]+)": \[/gm)) asked.add(name!);
  }
  // These would end the machine, its line or its time, or are those of the sandbox's own frozen plug-in.
  const left =
    /^(power\.(reboot|recover|setTime)|wan\.dial|pon\.register)$|^(storage|timers|plugins|crypto)\./;
  const missing = Object.values(gateway.capabilities).flatMap((functions) => Object.keys(functions))
    .filter((name) => !asked.has(name) && !left.test(name));
  assertEquals(missing, []);
});
