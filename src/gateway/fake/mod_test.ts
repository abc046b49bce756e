import { assert, assertEquals } from "@std/assert";
import { FakeClock, systemRandom } from "../../base/mod.ts";
import type { HostCall, JsonObject } from "../../sandbox/mod.ts";
import { openFakeGateway } from "./mod.ts";

Deno.test("the house around an author's test is the same each time, with somebody on a cable and in the WiFi", async () => {
  const houses: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    await using gateway = await openFakeGateway({ clock: new FakeClock(), random: systemRandom });
    const call = { signal: new AbortController().signal, plugin: "p" } as HostCall;
    const ask = async (capability: string, name: string) =>
      await gateway.capabilities[capability]![name]!([], call) as JsonObject[];
    const devices = await ask("lan.read", "lan.devices"), stations = await ask("wifi.read", "wifi.stations");
    assert(stations.length > 0 && devices.length > stations.length);
    houses.push({ devices, stations });
  }
  for (const house of houses) assertEquals(house, houses[0]);
});
