/**
 * Hostile bytes at every port of the gateway, from strangers and from what poses as its platform, while an app and the
 * platform are being served.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startProgram } from "../scripts/lib/program.ts";
import { decodePost1Reply, encodeCapabilityRequest, encodePost1 } from "../src/protocol/smart_gateway/mod.ts";
import { exchangeFrame, LOID, MAC, SN } from "./support/gateway.ts";
import { flood, hostile, storm, stormUntilSettled } from "./support/hostile.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";
import { manifest as systemMonitor } from "../plugins/system-monitor.js";

const RND = "0123456789ABCDEF0123456789ABCDEF";
const DATAGRAMS = 100_000, FRAMES = 10_000;

const ACCESS = [
  { RPCMethod: "RequestPlug-in", Key: RND, DeviceSN: SN, ServerAddr: "127.0.0.1", ServerPort: 9 },
  { RPCMethod: "RequestDistri", Key: RND, mode: "1", ServerAddr: "127.0.0.1", ServerPort: 9 },
  { Result: 0 },
  { Result: 0, Interval: 60 },
  { Result: 0, ChallengeCode: RND },
  { Result: 2, Interval: 60, HeartbeatIPAddr: "127.0.0.1:9" },
].map((message) => JSON.stringify(message));
const plugin = { Plugin_Name: "system-monitor", Version: systemMonitor.version, ID: 99 };
const CHANNEL = [
  { RPCMethod: "Post", ...plugin, Parameter: btoa('{"CmdType":"QUERY_CPU_INFO","SequenceId":"00000001"}') },
  { RPCMethod: "Install_query", ...plugin },
  { RPCMethod: "Install", ...plugin, Download_url: "ftp://127.0.0.1/x", Plugin_size: 1, OS: 9 },
  { RPCMethod: "ListPlugin", ID: "x" },
  { RPCMethod: "SetPlug-inParameterValues", ...plugin, Parameter: "e30=" },
  { Result: 0, ChallengeCode: RND },
].map((message) => JSON.stringify(message));
const LOCAL = [
  { RPCMethod: "Post1", ...plugin, Parameter: btoa('{"CmdType":"GET_SN_INFO","SequenceId":"00000001"}') },
  { RPCMethod: "Post1", ...plugin, Parameter: btoa('{"CmdType":"CHECK_PASSWD_PARAM","PassWD":"x"}') },
].map((message) => JSON.stringify(message));
const HTTP = LOCAL.map((json) => {
  const body = `jsonCfg=${json}`;
  return `POST /gatewayManage.cmd HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
});

Deno.test("no bytes at any port of the gateway crash it, make it grow, or keep it from serving", async () => {
  await using platform = new ScriptedPlatform(SN);
  platform.access = (message) =>
    message.method === "Boot"
      ? { result: 0, challengeCode: RND }
      : message.method === "Register"
      ? { result: 2, interval: 1 }
      : message.method === "Hb"
      ? { result: 0 }
      : undefined;
  const folder = await Deno.makeTempDir();
  await using gateway = await startProgram("gateway", [
    ...["--mgt-url", platform.distributionAt.host, "--port", String(platform.distributionAt.port)],
    ...["--mac", MAC, "--sn", SN, "--loid", LOID, "--plugins", folder],
    ...["--local", "127.0.0.1:0", "--local-http", "127.0.0.1:0", "--control", "127.0.0.1:0"],
  ]);
  const { local, control } = gateway.ports as Record<string, number>;
  await until("a heartbeat", () => platform.methods().includes("Hb"));
  await platform.connectGateway();
  const heartbeats = () => platform.methods().filter((method) => method === "Hb").length;

  const app = async () => {
    const parameter = encodeCapabilityRequest({ cmdType: "GET_SN_INFO", sequenceId: "0", fields: {} });
    const body = await exchangeFrame(
      local!,
      encodePost1({ method: "Post1", id: 1, pluginName: "", version: "", parameter }),
    );
    assertEquals(decodePost1Reply(body!).result, 0);
  };
  /** An honest moment: an app on the LAN, a Post from the platform. */
  const serve = async () => {
    await app();
    assertEquals((await platform.post("", "QUERY_MEM_INFO")).reply.status, "0");
  };
  await serve();
  const begun = performance.now(), before = heartbeats();
  let attacking = true, served = 0;
  const honest = (async () => {
    for (; attacking; served++) {
      await serve();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await stormUntilSettled(async (seed) => {
    await flood(platform.gateway!.port, DATAGRAMS / 2, hostile(ACCESS, 4200, seed + 1));
    const platformSays = hostile(ACCESS, 4000, seed + 2);
    for (let i = 0; i < DATAGRAMS / 4; i++) {
      // A valid refusal of a heartbeat is no attack but an order; all else may come.
      platform.say(withoutOrders(platformSays.next().value!));
      if (i % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const frames = hostile(CHANNEL, 8000, seed + 3);
    for (let i = 0; i < FRAMES / 2; i++) {
      platform.channel!.send(withoutOrders(frames.next().value!));
      if (i % 32 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await storm(local!, FRAMES / 2, hostile(LOCAL, 8000, seed + 4));
    await storm(gateway.ports["local-http"]!, FRAMES / 10, hostile(HTTP, 8000, seed + 6));
    await storm(control!, 200, hostile(LOCAL, 8000, seed + 5));
  }, gateway.residentMiB);
  attacking = false;
  await honest;
  await serve();
  const expected = Math.floor((performance.now() - begun) / 1000);
  assert(served > 3, `only ${served} honest rounds were served`);
  assert(heartbeats() - before >= expected * 0.7, `${heartbeats() - before} heartbeats in ${expected} s`);
  await Deno.remove(folder, { recursive: true });
});

/** Bytes that do not happen to be a valid order: to go away, to fall silent, to slow down, to disconnect. */
function withoutOrders(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(bytes);
  return /"Result":\s*(-|3|2)|Interval|Disconnect/.test(text) ? new Uint8Array([0x7b]) : bytes;
}
