import { assert, assertEquals } from "@std/assert";
import { hasWifiName, runtimeCpuTimes, runtimeInfo, runtimeMemory } from "./runtime.ts";

Deno.test("the runtime tells load, memory and what the machine is, without a look at /proc", async () => {
  const before = (await runtimeCpuTimes())!;
  const end = performance.now() + 50;
  while (performance.now() < end);
  const after = (await runtimeCpuTimes())!;
  assert(after.total > before.total && after.idle >= before.idle && before.idle <= before.total);

  const memory = runtimeMemory()!;
  assert(memory.totalKb > 1024 && memory.availableKb <= memory.totalKb && memory.percent >= 0);

  const info = await runtimeInfo();
  assertEquals(info.osVersion, `Linux ${Deno.osRelease()}`);
  assertEquals(info.hostName, Deno.hostname());
  assertEquals(info.ramKb, memory.totalKb);
  assert(info.flashKb! > 1024 && info.uptimeSeconds! > 0);
});

Deno.test({
  name: "without permissions nothing is made up",
  permissions: "none",
  async fn() {
    assertEquals([await runtimeCpuTimes(), runtimeMemory()], [undefined, undefined]);
    assertEquals(Object.values(await runtimeInfo()).filter((value) => value !== undefined), []);
  },
});

Deno.test("a WiFi interface is known by its name", () => {
  const named = (name: string) => [{ name, address: "192.168.1.1", prefix: 24 }];
  assertEquals(hasWifiName(named("wlan0")), true);
  assertEquals(hasWifiName(named("wlp3s0")), true);
  assertEquals(hasWifiName(named("eth0")), undefined);
});
