import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import type { HostCall } from "../../sandbox/mod.ts";
import { networkFunctions } from "./host/network.ts";
import { Shares } from "./shares.ts";

Deno.test("a plug-in has its share and no more, whatever others have, and gets it back", async () => {
  const shares = new Shares("ping", 2), release = Promise.withResolvers<void>();
  const hold = (plugin: string) => shares.within(plugin, () => release.promise);
  const held = [hold("a"), hold("a")];
  await assertRejects(() => hold("a"), Error, "ping: this plug-in has 2 under way");
  held.push(hold("b"));
  await assertRejects(() => shares.within("b", () => Promise.reject(new Error("of its own"))), Error, "own");
  release.resolve();
  await Promise.all(held);
  assertEquals(await shares.within("a", () => Promise.resolve(5)), 5);
});

Deno.test("no plug-in takes all pings, look-ups or requests", async () => {
  const never = () => new Promise<never>(() => {});
  const functions = networkFunctions(
    {
      driver: { diagnosis: { ping: never, traceroute: never, lookup: never } },
      http: { clock: new FakeClock(), lookup: never, mayReach: () => true, connect: never, startTls: never },
    } as unknown as Parameters<typeof networkFunctions>[0],
  );
  const over = new AbortController();
  const call = (plugin: string) =>
    ({ plugin, manifest: { hosts: ["x.example"] }, signal: over.signal }) as unknown as HostCall;
  const cases = [
    ["network.ping", "network.ping", ["1.2.3.4"], 2],
    ["network.dns", "network.lookup", ["x.example"], 4],
    ["network.http", "network.http", ["http://x.example/"], 3],
  ] as const;
  for (const [capability, name, args, most] of cases) {
    const run = functions[capability]![name]!;
    const begun = Array.from({ length: most }, () => Promise.resolve(run([...args], call("greedy"))));
    for (const one of begun) one.catch(() => {});
    await assertRejects(async () => await run([...args], call("greedy")), Error, "under way", name);
    Promise.resolve(run([...args], call("another"))).catch(() => {}); // it is not refused for the greedy one
  }
  // A trace is made of pings.
  const trace = functions["network.traceroute"]!["network.traceroute"]!;
  await assertRejects(async () => await trace(["1.2.3.4"], call("greedy")), Error, "under way");
  over.abort();
});
