/**
 * A real gateway against a scripted platform, over real sockets: registration, triggers, the plug-in channel, the
 * local port, the control API, and what survives a restart.
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import {
  bindingSn,
  type CapabilityReply,
  encodeAccessReply,
  encodeAccessRequest,
  triggerKey,
} from "../src/protocol/smart_gateway/mod.ts";
import { FACTORY_SOURCES } from "../src/gateway/factory_plugins.ts";
import { exchangeFrame, LOID, MAC, SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";
import { manifest as systemMonitor } from "../plugins/system-monitor.js";

const HELLO = `export const manifest = {
  name: "com.example.hello", version: "1.0", apiVersion: "2026-11-01",
  commands: {
    HELLO: { right: "remote" }, LOCAL_ONLY: { right: "local" }, THROW: { right: "both" }, HANG: { right: "both" },
    "SetPlug-inParameterValues": { right: "remote" }, SHOW: { right: "remote" }, DEEP: { right: "both" },
  },
  limits: { callMs: 300 },
};
let greeting = "hello";
export const commands = {
  HELLO: ({ Name }) => ({ Text: greeting + " " + Name, Number: 7, Flag: true }),
  LOCAL_ONLY: () => ({}),
  THROW: () => { throw new Error("on purpose"); },
  HANG: () => new Promise(() => {}),
  DEEP: () => { let x = 0; for (let i = 0; i < 50; i++) x = [x]; return { x }; },
  "SetPlug-inParameterValues": ({ Greeting }) => { greeting = Greeting; },
  SHOW: () => ({ Greeting: greeting }),
};
`;
const encoder = new TextEncoder();

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}

function fieldsOf(reply: CapabilityReply): Record<string, unknown> {
  assertEquals(reply.status, "0", JSON.stringify(reply));
  return { ...reply.fields };
}

function failReason(reply: CapabilityReply): string {
  if (reply.status !== "1") throw new Error(`it worked: ${JSON.stringify(reply)}`);
  return reply.failReason;
}

/** Installs `source` from the platform and waits for its outcome. */
async function install(
  platform: ScriptedPlatform,
  source: string,
  more: { digest?: string; pluginSize?: number; version?: string; os?: number; pluginName?: string } = {},
): Promise<number> {
  const bytes = encoder.encode(source);
  platform.packages.set("/hello.js", bytes);
  const target = { pluginName: "com.example.hello", version: "1.0" };
  const { result } = await platform.ask({
    method: "Install",
    ...target,
    downloadUrl: platform.url("/hello.js"),
    pluginSize: bytes.length,
    os: 9,
    digest: await digestOf(bytes),
    ...more,
  });
  if (result !== 0) return result;
  for (;;) {
    const progress = await platform.ask({
      method: "Install_query",
      ...target,
      ...(more.version && { version: more.version }),
    });
    if (progress.result < 0 || progress.result === 100) return progress.result;
  }
}

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

Deno.test("the shipped plug-ins answer the platform with what the machine says", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await platform.connectGateway();

  const list = await platform.ask({ method: "ListPlugin" });
  assertEquals(
    list.plugins?.map(({ pluginName, run }) => [pluginName, run]),
    Object.keys(FACTORY_SOURCES).sort().map((name) => [name, 1]),
  );

  const cpu = await platform.post("", "QUERY_CPU_INFO");
  assertEquals([cpu.result, cpu.reply.cmdType, cpu.reply.sequenceId], [0, "QUERY_CPU_INFO", "0000ABCD"]);
  const percent = Number(fieldsOf(cpu.reply)["Percent"]);
  assert(percent >= 0 && percent <= 100);

  const memory = await platform.post("system-monitor", "QUERY_MEM_INFO", {}, systemMonitor.version);
  const used = Number(fieldsOf(memory.reply)["Percent"]);
  assert(used > 0 && used < 100);

  const info = fieldsOf((await platform.post("", "QUERY_SYSTEM_INFO")).reply);
  assertEquals(Object.keys(info).length, 20);
  assert(Object.values(info).every((value) => typeof value === "string"));
  const total = String(Math.round(Deno.systemMemoryInfo().total / 1024));
  assertEquals([info["RamSize"], info["ProductCLass"]], [total, "Model"]);

  assertEquals(fieldsOf((await platform.post("", "GET_HG_LOID")).reply), { LOID, CARD: "" });
  assertEquals(failReason((await platform.post("", "GET_SN_INFO")).reply), "NO_RIGHT_ACCESS");
});

