/**
 * A real gateway against a scripted platform, over real sockets: registration, triggers, moves, what survives a restart,
 * and what a simulated one says of itself.
 *
 * @module
 */
import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { encodeAccessReply, encodeAccessRequest, triggerKey } from "../src/protocol/smart_gateway/mod.ts";
import { LOID, MAC, SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";
import { fieldsOf } from "./support/gateway_plugins.ts";

Deno.test("a gateway registers, keeps its place over a restart, and is stopped cleanly", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await until("a heartbeat", () => platform.methods().includes("Hb"));
  assertEquals(platform.methods(), ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb"]);
  assertEquals(test.gateway.health(), { status: "up" });
  const { devRnd } = platform;
  platform.heard.length = 0;
  await test.restart();
  await test.gateway.registered;
  await until("a heartbeat", () => platform.methods().includes("Hb"));
  assertEquals(platform.methods(), ["Boot", "Register", "Hb"]);
  assertEquals(platform.devRnd, devRnd, "the DevRND survives");
});

Deno.test("a state file that can't be read is set aside", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  // The first heartbeat is on its way: heard later, it would be taken for the restarted gateway's.
  await until("a heartbeat", () => platform.methods().includes("Hb"));
  await Deno.writeTextFile(`${test.folder}/data/gateway.json`, '{"devRnd": "half');
  platform.heard.length = 0;
  await test.restart();
  await test.gateway.registered;
  assertEquals(platform.methods()[0], "BootFirst");
  assertEquals(await Deno.readTextFile(`${test.folder}/data/gateway.json.broken`), '{"devRnd": "half');
});

Deno.test("a trigger brings the gateway onto the plug-in channel, once", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  const before = platform.devRnd;
  await platform.connectGateway();
  assertNotEquals(platform.devRnd, before);
  await until("the channel", () => test.gateway.channel.state === "open");
  const heard = platform.heard.length;
  platform.say(encodeAccessRequest({
    method: "RequestPlug-in",
    key: triggerKey(platform.devRnd, SN),
    deviceSn: SN,
    serverAddr: "127.0.0.1",
    serverPort: 1,
  }));
  const reply = await until(
    "an answer",
    () => platform.heard.slice(heard).find(({ method }) => method === "Reply"),
  );
  assertEquals(reply, { method: "Reply", result: -1, devRnd: platform.devRnd });

  assertEquals((await platform.ask({ method: "Disconnect" })).result, 0);
  await until("the end of the channel", () => test.gateway.channel.state === "closed");
  assertEquals(test.gateway.channel.lastEnd, "the platform disconnected");
  await platform.connectGateway();
  const boot = platform.channelHeard.findLast(({ method }) => method === "Boot");
  assertEquals(
    boot?.method === "Boot" && "loid" in boot && [boot.mac, boot.loid, boot.ipAddr],
    [MAC, LOID, "127.0.0.1"],
  );
});

Deno.test("RequestDistri moves a gateway to another platform, also over a restart", async () => {
  await using old = new ScriptedPlatform(SN);
  await using next = new ScriptedPlatform(SN);
  await using test = await testGateway(old);
  await test.gateway.registered;
  const move = async (platform: ScriptedPlatform, mode: string, port: number) => {
    const before = platform.heard.length;
    platform.say(encodeAccessRequest({
      method: "RequestDistri",
      key: triggerKey(platform.devRnd, SN),
      mode,
      serverAddr: "127.0.0.1",
      serverPort: port,
    }));
    await until("an answer", () => platform.heard.slice(before).some(({ method }) => method === "Reply"));
    platform.say(encodeAccessReply({ result: 1 }));
  };
  await move(old, "1", next.accessAt.port);
  await until("a heartbeat at the next", () => next.methods().includes("Hb"));
  assertEquals(next.methods(), ["Boot", "Register", "Hb"]);
  next.heard.length = old.heard.length = 0;
  await move(next, "0", next.distributionAt.port);
  await until(
    "a registration through its distribution",
    () => next.methods().filter((m) => m === "Hb").length === 1,
  );
  assertEquals(next.methods().filter((m) => m !== "Reply"), [
    "BootFirst",
    "RegisterFirst",
    "Boot",
    "Register",
    "Hb",
  ]);
  await test.restart();
  await test.gateway.registered;
  assertEquals(old.methods(), []);
});

Deno.test("settings that name another distribution platform void what was learned from the earlier one", async () => {
  await using old = new ScriptedPlatform(SN);
  await using next = new ScriptedPlatform(SN);
  await using test = await testGateway(old);
  await test.gateway.registered;
  await test.restart({ port: next.distributionAt.port });
  await test.gateway.registered;
  assertEquals(next.methods().slice(0, 3), ["BootFirst", "RegisterFirst", "Boot"]);
});

Deno.test("a gateway whose local port is taken says so and leaves nothing behind", async () => {
  await using platform = new ScriptedPlatform(SN);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const error = await testGateway(platform, { local: { host: "127.0.0.1", port: taken.addr.port } }).then(
    () => undefined,
    (error) => error,
  );
  assertEquals(error?.code, "address_in_use");
});

Deno.test("a simulated gateway says that it is simulated", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { driver: "simulated" });
  await test.gateway.registered;
  await platform.connectGateway();
  assertStringIncludes(
    String(fieldsOf((await platform.post("", "GET_VERSION")).reply)["Version"]),
    "(simulated)",
  );
  assertEquals(fieldsOf((await platform.post("", "QUERY_SYSTEM_INFO")).reply)["DEVType"], "simulated");
  assertEquals((await platform.post("", "PING_DIAG_REQ", { Dest: "192.0.2.1", time: "2" })).result, 0);
  for (;;) {
    const result = fieldsOf((await platform.post("", "GET_PING_RESULT")).reply);
    if (result["PingStatus"] === "RUNNING") continue;
    assertEquals(result["PingStatus"], "SUCCESS");
    assertStringIncludes(String(result["PingResult"]), "2 sent, 2 received, 0% lost");
    break;
  }
});

Deno.test("a simulated gateway is the same one at each start, and another one with another seed", async () => {
  await using platform = new ScriptedPlatform(SN);
  const pinged = async (more: { seed?: number }) => {
    await using test = await testGateway(platform, { driver: "simulated", ...more });
    const call = async (parameter: Record<string, string>) =>
      (await test.control("POST", "/api/v1/plugins/-/call", { parameter })).body.reply as Record<
        string,
        string
      >;
    await call({ CmdType: "PING_DIAG_REQ", Dest: "192.0.2.1", time: "3" });
    for (;;) {
      const { PingStatus, PingResult } = await call({ CmdType: "GET_PING_RESULT" });
      if (PingStatus !== "RUNNING") return String(PingResult);
    }
  };
  const first = await pinged({});
  assertStringIncludes(first, "3 sent");
  assertEquals(await pinged({}), first);
  assertNotEquals(await pinged({ seed: 5 }), first);
});
