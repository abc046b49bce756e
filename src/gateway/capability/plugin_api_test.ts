/**
 * The documents and the types for editors name the very functions that there are.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, seededRandom, silentLog } from "../../base/mod.ts";
import type { HostCall, Json, JsonObject } from "../../sandbox/mod.ts";
import { HOST_API, hostApi } from "../../sandbox/host_api/mod.ts";
import { SimulatedDriver } from "../driver/mod.ts";
import { openParameters, ParameterFeed, parameterFunctions } from "../parameters/mod.ts";
import { pushFunctions } from "../push/mod.ts";
import { type HostDeps, hostFunctions } from "./host_functions.ts";
import { rightsFunctions } from "./rights.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));

const tree = await openParameters({ clock: new FakeClock(), log: silentLog }, undefined);

function capabilities() {
  const clock = new FakeClock(), random = seededRandom(1);
  // Of what stands in for the rest nothing is called.
  const rest = {} as Pick<HostDeps, "house" | "identity" | "state" | "passwords" | "registered">;
  const driver = new SimulatedDriver({ clock, random });
  const storage = {} as Parameters<typeof hostApi>[0]["storage"];
  return {
    ...hostFunctions({ ...rest, driver, clock }),
    ...parameterFunctions(tree, new ParameterFeed(tree)),
    ...rightsFunctions(() => undefined),
    ...pushFunctions({ push: () => Promise.reject(new Error("nothing is pushed here")) }),
    ...hostApi({ clock, random, storage, call: () => Promise.resolve({}), mayCall: () => true }),
  };
}

Deno.test("the documentation lists every capability with its functions, and no others", () => {
  const table = read("docs/plugin-api.md").split("## Can\n")[1]!.split("Limits are declared")[0]!;
  const listed = [...table.matchAll(/^\| `([a-z.]+)` +\| (.*?) +\|/gm)].map(([, name, cell]) => {
    const group = /`([a-z]+)\./.exec(cell!)![1]!;
    const functions = [...cell!.matchAll(/`([a-z]*)\.([A-Za-z]+)\(/g)].map(([, own, fn]) =>
      `${own || group}.${fn}`
    );
    return [name!, functions.sort()] as const;
  });
  const there = Object.entries(capabilities()).map(([name, fns]) => [name, Object.keys(fns).sort()] as const);
  assertEquals(Object.fromEntries(listed), Object.fromEntries(there));
});

Deno.test("the types for editors have every capability and function", () => {
  const types = read("plugins/gatehouse.d.ts"), host = types.split("interface Host {")[1]!;
  for (const [name, functions] of Object.entries(capabilities())) {
    assert(types.includes(`| "${name}"`), name);
    for (const path of Object.keys(functions)) {
      const [group, own] = path.split(".");
      const members = host.split(`readonly ${group}: {`)[1]?.split("\n    };")[0] ?? "";
      assert(new RegExp(`^ {6}${own}\\(`, "m").test(members), path);
    }
  }
});

Deno.test("what the sandbox brings itself is not defined by the gateway", () => {
  const own = hostFunctions({ driver: {} } as HostDeps);
  assertEquals(HOST_API.filter((name) => Object.hasOwn(own, name)), []);
});

Deno.test("load, uptime, time, interfaces and the ways of the simulated machine are told", async () => {
  const found = capabilities();
  const call = { signal: new AbortController().signal } as Parameters<
    NonNullable<typeof found[string]>[string]
  >[1];
  const ask = async (capability: string, name: string, ...args: Json[]) =>
    await found[capability]![name]!(args, call);
  assertEquals((await ask("system.load", "system.load") as unknown[]).length, 3);
  assertEquals(typeof await ask("system.uptime", "system.uptime"), "number");
  assertEquals(Object.keys(await ask("system.time", "system.time") as object), ["now", "utcOffsetMinutes"]);
  assertEquals((await ask("system.interfaces", "system.interfaces") as unknown[]).length, 2);
  assertEquals(await ask("network.dns", "network.lookup", "host.example", "AAAA"), ["2001:db8::9"]);
  assertEquals(
    (await ask("network.traceroute", "network.traceroute", "host.example") as unknown[]).length,
    3,
  );
});

Deno.test("what a plug-in may leave out it may also hand over as undefined, which comes as null", async () => {
  const found = capabilities(), { signal } = new AbortController();
  const call = { signal, plugin: "p" } as HostCall;
  assertEquals(await found["network.dns"]!["network.lookup"]!(["host.example", null], call), ["192.0.2.9"]);
  const report = await found["network.ping"]!["network.ping"]!(["host.example", null], call) as JsonObject;
  assertEquals(report["sent"], 4);
});

Deno.test("the simulated machine refuses what Linux would refuse", async () => {
  const found = capabilities(), { signal } = new AbortController();
  const call = { signal, plugin: "p" } as HostCall;
  const ping = (...args: Json[]) => async () => await found["network.ping"]!["network.ping"]!(args, call);
  await assertRejects(ping("host.example", { count: 99 }), Error, "count is not 1 to 20");
  await assertRejects(ping("host.example", { size: 9000 }), Error, "size is not 0 to 1472");
  await assertRejects(ping("-f"), Error, "not a host name or IP address");
  const traceroute = async () =>
    await found["network.traceroute"]!["network.traceroute"]!(["host.example", { maxHops: 99 }], call);
  await assertRejects(traceroute, Error, "maxHops is not 1 to 30");
  const lookup = async () => await found["network.dns"]!["network.lookup"]!(["http://host.example"], call);
  await assertRejects(lookup, Error, "not a host name");
});

Deno.test("a machine without a line to the outside shows no address of the home's, and none of nobody's, as its own", async () => {
  const info = async (wan: string, lan: string | undefined) => {
    const driver = { wanAddress: () => wan, lanAddress: () => lan, info: () => Promise.resolve({}) };
    const found = hostFunctions({ driver, identity: {} } as unknown as HostDeps);
    const told = await found["system.info"]!["system.info"]!([], {} as HostCall) as JsonObject;
    return [told["wanAddress"], told["lanAddress"]];
  };
  assertEquals(await info("192.168.9.1", "192.168.9.1"), ["", "192.168.9.1"]);
  assertEquals(await info("0.0.0.0", undefined), ["", ""]);
  assertEquals(await info("100.64.7.2", "192.168.9.1"), ["100.64.7.2", "192.168.9.1"]);
});
