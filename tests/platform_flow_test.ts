/**
 * The platform against gateways that the test plays by hand, on real sockets.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { makeKeys, packPlugin, readPrivateKey } from "../src/sandbox/package/mod.ts";
import { gzipped, rawPackage } from "../src/sandbox/package/testing.ts";
import { testPlatform } from "./support/platform.ts";
import {
  distribute,
  h,
  identity,
  inner,
  outer,
  register,
  TcpPeer,
  UdpPeer,
} from "./support/scripted_gateway.ts";

const DEV_RND = "0123456789ABCDEF0123456789ABCDEF";
const NEW_RND = "FEDCBA9876543210FEDCBA9876543210";

Deno.test("a preset gateway is distributed, registers, beats, and shows as online", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(1);
  assertEquals((await p.call("POST", "/api/v1/gateways", me)).status, 201);

  const sent = await distribute(udp, p.ports.distribution!, me);
  assertEquals(sent, {
    Result: 2,
    Interval: 60,
    ServerIP: "100.64.0.9",
    ServerAddr: "127.0.0.1",
    ServerPort: p.ports.access,
  });
  const registered = await register(udp, p.ports.access!, me, DEV_RND);
  assertEquals(registered.Result, 2);
  assertEquals(registered.Interval, 60);
  const first = { RPCMethod: "Hb", IPAddr: "100.64.0.9", MAC: me.mac, FLAG: "1" };
  assertEquals(await udp.ask(first, p.ports.access!), { Result: 0 });
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, p.ports.access!), { Result: 0 });
  const shown = await p.call("GET", `/api/v1/gateways/${me.mac}`);
  assertEquals(shown.body.online, true);
  assertEquals(shown.body.firmware, "1");
  assertEquals("devRnd" in shown.body, false);
});

Deno.test("strangers and impostors are refused with their codes", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(2), { distribution, access } = p.ports as Record<string, number>;
  assertEquals((await distribute(udp, distribution!, me)).Result, -2);
  assertEquals((await register(udp, access!, me, DEV_RND)).Result, -2);
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, access!), { Result: -3 });
  assertEquals((await udp.ask({ RPCMethod: "Dance" }, access!)).Result, -1);
  assertEquals((await udp.ask({ RPCMethod: "Dance" }, distribution!)).Result, -1);
  await p.call("POST", "/api/v1/gateways", me);
  const wrong = { ...me, sn: "64D954-SOMEONE" };
  assertEquals((await distribute(udp, distribution!, wrong)).Result, -2);
  assertEquals((await register(udp, access!, wrong, DEV_RND)).Result, -2);
});

Deno.test("more than three packets a second from one MAC are answered with -1", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(3),
    boot = { RPCMethod: "BootFirst", MAC: me.mac, IPAddr: "1.2.3.4", PlatformID: "OTHER" };
  await p.call("POST", "/api/v1/gateways", me);
  const results = [];
  for (let i = 0; i < 5; i++) results.push((await udp.ask(boot, p.ports.distribution!)).Result);
  assertEquals(results.slice(0, 3), [0, 0, 0]);
  assert(results.slice(3).includes(-1));
});

Deno.test("distribution answers over TCP too, for gateways whose network loses UDP", async () => {
  await using p = await testPlatform();
  const me = identity(16);
  await p.call("POST", "/api/v1/gateways", me);
  using tcp = await TcpPeer.connect(p.ports.distribution!);
  const boot = await tcp.ask({ RPCMethod: "BootFirst", MAC: me.mac, IPAddr: "1.2.3.4", PlatformID: "OTHER" });
  assertEquals(boot?.Result, 0);
  // Some gateways leave the MAC out here: the connection says who it is.
  const sent = await tcp.ask({ RPCMethod: "RegisterFirst", CheckSN: h(String(boot?.ChallengeCode), me.sn) });
  assertEquals([sent?.Result, sent?.ServerPort], [2, p.ports.access]);
});

Deno.test("an operator moves a gateway: RequestDistri, its new DevRND, and the word that it was taken", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(17), { access } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  const path = `/api/v1/gateways/${me.mac}/redistribute`, to = { mode: 1, address: "ops2.example:5000" };
  assertEquals((await p.call("POST", path, to)).body.code, "gateway_offline");
  await register(udp, access!, me, DEV_RND);
  const moved = p.call("POST", path, to);
  assertEquals(await udp.hear(), {
    RPCMethod: "RequestDistri",
    Key: h(DEV_RND, me.sn),
    mode: "1",
    ServerAddr: "ops2.example",
    ServerPort: 5000,
  });
  assertEquals(await udp.ask({ Result: 0, DevRND: NEW_RND }, access!), { Result: 1 });
  assertEquals((await moved).status, 204);
});

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

Deno.test("policy, pins and renewal send gateways where operators want them", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const { distribution, access } = p.ports as Record<string, number>;
  const [a, b, c] = [identity(4), identity(5), identity(6)];
  await p.call("POST", "/api/v1/gateways", [a, b, c]);
  const put = await p.call("PUT", "/api/v1/distribution/policy", {
    rules: [
      { name: "away", match: { vendor: "Maker" }, redirect: "other.example:12112" },
    ],
  });
  assertEquals(put.status, 200);
  assertEquals(await distribute(udp, distribution!, a), { Result: -5, ServerIP: "other.example:12112" });

  await p.call("PATCH", `/api/v1/gateways/${b.mac}`, { pinnedOperations: "ops.example:5000" });
  const pinned = await distribute(udp, distribution!, b);
  assertEquals([pinned.Result, pinned.ServerAddr, pinned.ServerPort], [2, "ops.example", 5000]);
  assertEquals(await register(udp, access!, b, DEV_RND), { Result: -5, ServerIP: "ops.example:5000" });

  await p.call("PATCH", `/api/v1/gateways/${c.mac}`, { renew: true });
  assertEquals((await register(udp, access!, c, DEV_RND)).Result, 3);
  assertEquals((await register(udp, access!, c, DEV_RND)).Result, 2);

  await p.call("PUT", "/api/v1/distribution/policy", { rules: [] });
  assertEquals((await distribute(udp, distribution!, c)).Result, -2);
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

Deno.test("plug-ins are taken in once a version, read without being run, and downloaded by digest", async () => {
  await using p = await testPlatform();
  const source = (body: string, version = "1.0") =>
    new TextEncoder().encode(`export const manifest = { name: "com.example.a", version: "${version}",
      apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
      export const commands = { A() { ${body} } };`);
  const added = await p.call("POST", "/api/v1/plugins", source("return {}"));
  assertEquals([added.status, added.body.name, added.body.version], [201, "com.example.a", "1.0"]);
  assertEquals((await p.call("POST", "/api/v1/plugins", source("return {}"))).status, 200);
  assertEquals(
    (await p.call("POST", "/api/v1/plugins", source("return {x:1}"))).body.code,
    "plugin_version_exists",
  );
  const bad = await p.call(
    "POST",
    "/api/v1/plugins",
    new TextEncoder().encode("export const manifest = make();"),
  );
  assertEquals([bad.status, bad.body.code], [422, "invalid_plugin"]);
  const file = await fetch(`${p.url}/downloads/${added.body.sha256}.js`);
  assertEquals(new Uint8Array(await file.arrayBuffer()), source("return {}"));
  const rest = await fetch(`${p.url}/downloads/${added.body.sha256}.js`, { headers: { range: "bytes=10-" } });
  assertEquals([rest.status, new Uint8Array(await rest.arrayBuffer())], [206, source("return {}").slice(10)]);
  const beyond = await fetch(`${p.url}/downloads/${added.body.sha256}.js`, {
    headers: { range: "bytes=99999-" },
  });
  assertEquals([beyond.status, (await beyond.json()).code], [416, "no_such_range"]);
  assertEquals(
    await fetch(`${p.url}/downloads/${"0".repeat(64)}.js`).then(async (r) => (await r.text(), r.status)),
    404,
  );
  assertEquals((await p.call("DELETE", "/api/v1/plugins/com.example.a/1.0")).status, 204);
});

Deno.test("a package is taken in by its content, with who signed it, and downloaded as it is", async () => {
  await using p = await testPlatform();
  const key = await readPrivateKey((await makeKeys("author")).privateFile);
  const text = `export const manifest = { name: "com.example.p", version: "1.0",
    apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
    import { a } from "./lib/a.js"; export const commands = { A: () => ({ a }) };`;
  const files = { "plugin.js": text, "lib/a.js": `export const a = "1";` };
  const encoded = new Map(Object.entries(files).map(([path, one]) => [path, new TextEncoder().encode(one)]));
  const { bytes } = await packPlugin(encoded, { keys: [key] });
  const added = await p.call("POST", "/api/v1/plugins", bytes);
  assertEquals([added.status, added.body.name, added.body.format, added.body.signedBy], [
    201,
    "com.example.p",
    "package",
    [key.id],
  ]);
  assertEquals((await p.call("POST", "/api/v1/plugins", bytes)).status, 200);
  const file = await fetch(`${p.url}/downloads/${added.body.sha256}.ghp`);
  assertEquals(file.headers.get("content-type"), "application/gzip");
  assertEquals(new Uint8Array(await file.arrayBuffer()), bytes);

  // The code says other than the file that stands for it: packed by hand, not by "plugin pack".
  const forged = rawPackage([
    {
      path: "manifest.json",
      content: `{"name":"com.example.p","version":"2","apiVersion":"2026-11-01","commands":{}}`,
    },
    { path: "plugin.js", content: text.replace(`import { a } from "./lib/a.js";`, "const a = 1;") },
  ]);
  const bad = await p.call("POST", "/api/v1/plugins", forged);
  assertEquals([bad.status, bad.body.code], [422, "invalid_plugin"]);
  assertEquals((bad.body.faults as string[]).map((fault) => fault.split(":")[0]), [
    "manifest.version",
    "manifest.commands.A",
  ]);
  const bomb = gzipped(new Uint8Array(100 << 20));
  assertEquals((await p.call("POST", "/api/v1/plugins", bomb)).status, 422);
  assertEquals((await p.call("POST", "/api/v1/plugins", bytes.slice(0, -9))).status, 422);
});

Deno.test("CSV presets are taken line by line and faults are told by line", async () => {
  await using p = await testPlatform();
  const csv =
    "mac,sn,loid,region\n64d954000001,64D954-A1,L1,north\nnonsense,64D954-A2,L2,\n64D954000003,64D954-A3,L3,\n";
  const response = await fetch(`${p.url}/api/v1/gateways`, {
    method: "POST",
    headers: { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv" },
    body: csv,
  });
  const report = await response.json();
  assertEquals([report.created, report.taken, report.faults.map((f: { line: number }) => f.line)], [2, [], [
    3,
  ]]);
  const listed = await p.call("GET", "/api/v1/gateways?region=north");
  assertEquals((listed.body.items as { mac: string }[]).map((g) => g.mac), ["64D954000001"]);
  const first = await p.call("GET", "/api/v1/gateways?limit=1");
  const second = await p.call("GET", `/api/v1/gateways?limit=1&cursor=${first.body.next}`);
  assertEquals((second.body.items as { mac: string }[])[0]?.mac, "64D954000003");
  assertEquals(second.body.next, undefined);
});

Deno.test("CSV that a spreadsheet wrote its own way is refused with what to do about it", async () => {
  await using p = await testPlatform();
  const detail = async (body: BodyInit) => {
    const headers = { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv" };
    const response = await fetch(`${p.url}/api/v1/gateways`, { method: "POST", headers, body });
    return (await response.json()).detail as string;
  };
  assertStringIncludes(await detail("mac;sn;loid\n"), "region, with commas between them; missing: mac");
  const gbk = new Uint8Array([0xca, 0xbe, 0xc0, 0xfd]);
  assertStringIncludes(await detail(gbk), 'not UTF-8: save it as that, in a spreadsheet as "CSV UTF-8"');
  const missing = await p.call("POST", "/api/v1/gateways", { mac: "64D954000001" });
  assertEquals(missing.body.detail, "body $.sn: is missing (and 1 more)");
});

Deno.test("an import tells of every line what became of it and why, as JSON and as CSV", async () => {
  await using p = await testPlatform();
  const send = (body: string | unknown[], accept = "*/*") =>
    fetch(`${p.url}/api/v1/gateways`, {
      method: "POST",
      headers: {
        authorization: "Bearer administrator-of-the-tests",
        "content-type": typeof body === "string" ? "text/csv" : "application/json",
        accept,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  await p.call("POST", "/api/v1/gateways", {
    mac: "64D954000001",
    sn: "64D954-A1",
    loid: "L1",
    region: "north",
  });
  const csv = [
    "mac,sn,loid,region",
    "64D954000001,64D954-A1,L1,", // 2: the very same
    "", // 3: nothing at all
    "64D954000001,64D954-A9,L9,", // 4: a MAC that line 2 has
    "64D954000002,64D954-A2,L2,south", // 5
    "64D954000003,64D954-A2,L3,", // 6: the SN of line 5
    "64D954000004,64D954-A1,L4,", // 7: the SN of line 2
    '64D954000005,64D954-A5,"L5', // 8: an open quote spoils one line
    "64D954000006,64D954-A6,L6,=1+1", // 9
    "=nonsense,64D954-A7,L7,", // 10
    "64D954000007,64D954-A7,L7,a,b", // 11
  ].join("\r\n");
  const report = await (await send(csv)).json();
  const outcomes = (lines: { line: number; outcome: string; message: string }[]) =>
    lines.map(({ line, outcome, message }) => [line, outcome, message.slice(0, 24)]);
  assertEquals(
    outcomes(report.lines),
    [
      [2, "unchanged", ""],
      [4, "refused", "the MAC is that of line "],
      [5, "created", ""],
      [6, "refused", "the SN is that of line 5"],
      [7, "refused", "the SN is that of line 2"],
      [8, "refused", "it is no line of CSV: a "],
      [9, "created", ""],
      [10, "refused", "mac: must be 12 hex digit"],
      [11, "refused", "it has more cells than t"],
    ].map(([line, outcome, message]) => line === 10 ? outcomes(report.lines)[7]! : [line, outcome, message]),
  );
  assertEquals([report.created, report.unchanged, report.refused], [2, 1, 6]);
  assertEquals(report.faults.map((fault: { line: number }) => fault.line), [8, 10, 11]);

  const again = await send(
    "mac,sn,loid,region\n64D954000001,64D954-B1,L1,west\n64D954000008,64D954-A2,L8,\n=x,64D954-A7,L7,\n",
    "text/csv",
  );
  assertEquals(again.headers.get("content-type"), "text/csv; charset=utf-8");
  const [header, first, second, third] = (await again.text()).split("\r\n");
  assertEquals(header, "line,mac,outcome,message");
  assertEquals(
    first,
    '2,64D954000001,refused,"the MAC is preset already with another SN (""64D954-A1""), region (""north"")"',
  );
  assertEquals(second, "3,64D954000008,refused,the SN is that of gateway 64D954000002");
  assert(third!.startsWith("4,'=x,refused,mac: "), third);

  const list = [{ mac: "64D954000009", sn: "64D954-A9", loid: "L" }, {
    mac: "64D954000009",
    sn: "64D954-A8",
    loid: "L",
  }];
  const { lines, taken } = await (await send(list)).json();
  assertEquals([outcomes(lines)[1]!.slice(0, 2), taken], [[2, "refused"], ["64D954000009"]]);
});

Deno.test("no fault of an import is left out, however many there are", async () => {
  await using p = await testPlatform();
  const csv = "mac,sn,loid\n" + Array.from({ length: 5000 }, (_, n) => `m${n},s,l`).join("\n");
  const response = await fetch(`${p.url}/api/v1/gateways`, {
    method: "POST",
    headers: { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv" },
    body: csv,
  });
  const { refused, lines } = await response.json();
  assertEquals([refused, lines.length, lines.at(-1).line, lines.at(-1).mac], [5000, 5000, 5001, "m4999"]);
});

Deno.test("a pushed message is kept once, however often it comes, and only if it is genuine", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(19), path = `/api/v1/gateways/${me.mac}/messages`;
  await p.call("POST", "/api/v1/gateways", me);
  const registered = await register(udp, p.ports.access!, me, DEV_RND);
  assertEquals(registered.MessageServer, `127.0.0.1:${p.ports.push}`);
  using tcp = await TcpPeer.connect(p.ports.push!);
  const content = inner({ Alarm: "PON down" }), time = "20261122080000";
  const message = {
    RPCMethod: "MessagePush",
    Plugin_Name: "watch",
    time,
    mac: me.mac,
    Message: content,
    MD5: h(time, content, me.mac, me.sn),
  };
  assertEquals(await tcp.ask(message), { Result: 0 });
  assertEquals(await tcp.ask(message), { Result: 0 });
  assertEquals((await tcp.ask({ ...message, MD5: h("forged") }))?.Result, -1);
  assertEquals((await tcp.ask({ ...message, mac: identity(20).mac }))?.Result, -1);
  assertEquals((await tcp.ask({ RPCMethod: "MessagePush" }))?.Result, -1);
  const { items } = (await p.call("GET", path)).body as { items: Record<string, unknown>[] };
  assertEquals(items.map(({ plugin, time, text }) => [plugin, time, text]), [[
    "watch",
    time,
    '{"Alarm":"PON down"}',
  ]]);
  assertEquals((await p.call("GET", `/api/v1/gateways/${identity(20).mac}/messages`)).status, 404);
});

Deno.test("a gateway that pushes without end is told to come later, and others are not", async () => {
  await using p = await testPlatform();
  const [me, other] = [identity(21), identity(22)];
  await p.call("POST", "/api/v1/gateways", [me, other]);
  using tcp = await TcpPeer.connect(p.ports.push!);
  const push = ({ mac, sn }: typeof me, n: number) => {
    const content = inner({ n }), time = "20261122080000";
    return tcp.ask({
      RPCMethod: "MessagePush",
      Plugin_Name: "x",
      time,
      mac,
      Message: content,
      MD5: h(time, content, mac, sn),
    });
  };
  const results = new Set<unknown>();
  for (let n = 0; n < 130; n++) results.add((await push(me, n))?.Result);
  assertEquals([...results], [0, -5]);
  assertEquals((await push(other, 0))?.Result, 0);
});
