/**
 * The parameter tree on a running gateway: what writing a parameter does to it, who may, and what survives what.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeAccessReply, encodeAccessRequest, triggerKey } from "../src/protocol/smart_gateway/mod.ts";
import { GATEWAY_TOKEN, SN, type TestGateway, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";

const MGT = "InternetGatewayDevice.X_CT-COM_Mgt.";
const SERVER = "InternetGatewayDevice.ManagementServer.";
const WIFI = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.";

interface View {
  readonly name: string;
  readonly value: unknown;
  readonly written: { readonly source: string } | null;
}

/** Writes over the control API. */
async function patch(test: TestGateway, values: Record<string, unknown>, source = "itms"): Promise<number> {
  return (await test.control("PATCH", "/api/v1/parameters", { values, source })).status;
}

/** The parameters under a prefix. */
async function read(test: TestGateway, prefix: string): Promise<readonly View[]> {
  const { status, body } = await test.control("GET", `/api/v1/parameters?limit=500&prefix=${prefix}`);
  assertEquals(status, 200, JSON.stringify(body));
  return body["items"] as View[];
}

async function valueOf(test: TestGateway, name: string): Promise<unknown> {
  return (await read(test, name))[0]!.value;
}

/** Sends a document, or asks for one. */
async function raw(test: TestGateway, method: string, path: string, body?: string, type = "application/xml") {
  const { host, port } = test.gateway.control;
  const response = await fetch(`http://${host}:${port}/api/v1/parameters/${path}`, {
    method,
    headers: { authorization: `Bearer ${GATEWAY_TOKEN}`, "content-type": type },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: await response.text() };
}

/** Whether anybody listens there. */
async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("changing MgtURL takes the gateway to the other distribution platform at once, and for good", async () => {
  await using home = new ScriptedPlatform(SN);
  await using other = new ScriptedPlatform(SN);
  await using test = await testGateway(home);
  await test.gateway.registered;
  const { host, port } = other.distributionAt;
  assertEquals(await patch(test, { [`${MGT}MgtURL`]: host, [`${MGT}Port`]: port }), 200);
  await until("a heartbeat there", () => other.methods().includes("Hb"));
  assertEquals(other.methods(), ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb"]);
  other.heard.length = 0;
  home.heard.length = 0;
  await test.restart();
  await until("a heartbeat after the restart", () => other.methods().includes("Hb"));
  assertEquals([other.methods(), home.methods()], [["Boot", "Register", "Hb"], []], "what was written wins");
});

Deno.test("a setting that is changed after a write wins over it", async () => {
  await using first = new ScriptedPlatform(SN);
  await using written = new ScriptedPlatform(SN);
  await using last = new ScriptedPlatform(SN);
  await using test = await testGateway(first);
  await patch(test, { [`${MGT}Port`]: written.distributionAt.port });
  await until("a heartbeat where it was told to go", () => written.methods().includes("Hb"));
  await test.restart({ port: last.distributionAt.port });
  await until("a heartbeat where the settings say", () => last.methods().includes("Hb"));
  assertEquals(last.methods()[0], "BootFirst");
  assertEquals(await valueOf(test, `${MGT}Port`), last.distributionAt.port);
});

Deno.test("RequestDistri in mode 0 is kept as MgtURL and Port", async () => {
  await using home = new ScriptedPlatform(SN);
  await using other = new ScriptedPlatform(SN);
  await using test = await testGateway(home);
  await test.gateway.registered;
  home.say(encodeAccessRequest({
    method: "RequestDistri",
    key: triggerKey(home.devRnd, SN),
    mode: "0",
    serverAddr: other.distributionAt.host,
    serverPort: other.distributionAt.port,
  }));
  await until("its new DevRND", () => home.methods().includes("Reply"));
  home.say(encodeAccessReply({ result: 1 }));
  await until("a heartbeat there", () => other.methods().includes("Hb"));
  const [view] = await read(test, `${MGT}Port`);
  assertEquals([view!.value, view!.written?.source], [other.distributionAt.port, "app"]);
});

Deno.test("Ability closes the local port at once and opens it again, also over a restart", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const { port } = test.gateway.local;
  assertEquals((await test.post1("GET_SN_INFO")).result, 0);
  assertEquals(await patch(test, { [`${MGT}Ability`]: 1 }), 200);
  assertEquals(await listens(port), false);
  await test.restart();
  assertEquals(await listens(port), false);
  assertEquals(await patch(test, { [`${MGT}Ability`]: 0 }), 200);
  assertEquals((await test.post1("GET_SN_INFO")).result, 0);
});

Deno.test("LocatePort moves the local port at once; one that can't be had changes nothing", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const old = test.gateway.local.port;
  assertEquals(await valueOf(test, `${MGT}LocatePort`), old);
  using blocker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertEquals(await patch(test, { [`${MGT}LocatePort`]: blocker.addr.port }), 502);
  assertEquals([test.gateway.local.port, await listens(old), await valueOf(test, `${MGT}LocatePort`)], [
    old,
    true,
    old,
  ]);
  const free = blocker.addr.port;
  blocker.close();
  assertEquals(await patch(test, { [`${MGT}LocatePort`]: free }), 200);
  assertEquals([test.gateway.local.port, await listens(free), await listens(old)], [free, true, false]);
  await test.restart();
  assertEquals(test.gateway.local.port, free);
});

