/**
 * Plug-ins on a real gateway against a scripted platform, over real sockets: what they answer, how they are installed,
 * the control API.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FACTORY_SOURCES } from "../src/gateway/factory_plugins.ts";
import { LOID, MAC, SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";
import { manifest as systemMonitor } from "../plugins/system-monitor.js";
import { digestOf, failReason, fieldsOf, HELLO, install } from "./support/gateway_plugins.ts";

const encoder = new TextEncoder();

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
