/**
 * The local port of a whole gateway: over HTTP, closed and moved by its parameters, with its status and its audit on the
 * control API, and locked out over a restart.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeCapabilityReply, encodeCapabilityRequest } from "../src/protocol/smart_gateway/mod.ts";
import { SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";

type Json = Record<string, unknown>;

Deno.test("the status says since when registration stands where it does, who answered what, and what comes next", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  const { status, body } = await test.control("GET", "/api/v1/status");
  assertEquals(status, 200);
  const registration = body.registration as Json;
  assertEquals(registration.state, "registered");
  const answers = registration.answers as { method: string; result: number; from: Json; at: number }[];
  const methods = answers.map(({ method }) => method);
  assertEquals(methods.filter((method) => method !== "Hb"), [
    "Register",
    "Boot",
    "RegisterFirst",
    "BootFirst",
  ]);
  for (const { from, at } of answers) {
    assert(from.host === "127.0.0.1" && at <= Date.now() && at >= (registration.since as number) - 60_000);
  }
  assertEquals(registration.nextTry, "heartbeat");
  assert(registration.nextTryAt as number > Date.now());
  assertEquals((registration.counts as Json).registrations, 1);
  const document = await test.control("GET", "/openapi.json");
  const text = JSON.stringify(document.body);
  assert(text.includes("heartbeatsUnanswered") && text.includes("/api/v1/local/audit"));
});

Deno.test("an app that posts a form over HTTP is answered as any, and the audit tells of both", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { localHttp: { host: "127.0.0.1", port: 0 } });
  const local = (await test.control("GET", "/api/v1/status")).body.local as { http: string };
  const parameter = encodeCapabilityRequest({ cmdType: "GET_SN_INFO", sequenceId: "00000001", fields: {} });
  const response = await fetch(`http://${local.http}/gatewayManage.cmd?timeStamp=1`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", "x-requested-with": "XMLHttpRequest" },
    body: `jsonCfg=${
      encodeURIComponent(JSON.stringify({ RPCMethod: "Post1", ID: "123", Parameter: parameter }))
    }`,
  });
  assertEquals(response.status, 200);
  const reply = await response.json();
  assertEquals([reply.Result, reply.ID], [0, "123"]);
  assertEquals(decodeCapabilityReply(reply.return_Parameter).status, "0");
  assertEquals((await test.post1("NO_SUCH_COMMAND")).reply.status, "1");
  const { body } = await test.control("GET", "/api/v1/local/audit?limit=2");
  const items = body.items as Json[];
  assertEquals(items.map(({ via, command, outcome }) => [via, command, outcome]), [
    ["tcp", "NO_SUCH_COMMAND", "failed"],
    ["http", "GET_SN_INFO", "done"],
  ]);
});

Deno.test("nothing speaks HTTP unless it is asked for", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  assertEquals(((await test.control("GET", "/api/v1/status")).body.local as Json).http, undefined);
  const address = `http://127.0.0.1:${test.gateway.local.port}/gatewayManage.cmd`;
  const refused = await fetch(address, { method: "POST", body: "jsonCfg={}" }).then(
    async (response) => await response.text(),
    () => "refused",
  );
  assertEquals(refused, "refused", "a browser that speaks HTTP to the framed port gets nothing");
});

Deno.test("a guesser stays locked out over a restart of the gateway", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.control("PUT", "/api/v1/passwords", { user: "the-right-one" });
  const guess = async () => {
    const { reply } = await test.post1("CHECK_PASSWD_PARAM", { PassWD: "wrong" });
    return reply.status === "1" ? reply.failReason : "right";
  };
  for (let i = 0; i < 5; i++) assertEquals(await guess(), "password err!");
  assert((await guess()).startsWith("too many wrong passwords"));
  await test.restart();
  assert((await guess()).startsWith("too many wrong passwords"), "pulling the plug gives no more attempts");
});

/** Every file below a folder, with its size and the moment of its last write. */
async function written(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) Object.assign(found, await written(path));
    else {
      const { mtime, size } = await Deno.stat(path);
      found[path] = `${size} bytes, ${mtime?.getTime()}`;
    }
  }
  return found;
}

Deno.test("a gateway at rest writes nothing to its flash", async () => {
  await using platform = new ScriptedPlatform(SN);
  const heartbeats = () => platform.methods().filter((method) => method === "Hb").length;
  platform.access = (message) =>
    message.method === "Boot"
      ? { result: 0, challengeCode: "00112233445566778899AABBCCDDEEFF" }
      : message.method === "Register"
      ? { result: 2, interval: 1 }
      : message.method === "Hb"
      ? { result: 0, interval: 1 }
      : undefined;
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await until("two heartbeats", () => heartbeats() >= 2);
  const before = await written(`${test.folder}/data`), seen = heartbeats();
  assert(Object.keys(before).length > 0);
  await until("three more heartbeats", () => heartbeats() >= seen + 3);
  assertEquals(await written(`${test.folder}/data`), before);
});