Deno.test("Heartbeat takes effect at once", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await until("the first heartbeat", () => platform.methods().includes("Hb"));
  assertEquals(test.gateway.registration.intervalSeconds, 60);
  assertEquals(await patch(test, { [`${MGT}Heartbeat`]: 1 }), 200);
  assertEquals(test.gateway.registration.intervalSeconds, 1);
  await until("three more", () => platform.methods().filter((method) => method === "Hb").length >= 4);
});

Deno.test("what the specification refuses is refused, with CWMP's number for it", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const bad: [string, unknown, number, number][] = [
    ["MgtURL", "", 422, 9007],
    ["MgtURL", "x".repeat(257), 422, 9007],
    ["Port", 65_536, 422, 9007],
    ["Port", 0, 422, 9007],
    ["Port", "many", 422, 9006],
    ["LocatePort", 65_536, 422, 9007],
    ["Ability", 2, 422, 9007],
    ["Heartbeat", -1, 422, 9006],
    ["Version", "2.0", 403, 9008],
    ["Nothing", "x", 404, 9005],
  ];
  for (const [name, value, status, cwmp] of bad) {
    const answer = await test.control("PATCH", "/api/v1/parameters", {
      values: { [MGT + name]: value },
      source: "itms",
    });
    assertEquals([answer.status, answer.body["cwmp"]], [status, cwmp], name);
  }
  assertEquals(await patch(test, { [`${WIFI}Enable`]: true }, "itms"), 403);
  assertEquals(await patch(test, { [`${SERVER}URL`]: "x" }, "app"), 403);
  assertEquals(await patch(test, { [`${SERVER}URL`]: "x" }, "system"), 400, "nobody is the gateway itself");
});

Deno.test("parameters come a page at a time, and what is hidden only when asked for", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const names: string[] = [];
  let after = "";
  do {
    const { body } = await test.control("GET", `/api/v1/parameters?limit=7${after && `&after=${after}`}`);
    const items = body["items"] as View[];
    assert(items.length <= 7);
    names.push(...items.map(({ name }) => name));
    after = String(body["next"] ?? "");
  } while (after !== "");
  assertEquals(names.length, new Set(names).size);
  assertEquals(names, (await read(test, "")).map(({ name }) => name));
  assertEquals(names.filter((name) => name.includes("X_CT-COM_Mgt")), []);
  const { body } = await test.control("GET", "/api/v1/parameters?hidden=true&limit=500");
  assertEquals((body["items"] as View[]).filter(({ name }) => name.startsWith(MGT)).length, 6);
  assertEquals(await valueOf(test, "InternetGatewayDevice.DeviceInfo.ManufacturerOUI"), "64D954");
});

Deno.test("a configuration is exported, loaded and restored, and Mgt keeps its values through all of it", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await patch(test, { [`${SERVER}Username`]: "a <b> & c", [`${MGT}Heartbeat`]: 77 }, "itms");
  await patch(test, { [`${WIFI}Enable`]: true }, "app");
  for (const [format, type] of [["xml", "application/xml"], ["json", "application/json"]] as const) {
    const { text } = await raw(test, "GET", `export?format=${format}`);
    assertStringIncludes(text, `${SERVER}Username`);
    assert(!text.includes("X_CT-COM_Mgt"));
    const changed = text.replace("a <b> & c", "loaded").replace("a &lt;b&gt; &amp; c", "loaded");
    const { status, text: report } = await raw(test, "POST", "import?source=itms", changed, type);
    assertEquals(status, 200, report);
    assertEquals(await valueOf(test, `${SERVER}Username`), "loaded");
    assertStringIncludes(report, "belongs to the app platform");
    await patch(test, { [`${SERVER}Username`]: "a <b> & c" }, "itms");
  }
  assertEquals((await test.control("POST", "/api/v1/parameters/restore", { source: "itms" })).status, 200);
  const after = async () => [
    await valueOf(test, `${SERVER}Username`),
    await valueOf(test, `${WIFI}Enable`),
    await valueOf(test, `${MGT}Heartbeat`),
  ];
  assertEquals(await after(), ["", true, 77]);
  assertEquals((await test.control("POST", "/api/v1/parameters/restore", { source: "app" })).status, 200);
  assertEquals(await after(), ["", false, 77]);
  await test.restart();
  assertEquals(await after(), ["", false, 77]);
  const bomb = `<!DOCTYPE c [<!ENTITY a "aaaa">]><configuration>&a;</configuration>`;
  assertEquals((await raw(test, "POST", "import", bomb)).status, 422);
  assertEquals((await raw(test, "POST", "import", "x".repeat(2 << 20))).status, 413);
});
