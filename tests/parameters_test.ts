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
    const { body } = await test.control(
      "GET",
      `/api/v1/parameters?prefix=${SERVER}&limit=3${after && `&after=${after}`}`,
    );
    const items = body["items"] as View[];
    assert(items.length <= 3);
    names.push(...items.map(({ name }) => name));
    after = String(body["next"] ?? "");
  } while (after !== "");
  assertEquals(names.length, new Set(names).size);
  assertEquals(names, (await read(test, SERVER)).map(({ name }) => name));
  const all = await read(test, "");
  assertEquals(all.filter(({ name }) => name.includes("X_CT-COM_Mgt")), []);
  assert(all.length > names.length);
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

/** The gateway on its plug-in channel. */
async function connected(platform: ScriptedPlatform): Promise<TestGateway> {
  const test = await testGateway(platform);
  await test.gateway.registered;
  await platform.connectGateway();
  return test;
}

Deno.test("the platform sets where a gateway belongs by SET_BUSINESS_PLATFORM_PARAM, all or nothing", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await connected(platform);
  const set = async (fields: Record<string, string>) => {
    const { result, reply } = await platform.post("", "SET_BUSINESS_PLATFORM_PARAM", fields);
    assertEquals(result, 0);
    return reply.status === "1" ? reply.failReason : "";
  };
  assertEquals(await set({ HeartBeat: "90", Ability: "1", Version: "1.0", LocalPort: "" }), "");
  assertEquals(test.gateway.registration.intervalSeconds, 90);
  assertEquals(await listens(test.gateway.local.port), false);
  assertEquals(await set({ Ability: "0" }), "");
  assertEquals(await listens(test.gateway.local.port), true);
  for (
    const [fields, reason] of [
      [{ MgtURL: "", HeartBeat: "30" }, 'MgtURL": empty'],
      [{ Port: "70000" }, "not from 1 to 65535"],
      [{ Ability: "2" }, "not from 0 to 1"],
      [{ HeartBeat: "soon" }, "not a whole number"],
      [{ HeartBeat: "30", Version: "2.0" }, "Version is read-only"],
    ] as const
  ) {
    assertStringIncludes(await set(fields), reason);
  }
  assertEquals(await valueOf(test, `${MGT}Heartbeat`), 90);
  const { reply } = await test.post1("SET_BUSINESS_PLATFORM_PARAM", { Ability: "1" });
  assertEquals(reply.status === "1" && reply.failReason, "NO_RIGHT_ACCESS");
});

Deno.test("the platform reads and writes parameters by name, with its own rights only", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await connected(platform);
  const post = async (cmdType: string, List: unknown) => {
    const { reply } = await platform.post("management", cmdType, { List } as Record<string, string>);
    return reply.status === "1" ? reply.failReason : reply.fields["List"] ?? "done";
  };
  assertEquals(await post("SETPARAMETERVALUES", [{ Name: `${WIFI}Enable`, Value: "1" }]), "done");
  assertEquals(await post("SETPARAMETERVALUES", `{"${WIFI}StartTime": "07:30"}`), "done");
  assertEquals(await post("GETPARAMETERVALUES", [`${WIFI}`, { Name: `${MGT}Port` }]), [
    { Name: `${WIFI}ControlCycle`, Value: "DAY" },
    { Name: `${WIFI}Enable`, Value: "1" },
    { Name: `${WIFI}EndTime`, Value: "00:00" },
    { Name: `${WIFI}EntryNumberOfEntries`, Value: "0" },
    { Name: `${WIFI}StartTime`, Value: "07:30" },
    { Name: `${MGT}Port`, Value: String(platform.distributionAt.port) },
  ]);
  assertEquals(await post("GETPARAMETERVALUES", `${WIFI}Enable,${WIFI}EndTime`), [
    { Name: `${WIFI}Enable`, Value: "1" },
    { Name: `${WIFI}EndTime`, Value: "00:00" },
  ]);
  const refused = async (cmdType: string, List: unknown, reason: string) =>
    assertStringIncludes(String(await post(cmdType, List)), reason);
  await refused(
    "SETPARAMETERVALUES",
    [{ Name: `${SERVER}URL`, Value: "x" }],
    "belongs to the management system",
  );
  await refused("SETPARAMETERVALUES", [{ Name: `${WIFI}Enable`, Value: "x" }], "not true, false, 1 or 0");
  await refused("SETPARAMETERVALUES", "{", "List is not JSON");
  for (const odd of ["", [], [7], [{ Name: 1, Value: "x" }], [{ Name: "x" }], [null], 7]) {
    await refused("SETPARAMETERVALUES", odd, "List");
  }
  const twice = [{ Name: `${WIFI}Enable`, Value: "1" }, { Name: `${WIFI}Enable`, Value: "0" }];
  await refused("SETPARAMETERVALUES", twice, "twice");
  await refused("SETPARAMETERVALUES", [{ Name: "__proto__", Value: "x" }], "__proto__");
  await refused("GETPARAMETERVALUES", [], "List");
  const [written] = await read(test, `${WIFI}Enable`);
  assertEquals([written!.value, written!.written?.source], [true, "app"]);
});