Deno.test("results of a Post come from what is really the case", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await platform.connectGateway();
  assertEquals(await install(platform, HELLO), 100);
  const hello = (command: string, fields = {}) => platform.post("com.example.hello", command, fields);

  const ok = await hello("HELLO", { Name: "you" });
  assertEquals(fieldsOf(ok.reply), { Text: "hello you", Number: "7", Flag: "true" }, "values are strings");
  assertEquals((await platform.post("com.example.none", "HELLO")).result, -12);
  assertEquals((await platform.post("com.example.hello", "HELLO", {}, "2.0")).result, -12);
  const unknown = await hello("NOTHING");
  assertEquals([unknown.result, failReason(unknown.reply)], [0, "UNRECOGNIZE_REQUEST"]);
  assertEquals(failReason((await hello("LOCAL_ONLY")).reply), "NO_RIGHT_ACCESS");
  const thrown = await hello("THROW");
  assertEquals([thrown.result, failReason(thrown.reply)], [0, "on purpose"]);
  assertEquals((await hello("HANG")).result, -100);

  const all = await Promise.all(Array.from({ length: 40 }, () => hello("HANG")));
  const results = all.map(({ result }) => result);
  assertEquals(new Set(results), new Set([-100, -5]), "its 32 calls in flight, and the rest");
  assertEquals(failReason(all.find(({ result }) => result === -5)!.reply), "BUSY_REQUEST");

  const broken = await platform.ask({ method: "Post", pluginName: "", version: "", parameter: "%%%" });
  assertEquals(broken.result, 0);

  const target = { pluginName: "com.example.hello", version: "1.0" };
  assertEquals((await platform.ask({ method: "Stop", ...target })).result, 0);
  assertEquals((await hello("HELLO")).result, -16);
  assertEquals((await platform.ask({ method: "Run", ...target })).result, 0);
  assertEquals((await hello("HELLO")).result, 0);
  assertEquals((await platform.ask({ method: "UnInstall", ...target })).result, 0);
  assertEquals((await hello("HELLO")).result, -12);
  assertEquals((await platform.ask({ method: "Run", ...target })).result, -12);
});

Deno.test("an installation is checked in every way before it takes the place of anything", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await platform.connectGateway();
  const bytes = encoder.encode(HELLO);
  assertEquals(await install(platform, HELLO, { os: 0 }), -7);
  assertEquals(await install(platform, HELLO, { pluginName: "../../etc" }), -8);
  assertEquals(await install(platform, HELLO, { pluginSize: 100 << 20 }), -4);
  assertEquals(await install(platform, HELLO, { digest: await digestOf(encoder.encode("x")) }), -17);
  assertEquals(await install(platform, HELLO, { digest: "md5:0" }), -17);
  assertEquals(await install(platform, HELLO, { pluginSize: bytes.length - 1 }), -17);
  assertEquals(await install(platform, HELLO, { pluginSize: bytes.length + 1 }), -17);
  assertEquals(await install(platform, HELLO, { version: "3.0" }), -6);
  assertEquals(await install(platform, "export const nothing = 1;"), -17);
  assertEquals(await install(platform, "{{{"), -17);
  assertEquals(test.gateway.plugins.get("com.example.hello"), undefined);

  assertEquals(await install(platform, HELLO), 100);
  assertEquals(
    await install(platform, HELLO.replace("on purpose", "differently")),
    100,
    "a newer one replaces it",
  );
  assertEquals(failReason((await platform.post("com.example.hello", "THROW")).reply), "differently");
  assertEquals(await install(platform, "{{{"), -17);
  assertEquals(
    failReason((await platform.post("com.example.hello", "THROW")).reply),
    "differently",
    "it goes on",
  );
});

