/**
 * Commands from the platform to gateways that the test plays by hand: triggers, the plug-in channel, answers, deadlines.
 *
 * @module
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { testPlatform } from "./support/platform.ts";
import { h, identity, inner, outer, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";

const DEV_RND = "0123456789ABCDEF0123456789ABCDEF";
const NEW_RND = "FEDCBA9876543210FEDCBA9876543210";

Deno.test("every management method goes down the channel as the protocol spells it", async () => {
  await using p = await testPlatform();
  const me = identity(18), base = `/api/v1/gateways/${me.mac}/plugins`;
  await p.call("POST", "/api/v1/gateways", me);
  using tcp = await TcpPeer.connect(p.ports.plugin_center!);
  await tcp.signIn(me);
  for (
    const [method, path, body, expected] of [
      ["POST", "/x/run", undefined, { RPCMethod: "Run", Plugin_Name: "x", Version: "" }],
      ["POST", "/x/stop", undefined, { RPCMethod: "Stop", Plugin_Name: "x", Version: "" }],
      ["POST", "/x/factory", undefined, { RPCMethod: "FactoryPlugin", Plugin_Name: "x", Version: "" }],
      ["DELETE", "/x", undefined, { RPCMethod: "UnInstall", Plugin_Name: "x", Version: "" }],
      ["PUT", "/x/parameters", { Level: "3" }, {
        RPCMethod: "SetPlug-inParameterValues",
        Plugin_Name: "x",
        Version: "",
        Parameter: inner({ Level: "3" }),
      }],
    ] as const
  ) {
    const asked = p.call(method, `${base}${path}?wait=5`, body);
    const { ID, ...request } = (await tcp.hear())!;
    assertEquals(request, expected);
    await tcp.send({ Result: 0, ID });
    assertEquals((await asked).body.status, "succeeded");
  }
  const listed = p.call("GET", base), list = (await tcp.hear())!;
  assertEquals(list.RPCMethod, "ListPlugin");
  await tcp.send({ Result: 0, ID: list.ID, Plugin: [{ Plugin_Name: "x", Version: "1.0", Run: 1 }] });
  assertEquals((await listed).body.items, [{ name: "x", version: "1.0", run: true }]);
});

Deno.test("a command triggers an absent gateway, goes down its channel and comes back decoded", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(7), { access, plugin_center } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, access!, me, DEV_RND);

  const asked = p.call("POST", `/api/v1/gateways/${me.mac}/commands?wait=10`, {
    plugin: "system-monitor",
    version: "1.0",
    parameter: { CmdType: "QUERY_CPU_INFO", SequenceId: "0000ABCD" },
  });
  const trigger = await udp.hear();
  assertEquals(trigger, {
    RPCMethod: "RequestPlug-in",
    Key: h(DEV_RND, me.sn),
    DeviceSN: me.sn,
    ServerAddr: "127.0.0.1",
    ServerPort: plugin_center,
  });
  assertEquals(await udp.ask({ Result: 0, DevRND: NEW_RND }, access!), { Result: 1 });
  // Our acknowledgement was lost on the way: the gateway says it again and is told again.
  assertEquals(await udp.ask({ Result: 0, DevRND: NEW_RND }, access!), { Result: 1 });

  using tcp = await TcpPeer.connect(plugin_center!);
  assertEquals(await tcp.signIn(me), { Result: 0 });
  const post = (await tcp.hear())!;
  assertEquals(await tcp.ask({ RPCMethod: "Heartbeat", IPAddr: "100.64.0.9", MAC: me.mac }), { Result: 0 });
  assertEquals([post.RPCMethod, post.Plugin_Name, post.Version], ["Post", "system-monitor", "1.0"]);
  assertEquals(outer(post.Parameter), { CmdType: "QUERY_CPU_INFO", SequenceId: "0000ABCD" });
  const reply = { CmdType: "QUERY_CPU_INFO", SequenceId: "0000ABCD", Status: "0", Percent: "7" };
  await tcp.send({ Result: 0, ID: post.ID, return_Parameter: inner(reply) });

  const { status, body } = await asked;
  assertEquals([status, body.status, body.result, body.reply], [200, "succeeded", 0, reply]);
  assertEquals(body.actor, "admin");
  assertEquals((await p.call("GET", `/api/v1/commands/${body.id}`)).body, body);
});

Deno.test("replies are matched by ID, in whatever order and type of ID they come", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(8);
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, p.ports.access!, me, DEV_RND);
  using tcp = await TcpPeer.connect(p.ports.plugin_center!);
  await tcp.signIn(me);
  const asked = [..."ABC"].map((name) =>
    p.call("POST", `/api/v1/gateways/${me.mac}/commands?wait=10`, {
      parameter: { CmdType: name },
      concurrent: true,
    })
  );
  const posts = [(await tcp.hear())!, (await tcp.hear())!, (await tcp.hear())!];
  for (const post of posts.reverse()) {
    const { CmdType, SequenceId } = outer(post.Parameter);
    const reply = {
      CmdType,
      SequenceId,
      Status: CmdType === "B" ? "1" : "0",
      ...(CmdType === "B" ? { FailReason: "no" } : {}),
    };
    await tcp.send({ Result: 0, ID: String(post.ID), return_Parameter: inner(reply) });
  }
  const [a, b, c] = (await Promise.all(asked)).map(({ body }) => body);
  assertEquals([(a!.reply as Record<string, unknown>).CmdType, a!.status], ["A", "succeeded"]);
  assertEquals([b!.status, b!.error], ["failed", { code: "capability_failed", message: "no" }]);
  assertEquals((c!.reply as Record<string, unknown>).CmdType, "C");
});

Deno.test("a newer channel of a gateway replaces the older, which is told so", async () => {
  await using p = await testPlatform();
  const me = identity(9);
  await p.call("POST", "/api/v1/gateways", me);
  using first = await TcpPeer.connect(p.ports.plugin_center!);
  await first.signIn(me);
  using second = await TcpPeer.connect(p.ports.plugin_center!);
  assertEquals(await second.signIn(me), { Result: 0 });
  assertEquals((await first.hear())?.RPCMethod, "Disconnect");
  assertEquals(await first.hear(), undefined);
  const asked = p.call("POST", `/api/v1/gateways/${me.mac}/plugins/x/stop?wait=5`);
  const stop = (await second.hear())!;
  assertEquals([stop.RPCMethod, stop.Plugin_Name], ["Stop", "x"]);
  await second.send({ Result: -12, ID: stop.ID });
  const { body } = await asked;
  assertEquals([body.status, body.result, (body.error as { code: string }).code], [
    "failed",
    -12,
    "plugin_absent",
  ]);
});

Deno.test("nobody gets onto a channel without the challenge's answer", async () => {
  await using p = await testPlatform();
  const me = identity(10);
  await p.call("POST", "/api/v1/gateways", me);
  using impostor = await TcpPeer.connect(p.ports.plugin_center!);
  assertEquals((await impostor.signIn({ ...me, sn: "64D954-X" }))?.Result, -1);
  assertEquals(await impostor.hear(), undefined);
  using hasty = await TcpPeer.connect(p.ports.plugin_center!);
  assertEquals((await hasty.ask({ RPCMethod: "Register", CheckSN: "00" }))?.Result, -1);
  using stranger = await TcpPeer.connect(p.ports.plugin_center!);
  assertEquals((await stranger.signIn(identity(11)))?.Result, -1);
});

Deno.test("a command to a silent gateway ends by its deadline and says what it knows", async () => {
  await using p = await testPlatform();
  const me = identity(12), path = `/api/v1/gateways/${me.mac}/commands`;
  await p.call("POST", "/api/v1/gateways", me);
  const parameter = { CmdType: "X" };
  const offline = await p.call("POST", `${path}?wait=5`, { parameter, timeoutMs: 200 });
  assertEquals([offline.body.status, offline.body.error], ["timed_out", {
    code: "not_delivered",
    message: "not delivered by its deadline: the gateway is offline",
  }]);
  using tcp = await TcpPeer.connect(p.ports.plugin_center!);
  await tcp.signIn(me);
  const mute = await p.call("POST", `${path}?wait=5`, { parameter, timeoutMs: 200 });
  assertEquals([mute.body.status, (mute.body.error as { code: string }).code], ["timed_out", "no_answer"]);
  const cut = p.call("POST", `${path}?wait=5`, { parameter });
  while ((await tcp.hear())?.ID === undefined);
  await tcp.hear();
  tcp[Symbol.dispose]();
  assertEquals([(await cut).body.status, ((await cut).body.error as { code: string }).code], [
    "failed",
    "outcome_unknown",
  ]);
});

Deno.test("a waiting command can be taken back, one that has ended can't", async () => {
  await using p = await testPlatform();
  const me = identity(13);
  await p.call("POST", "/api/v1/gateways", me);
  const { status, body } = await p.call("POST", `/api/v1/gateways/${me.mac}/commands`, {
    parameter: { CmdType: "X" },
  });
  assertEquals([status, body.status], [202, "queued"]);
  assertEquals((await p.call("POST", `/api/v1/commands/${body.id}/cancel`)).body.status, "cancelled");
  const again = await p.call("POST", `/api/v1/commands/${body.id}/cancel`);
  assertEquals([again.status, again.body.code], [409, "not_cancellable"]);
});

Deno.test("a restarted platform knows its gateways and sees to the commands it finds", async () => {
  const dataDir = await Deno.makeTempDir();
  using udp = new UdpPeer();
  const me = identity(14);
  let queued, sent;
  {
    await using p = await testPlatform({ dataDir });
    await p.call("POST", "/api/v1/gateways", me);
    await register(udp, p.ports.access!, me, DEV_RND);
    using tcp = await TcpPeer.connect(p.ports.plugin_center!);
    await tcp.signIn(me);
    sent = p.call("POST", `/api/v1/gateways/${me.mac}/commands?wait=30`, { parameter: { CmdType: "A" } });
    await tcp.hear();
    await p.call("POST", "/api/v1/gateways", identity(15));
    queued = await p.call("POST", `/api/v1/gateways/${identity(15).mac}/commands`, {
      parameter: { CmdType: "B" },
    });
  }
  const { body: interrupted } = await sent;
  assertNotEquals(interrupted.status, "succeeded");
  await using p = await testPlatform({ dataDir });
  // The same source as before: presence was loaded, no -3.
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, p.ports.access!), { Result: 0 });
  assertEquals((await p.call("GET", `/api/v1/commands/${queued.body.id}`)).body.status, "queued");
  const after = (await p.call("GET", `/api/v1/commands/${interrupted.id}`)).body;
  assertEquals([after.status, (after.error as { code: string }).code], ["failed", "outcome_unknown"]);
  await p[Symbol.asyncDispose]();
  await Deno.remove(dataDir, { recursive: true });
});