Deno.test("SET_RIGHT decides who may call a command from then on, also after a restart, and stays reachable", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await connected(platform);
  const setRight = async (API: string, RIGHT: string) => {
    const { reply } = await platform.post("", "SET_RIGHT", { API, RIGHT });
    return reply.status === "1" ? reply.failReason : "";
  };
  const local = async () => {
    const { reply } = await test.post1("GET_SN_INFO");
    return reply.status === "1" ? reply.failReason : "";
  };
  assertEquals(await local(), "");
  assertEquals(await setRight("GET_SN_INFO", "1"), "");
  assertEquals(await local(), "NO_RIGHT_ACCESS");
  assertEquals((await platform.post("", "GET_SN_INFO")).reply.status, "0");
  await test.restart();
  assertEquals(await local(), "NO_RIGHT_ACCESS");
  await test.gateway.registered;
  await platform.connectGateway();
  assertEquals(await setRight("GET_SN_INFO", "0"), "");
  assertEquals(await local(), "");
  assertStringIncludes(await setRight("SET_RIGHT", "3"), "stays remote");
  assertStringIncludes(await setRight("SET_RIGHT", "0"), "stays remote");
  assertStringIncludes(await setRight("NO_SUCH", "0"), "no plug-in has a command");
  assertStringIncludes(await setRight("GET_SN_INFO", "9"), "RIGHT is");
});

Deno.test("who closes the local port over the local port is answered, and is the last", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await connected(platform);
  await platform.post("", "SET_RIGHT", { API: "SET_BUSINESS_PLATFORM_PARAM", RIGHT: "2" });
  const { reply } = await test.post1("SET_BUSINESS_PLATFORM_PARAM", { Ability: "1" });
  assertEquals(reply.status, "0", JSON.stringify(reply));
  assertEquals(await listens(test.gateway.local.port), false);
});

Deno.test("a platform that calls the gateway new has the app platform's own restored, and nothing else", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await patch(test, { [`${WIFI}StartTime`]: "07:30", [`${MGT}Heartbeat`]: 1 }, "app");
  await patch(test, { [`${SERVER}URL`]: "http://acs.example/" }, "itms");
  const access = platform.access;
  let told = false;
  platform.access = (message) => {
    if (message.method !== "Hb" || told) return access(message);
    told = true;
    return { result: 3 };
  };
  await until(
    "a new registration",
    () => platform.methods().filter((method) => method === "BootFirst").length > 1,
  );
  assertEquals([
    await valueOf(test, `${WIFI}StartTime`),
    await valueOf(test, `${MGT}Heartbeat`),
    await valueOf(test, `${SERVER}URL`),
  ], ["00:00", 1, "http://acs.example/"]);
});

const CURIOUS = `export const manifest = {
  name: "com.example.curious", version: "1.0", apiVersion: "2026-11-01",
  commands: { TRY: { right: "both" }, SEEN: { right: "both" } },
  capabilities: ["parameters"],
  parameters: { read: ["${WIFI}"], write: ["${WIFI}StartTime"] },
};
let seen = [];
export async function start(host) {
  const { sequence } = await host.parameters.changes();
  host.parameters.changes(sequence).then(({ changes }) => seen = changes.map(({ name, value }) => name + "=" + value));
}
export const commands = {
  async TRY({ fn, args }, host) { return { Value: await host.parameters[fn](...JSON.parse(args)) }; },
  SEEN: () => ({ Seen: seen }),
};
`;

Deno.test("in the sandbox a plug-in gets what it declares and nothing else, and hears of changes", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const installed = await test.control("POST", "/api/v1/plugins", {
    name: "com.example.curious",
    source: CURIOUS,
  });
  assertEquals(installed.status, 201, JSON.stringify(installed.body));
  const call = async (parameter: Record<string, unknown>) => {
    const { body } = await test.control("POST", "/api/v1/plugins/com.example.curious/call", { parameter });
    const reply = body["reply"] as Record<string, unknown>;
    return reply["FailReason"] ?? reply["Value"] ?? reply["Seen"] ?? "done";
  };
  const ask = (fn: string, ...args: unknown[]) => call({ CmdType: "TRY", fn, args: JSON.stringify(args) });
  assertEquals(await ask("set", { [`${WIFI}StartTime`]: "07:30" }), "done");
  assertEquals(await ask("get", `${WIFI}StartTime`), "07:30");
  assertEquals(await until("the change", async () => await call({ CmdType: "SEEN" })), [
    `${WIFI}StartTime=07:30`,
  ]);
  for (
    const [fn, ...args] of [
      ["set", { [`${WIFI}Enable`]: true }],
      ["set", { [`${MGT}MgtURL`]: "evil.example" }],
      ["get", `${SERVER}URL`],
      ["get", `${MGT}MgtURL`],
      ["values", [`${SERVER}URL`]],
      ["add", `${WIFI}Entry.`],
      ["remove", `${WIFI}Entry.1.`],
    ] as const
  ) {
    assertStringIncludes(String(await ask(fn, ...args)), "is not among the parameters in the manifest", fn);
  }
  assertEquals(await ask("names", MGT), []);
  assertEquals(await valueOf(test, `${MGT}MgtURL`), platform.distributionAt.host);
});