Deno.test("an installation can be cancelled, and a server that stalls does not hold it for ever", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await platform.connectGateway();
  const release = Promise.withResolvers<void>();
  const stalling = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
    new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(encoder.encode("x".repeat(50)));
          await release.promise;
          try {
            controller.close();
          } catch {
            // the gateway went away
          }
        },
      }),
      { headers: { "content-length": "100" } },
    ));
  const target = { pluginName: "com.example.hello", version: "1.0" };
  const begun = await platform.ask({
    method: "Install",
    ...target,
    downloadUrl: `http://127.0.0.1:${stalling.addr.port}/`,
    pluginSize: 100,
    os: 9,
  });
  assertEquals(begun.result, 0);
  for (;;) {
    const { result } = await platform.ask({ method: "Install_query", ...target });
    if (result === 45) break;
    assertEquals(result, 0);
  }
  assertEquals((await platform.ask({ method: "Install_cancel", ...target, version: "9" })).result, -12);
  assertEquals((await platform.ask({ method: "Install_cancel", ...target })).result, 0);
  for (;;) {
    const { result } = await platform.ask({ method: "Install_query", ...target });
    if (result === -1) break;
    assertEquals(result, 45);
  }
  release.resolve();
  await stalling.shutdown();
});

Deno.test("plug-ins take parameters, and factory plug-ins come back", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  await platform.connectGateway();
  assertEquals(await install(platform, HELLO), 100);
  const parameter = btoa(JSON.stringify({ Greeting: "good day" }));
  const set = (pluginName: string) =>
    platform.ask({ method: "SetPlug-inParameterValues", pluginName, version: "1.0", parameter });
  assertEquals((await set("com.example.hello")).result, 0);
  assertEquals(fieldsOf((await platform.post("com.example.hello", "SHOW")).reply), { Greeting: "good day" });
  assertEquals((await set("management")).result, -1, "it takes none");
  assertEquals((await set("com.example.none")).result, -12);

  const monitor = { pluginName: "system-monitor", version: systemMonitor.version };
  assertEquals((await platform.ask({ method: "UnInstall", ...monitor })).result, 0);
  await test.restart();
  await test.gateway.registered;
  assertEquals(test.gateway.plugins.get("system-monitor"), undefined, "what was removed stays removed");
  await platform.connectGateway();
  assertEquals((await platform.ask({ method: "FactoryPlugin", ...monitor })).result, 0);
  assertEquals((await platform.post("", "QUERY_CPU_INFO")).result, 0);
  assertEquals(
    (await platform.ask({ method: "FactoryPlugin", pluginName: "com.example.hello", version: "" })).result,
    -12,
  );
});

Deno.test("an app binds on the LAN: identity, password, binding digest with the current DevRND", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  assertEquals(fieldsOf((await test.post1("GET_SN_INFO")).reply), { MAC, BussinessStatus: "SUCCESS" });
  const check = (PassWD: string) => test.post1("CHECK_PASSWD_PARAM", { PassWD });
  assertEquals(failReason((await check("secret")).reply), "no password is set");
  assertEquals(
    (await test.control("PUT", "/api/v1/passwords", { user: "secret", admin: "root-secret" })).body,
    {
      user: true,
      admin: true,
    } as never,
  );
  assertEquals(failReason((await check("wrong")).reply), "password err!");
  for (const password of ["secret", "root-secret"]) {
    const bound = fieldsOf((await check(password)).reply);
    assertEquals(bound, { LOID, SN: bindingSn(platform.devRnd, SN), CARD: "" });
  }
  await platform.connectGateway();
  assertEquals(
    fieldsOf((await check("secret")).reply)["SN"],
    bindingSn(platform.devRnd, SN),
    "of this moment",
  );
  assert(!(await Deno.readTextFile(`${test.folder}/data/gateway.json`)).includes("secret"));
  await test.restart();
  assertEquals(fieldsOf((await check("secret")).reply)["LOID"], LOID, "passwords survive");
  assertEquals(failReason((await test.post1("QUERY_CPU_INFO")).reply), "NO_RIGHT_ACCESS");
});

Deno.test("five wrong passwords lock the address out, also for the right one", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.control("PUT", "/api/v1/passwords", { user: "secret" });
  for (let i = 0; i < 5; i++) {
    assertEquals(
      failReason((await test.post1("CHECK_PASSWD_PARAM", { PassWD: `guess${i}` })).reply),
      "password err!",
    );
  }
  const locked = failReason((await test.post1("CHECK_PASSWD_PARAM", { PassWD: "secret" })).reply);
  assertStringIncludes(locked, "too many wrong passwords: try again in");
  assertEquals((await test.post1("GET_SN_INFO")).result, 0, "other commands go on");
});

Deno.test("passwords can come from a file", async () => {
  await using platform = new ScriptedPlatform(SN);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, '{"user": "from-a-file"}');
  await using test = await testGateway(platform, { passwordsFile: file });
  assertEquals((await test.post1("CHECK_PASSWD_PARAM", { PassWD: "from-a-file" })).reply.status, "0");
  await Deno.remove(file);
});

