/**
 * Commands that ask for the local password, and what is remembered, through a whole gateway: local port, plug-in
 * channel, restart.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import type { CapabilityReply } from "../../src/protocol/smart_gateway/mod.ts";
import { testGateway } from "../support/gateway.ts";
import { ScriptedPlatform } from "../support/scripted_platform.ts";

const SN = "64D954-D6AEE64D95420214B";
const reasonOf = (reply: CapabilityReply) => reply.status === "1" ? reply.failReason : "";

Deno.test("a command that asks for the local password gets it from the LAN, counts wrong ones, and is free from afar", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { driver: "simulated" });
  await test.control("PUT", "/api/v1/passwords", { user: "secret" });
  const ask = async (fields: Record<string, string>) =>
    (await test.post1("GET_DEVICE_INFO_ALL", fields)).reply;
  assertEquals(reasonOf(await ask({})), "LOCAL_AUTH_FAIL");
  const shown = await ask({ USER: "useradmin", PASSWORD: "secret" });
  assertEquals([shown.status, shown.fields["DEVType"]], ["0", "simulated"]);
  for (let i = 0; i < 5; i++) {
    assertEquals(reasonOf(await ask({ USER: "useradmin", PASSWORD: `guess${i}` })), "LOCAL_AUTH_FAIL");
  }
  assertMatch(reasonOf(await ask({ USER: "useradmin", PASSWORD: "secret" })), /too many wrong passwords/);
  assertEquals(reasonOf((await test.post1("HG_COMMAND_REBOOT")).reply), "NO_RIGHT_ACCESS");
});

Deno.test("the platform's commands are answered before what ends the conversation, and settings outlive a restart", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { driver: "simulated" });
  await test.gateway.registered;
  await platform.connectGateway();
  const post = async (cmdType: string, fields: Record<string, string> = {}) =>
    (await platform.post("", cmdType, fields)).reply;
  assertEquals((await post("SET_HG_DEV_NAME", { DevName: "cellar" })).status, "0");
  assertEquals((await post("SET_NETWORK_DNS", { DNS1: "198.51.100.1" })).status, "0");
  const timer = { StartTime: "08:00", EndTime: "20:00", ControlCycle: "1,2", Enable: "1" };
  assertEquals((await post("SET_HG_LED_INDICATOR_TIMER", timer)).status, "0");
  assertEquals((await post("GET_DEVICE_INFO_ALL")).status, "0", "no password from afar");
  assertEquals((await post("HG_COMMAND_REBOOT")).status, "0");
  await test.restart();
  const name = (await test.post1("GET_HG_DEV_NAME")).reply;
  assertEquals(name.fields["DevName"], "cellar");
  const service = (await test.post1("GET_SERVICE")).reply.fields;
  assertEquals([service["LEDTimer"], service["LEDControlCycle"]], ["1", "1,2"]);
  for (;;) {
    const { fields } = (await test.post1("GET_NETWORK_DNS")).reply;
    if (fields["DNS1"] === "198.51.100.1") break;
  }
});
