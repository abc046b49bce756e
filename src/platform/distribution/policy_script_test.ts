import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, Metrics, silentLog, systemClock } from "../../base/mod.ts";
import type { OpenScript } from "../../sandbox/script/mod.ts";
import { destinationOf } from "./dry_run.ts";
import type { Policy, PolicySubject } from "./policy.ts";
import { PolicyScriptError, PolicyScripts } from "./policy_script.ts";

const GATEWAY: PolicySubject = {
  mac: "64D954000001",
  vendor: "Maker",
  model: "M1",
  firmware: "V1",
  region: "north",
};
const RULES: Policy["rules"] = [
  { name: "all", match: {}, targets: [{ address: "a:1", weight: 1 }, { address: "b:1", weight: 0 }] },
  {
    name: "never",
    match: { vendor: "x" },
    targets: [{ address: "c:1", weight: 5 }, { address: "a:1", weight: 2 }],
  },
];
const policyOf = (script: string): Policy => ({ rules: RULES, script });

function setUp(open?: OpenScript) {
  const clock = new FakeClock(), metrics = new Metrics(), deps = { clock, metrics, log: silentLog };
  const scripts = new PolicyScripts(deps, ...(open ? [open] : []));
  const ask = async (policy: Policy, gateway = GATEWAY) => {
    const { rule, to } = destinationOf(await scripts.choose(policy, gateway));
    return `${to} by ${rule}`;
  };
  const count = (outcome: string) => metrics.counter("gatehouse_policy_script_total", "", { outcome }).value;
  return { clock, scripts, ask, count };
}

Deno.test("a script chooses by the gateway among the addresses that have a weight, or leaves it to the rules", async () => {
  const { scripts, ask, count } = setUp();
  using _ = scripts;
  const policy = policyOf(`export function choose({ mac, model, region }, destinations) {
    if (region === null) return;
    return destinations.find(({ address, weight }) => address === "c:1" && weight === 5 && model === "M1").address;
  }`);
  assertEquals(await ask(policy), "c:1 by script");
  assertEquals(await ask(policy, { ...GATEWAY, region: undefined }), "a:1 by all");
  assertEquals(await ask(policy, { ...GATEWAY, model: "M2" }), "a:1 by all", "it threw");
  assertEquals([count("chosen"), count("left_to_rules"), count("failed")], [1, 1, 1]);
  assertEquals(await ask({ rules: RULES }), "a:1 by all");
});

Deno.test("a script sends nobody to where no rule does: not elsewhere, not to what is drained, not to a redirect", async () => {
  for (
    const answer of ['"evil.example:1"', '"b:1"', '"a:1 "', "7", "({})", '["a:1"]', "true", '"x".repeat(1e6)']
  ) {
    const { scripts, ask, count } = setUp();
    using _ = scripts;
    assertEquals(await ask(policyOf(`export const choose = () => ${answer};`)), "a:1 by all", answer);
    assertEquals(count("failed"), 1, answer);
  }
});

Deno.test("a hostile script costs its turns and no more, is left alone for a minute, and the rules decide", async () => {
  for (
    const source of [
      "export function choose() { for (;;); }",
      "export async function choose() { for (;;) await null; }",
      "export function choose() { return new Promise(() => {}); }",
      "export function choose() { const all = []; for (;;) all.push(new Uint8Array(1 << 20)); }",
      "export function choose() { return choose(); }",
      "for (;;);",
      "export const choose = 1",
    ]
  ) {
    const { clock, scripts, ask, count } = setUp();
    using _ = scripts;
    const policy = policyOf(source), begun = performance.now();
    for (let n = 0; n < 200; n++) {
      assertEquals(await ask(policy, { ...GATEWAY, mac: String(n) }), "a:1 by all", source);
    }
    assertEquals([count("failed"), count("resting")], [3, 197], source);
    assert(performance.now() - begun < 20_000, source);
    await clock.advance(60_000);
    assertEquals(await ask(policy), "a:1 by all");
    assertEquals(count("failed"), 4, "after its rest it is asked again");
  }
});

Deno.test("what was decided is remembered, until another policy comes into force", async () => {
  let calls = 0;
  const open: OpenScript = () =>
    Promise.resolve({ call: () => `${++calls > 1 ? "c" : "a"}:1`, [Symbol.dispose]() {} });
  const { scripts, ask } = setUp(open);
  using _ = scripts;
  const policy = policyOf("x");
  assertEquals([await ask(policy), await ask(policy), calls], ["a:1 by script", "a:1 by script", 1]);
  assertEquals(await ask(policy, { ...GATEWAY, firmware: "V2" }), "c:1 by script");
  assertEquals(await ask(policyOf("x")), "c:1 by script");
});

Deno.test("a trial gives up a script that fails or never ends, and leaves the one in force alone", async () => {
  const deps = { clock: systemClock, metrics: new Metrics(), log: silentLog };
  using scripts = new PolicyScripts(deps);
  {
    using trial = scripts.trial(
      policyOf(`export const choose = ({ model }) => model === "M1" ? "c:1" : null;`),
    );
    assertEquals(destinationOf(await trial.choose(GATEWAY)), { rule: "script", to: "c:1" });
    assertEquals(destinationOf(await trial.choose({ ...GATEWAY, model: "M2" })), { rule: "all", to: "a:1" });
  }
  using trial = scripts.trial(policyOf("export function choose() { for (;;); }"));
  let asked = 0;
  const error = await assertRejects(async () => {
    for (; asked < 100; asked++) await trial.choose({ ...GATEWAY, mac: String(asked) });
  }, PolicyScriptError);
  assertEquals(asked, 9);
  assert(error.message.includes("held the processor"), error.message);
  await assertRejects(() => scripts.check(policyOf("export const choose = 1;")), PolicyScriptError);
  await scripts.check(policyOf("export const choose = () => null;"));
});