Deno.test("the local port serves five connections and refuses the sixth", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const { port } = test.gateway.local;
  const five = await Promise.all(
    Array.from({ length: 5 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  await until(
    "five connections",
    () => test.deps.metrics.render().includes("gatehouse_gateway_local_connections 5"),
  );
  using sixth = await Deno.connect({ hostname: "127.0.0.1", port });
  assertEquals(await sixth.read(new Uint8Array(1)).catch(() => null), null);
  five[0]!.close();
  await until("room", () => test.deps.metrics.render().includes("gatehouse_gateway_local_connections 4"));
  assertEquals((await test.post1("GET_SN_INFO")).result, 0);
  for (const conn of five.slice(1)) conn.close();
});

Deno.test("the local port answers what it can't read by -1 and closes", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const ask = async (text: string) => {
    const body = await exchangeFrame(test.gateway.local.port, encoder.encode(text));
    return new TextDecoder().decode(body);
  };
  assertEquals(await ask("no json"), '{"Result":-1}');
  assertEquals(await ask('{"RPCMethod":"Post","ID":"7"}'), '{"Result":-1,"ID":"7"}');
});

Deno.test("the control API shows and changes what it should, for its token only", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  const { host, port } = test.gateway.control;
  for (const path of ["/api/v1/status", "/api/v1/plugins"]) {
    const response = await fetch(`http://${host}:${port}${path}`);
    await response.body?.cancel();
    assertEquals(response.status, 401);
  }
  const status = (await test.control("GET", "/api/v1/status")).body as Record<
    string,
    Record<string, unknown>
  >;
  assertEquals([status["identity"]!["mac"], status["registration"]!["state"]], [MAC, "registered"]);
  assert(!JSON.stringify(status).includes(platform.devRnd), "the DevRND is nobody's business");

  const made = await test.control("POST", "/api/v1/plugins", { name: "com.example.hello", source: HELLO });
  assertEquals([made.status, made.body["state"]], [201, "running"]);
  const call = (name: string, parameter: unknown) =>
    test.control("POST", `/api/v1/plugins/${name}/call`, { parameter });
  const answer = await call("com.example.hello", { CmdType: "HELLO", SequenceId: "12345678", Name: "admin" });
  assertEquals(answer.body, {
    result: 0,
    reply: {
      CmdType: "HELLO",
      SequenceId: "12345678",
      Status: "0",
      Text: "hello admin",
      Number: "7",
      Flag: "true",
    },
  });
  assertEquals((await call("com.example.hello", { CmdType: "LOCAL_ONLY" })).body["result"], 0);
  assertEquals((await call("com.example.hello", { CmdType: "HANG" })).body["result"], -100);
  assertEquals((await call("-", { CmdType: "GET_SN_INFO" })).body["result"], 0);
  const acted = async (action: string) =>
    (await test.control("POST", `/api/v1/plugins/com.example.hello/${action}`)).body["state"];
  assertEquals([await acted("stop"), await acted("run"), await acted("reload")], [
    "stopped",
    "running",
    "running",
  ]);
  assertEquals((await test.control("DELETE", "/api/v1/plugins/com.example.hello")).status, 204);
  assertEquals((await call("com.example.hello", { CmdType: "HELLO" })).body["result"], -12);
  assertEquals((await test.control("POST", "/api/v1/plugins/com.example.hello/run")).status, 404);
  assertEquals((await test.control("POST", "/api/v1/plugins", { name: "a", source: "{{{" })).status, 422);
  assertEquals((await test.control("PUT", "/api/v1/passwords", { user: "x" })).status, 400);

  assertEquals((await test.control("GET", "/healthz")).status, 200);
  const metrics = (await test.control("GET", "/metrics")).body["text"] as string;
  assertStringIncludes(metrics, "gatehouse_gateway_registered 1");
  const openapi = (await test.control("GET", "/openapi.json")).body as Record<
    string,
    Record<string, unknown>
  >;
  assert("/api/v1/plugins/{name}/call" in openapi["paths"]!);

  platform.heard.length = 0;
  assertEquals((await test.control("POST", "/api/v1/registration", { from: "distribution" })).status, 202);
  await until("a new registration", () => platform.methods().includes("Hb"));
  assertEquals(platform.methods(), ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb"]);
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
