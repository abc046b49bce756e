/**
 * Message push over real sockets, from a plug-in's call to whoever reads: a whole gateway, a whole platform.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { SimulatedDriver } from "../src/gateway/driver/mod.ts";
import { followEvents, type HeardEvent } from "./support/event_stream.ts";
import { ADMIN_TOKEN, realDeps, testPlatform } from "./support/platform.ts";
import { h, identity, inner, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";
import { ask } from "./support/ask.ts";
import { House, ME, PASSWORD, until } from "./support/push_house.ts";

const EATER = `
export const manifest = { name: "eater", version: "1.0", apiVersion: "2026-11-01", commands: { EAT: { right: "both" } } };
export const commands = { EAT() { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); } };`;

const textsOf = (events: HeardEvent[], plugin = "pusher") =>
  events.filter(({ kind }) => kind === "message").map(({ data }) => data as { plugin: string; text: string })
    .filter((message) => message.plugin === plugin).map(({ text }) => text);

Deno.test("what a plug-in pushes is read in the list and heard live, text as text, anything else as JSON", async () => {
  await using house = await House.open();
  const all = house.listen(`/api/v1/messages/stream?mac=${ME.mac}&plugin=pusher`);
  await until("the stream is open", () => all.length > 0);
  await house.plugin("pusher", "TEXT", { text: "三 words\nhere" });
  await house.plugin("pusher", "JSON", { value: "v" });
  await house.delivered();
  const expected = ["三 words\nhere", '{"value":"v","list":[1,null]}'];
  assertEquals(await house.messages(), expected);
  await until("heard", () => textsOf(all).length === 2);
  assertEquals(textsOf(all), expected);
  assertEquals(
    (await house.plugin("silent", "TRY")).push,
    "undefined",
    "without the capability there is nothing",
  );
  assertEquals(
    (await house.platform.call("GET", "/api/v1/messages?plugin=pusher")).body.items instanceof Array,
    true,
  );
});

Deno.test("the gateway says itself that it started", async () => {
  await using house = await House.open();
  await house.delivered();
  const own = (await house.messages("@gateway")).map((text) => JSON.parse(text));
  assertEquals(own.map(({ event, number }) => [event, number]), [["boot", 1]]);
  await house.stopGateway();
  await house.startGateway();
  await house.delivered();
  const both = (await house.messages("@gateway")).map((text) => JSON.parse(text));
  assertEquals([both.length, new Set(both.map(({ bootId }) => bootId)).size], [2, 2]);
});

Deno.test("the gateway says itself that its address changed, and that a plug-in is broken", async () => {
  await using house = await House.open();
  await house.stopGateway();
  let address = "100.64.0.9";
  const driver = Object.assign(new SimulatedDriver(realDeps()), { wanAddress: () => address });
  await house.startGateway({ driver });
  const heard = house.listen("/api/v1/messages/stream?plugin=%40gateway");
  await until("open", () => heard.length > 0);
  address = "100.64.0.10";
  await until(
    "told of the address",
    () => textsOf(heard, "@gateway").some((text) => text.includes("100.64.0.10")),
  );
  await Deno.writeTextFile(`${house.folder}/plugins/eater.js`, EATER);
  await until("told of the plug-in", () => {
    if (house.gateway.plugins.get("eater")?.state === "running") void house.plugin("eater", "EAT");
    return textsOf(heard, "@gateway").some((text) => text.includes("plugin_broken"));
  });
  const said = textsOf(heard, "@gateway").map((text) => JSON.parse(text));
  const changes = said.filter(({ event }) => event === "wan_address");
  assertEquals([changes.at(-1).before, changes.at(-1).address], ["100.64.0.9", "100.64.0.10"]);
  const broken = said.filter(({ event }) => event === "plugin_broken");
  assertEquals(broken.map(({ plugin, version }) => [plugin, version]), [["eater", "1.0"]]);
});

Deno.test("a plug-in that floods gets as many through as its manifest says, and hears why not more", async () => {
  await using house = await House.open();
  const reply = await house.plugin("pusher", "FLOOD", { times: 200 });
  assertEquals([reply.taken, reply.last], ["20", "push.send: more than 20 messages a minute"]);
  await house.delivered();
  assertEquals(await house.messages(), Array.from({ length: 20 }, (_, i) => `flood ${i}`));
});

Deno.test("what is no message is refused with the reason", async () => {
  await using house = await House.open();
  const odd = await house.plugin("pusher", "ODD");
  assertStringIncludes(String(odd.none), "message: a text, or any JSON value");
  assertStringIncludes(String(odd.big), "a message has at most 65536 bytes, not 70000");
});

Deno.test("while the platform is away messages wait on the disk, over restarts too, and then come once and in order", async () => {
  await using house = await House.open();
  const live = house.listen("/api/v1/messages/stream?after=0");
  await house.plugin("pusher", "TEXT", { text: "0" });
  await house.delivered();
  const back = await house.stopPlatform();
  for (const text of ["1", "2"]) await house.plugin("pusher", "TEXT", { text });
  let { body } = await house.control("GET", "/api/v1/push");
  while (body.failures === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    body = (await house.control("GET", "/api/v1/push")).body;
  }
  assertEquals([body.waiting, body.oldest.plugin], [2, "pusher"]);
  await house.stopGateway();
  await back();
  await house.startGateway();
  await house.plugin("pusher", "TEXT", { text: "3" });
  await house.delivered();
  assertEquals(await house.messages(), ["0", "1", "2", "3"]);
  await until("heard", () => textsOf(live).length >= 4);
  assertEquals(textsOf(live), ["0", "1", "2", "3"]);
  const status = (await house.control("GET", "/api/v1/push")).body;
  assertEquals([status.state, status.failures, status.refused], ["idle", 0, 0]);
  assertStringIncludes(
    (await house.control("GET", "/metrics")).body.text,
    'gatehouse_push_messages_total{outcome="delivered"}',
  );
});

Deno.test("a user hears what the bound gateway pushes, and another user nothing of it", async () => {
  await using house = await House.open();
  const app = (method: string, path: string, token?: string, body?: unknown) =>
    ask(`${house.platform.url}/app/v1`, method, path, body, token ?? null);
  const signIn = async (name: string) => {
    const credentials = { name, password: "correct horse battery" };
    await app("POST", "/users", undefined, credentials);
    return (await app("POST", "/sessions", undefined, credentials)).body.token as string;
  };
  const [li, wang] = [await signIn("li.wei"), await signIn("wang.fang")];
  await house.plugin("pusher", "TEXT", { text: "before it was bound" });
  await house.delivered();
  const proof = await house.plugin("device-identity", "CHECK_PASSWD_PARAM", { PassWD: PASSWORD });
  assertEquals(proof.Status, "0", JSON.stringify(proof));
  assertEquals((await app("POST", "/bindings", li, { sn: proof.SN, loid: proof.LOID })).status, 201);
  const live = house.listen(`/app/v1/gateways/${ME.mac}/messages/stream?after=0`, li);
  await until("the stream is open", () => live.length > 0);
  await house.plugin("pusher", "TEXT", { text: "for its owner" });
  await until("heard", () => textsOf(live).length > 0);
  assertEquals(textsOf(live), ["for its owner"]);
  const list = await app("GET", `/gateways/${ME.mac}/messages?plugin=pusher`, li);
  assertEquals(list.body.items.map(({ text }: { text: string }) => text), ["for its owner"]);
  for (const path of [`/gateways/${ME.mac}/messages`, `/gateways/${ME.mac}/messages/stream`]) {
    assertEquals((await app("GET", path, wang)).status, 404, path);
  }
  for (const path of [`/api/v1/gateways/${ME.mac}/messages`, "/api/v1/messages", "/api/v1/messages/stream"]) {
    const response = await fetch(house.platform.url + path, { headers: { authorization: `Bearer ${li}` } });
    await response.body?.cancel();
    assertEquals(response.status, 403, path);
  }
});

Deno.test("a stream's place outlives the platform: whoever comes back hears what came meanwhile, once", async () => {
  await using house = await House.open();
  const live = house.listen(`/api/v1/gateways/${ME.mac}/messages/stream`);
  await until("open", () => live.length > 0);
  for (let round = 0; round < 3; round++) {
    await house.plugin("pusher", "TEXT", { text: `${round} before` });
    const back = await house.stopPlatform();
    await house.plugin("pusher", "TEXT", { text: `${round} meanwhile` });
    await back();
    await house.plugin("pusher", "TEXT", { text: `${round} after` });
  }
  await house.delivered();
  await until("all heard", () => textsOf(live).length >= 9);
  assertEquals(textsOf(live), await house.messages());
  assertEquals(textsOf(live).length, 9);
});

Deno.test("operators read and hear by group and filter, and those who are confined nothing beyond their groups", async () => {
  await using p = await testPlatform();
  const [north, south] = [identity(71), identity(72)];
  await p.call("POST", "/api/v1/gateways", [{ ...north, region: "north" }, { ...south, region: "south" }]);
  await p.call("POST", "/api/v1/groups", { name: "north", filter: "region==north" });
  const password = "correct horse battery";
  await p.call("POST", "/api/v1/operators", {
    name: "li.wei",
    password,
    role: "operator",
    groups: ["north"],
  });
  const signedIn = await fetch(`${p.url}/api/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "li.wei", password }),
  });
  const { token } = await signedIn.json();
  const confined = async (path: string) => {
    const response = await fetch(p.url + path, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: await response.json() };
  };
  using tcp = await TcpPeer.connect(p.ports.push!);
  const push = async ({ mac, sn }: typeof north, text: string) => {
    const content = btoa(text), time = "20261122080000";
    const message = { RPCMethod: "MessagePush", Plugin_Name: "x", time, mac, Message: content };
    assertEquals((await tcp.ask({ ...message, MD5: h(time, content, mac, sn) }))?.Result, 0);
  };
  const streams = [
    ["/api/v1/messages/stream", token],
    [`/api/v1/messages/stream?mac=${south.mac}&mac=${north.mac}`, token],
    ["/api/v1/messages/stream?filter=region%3D%3Dsouth,region%3D%3Dnorth", token],
    [`/api/v1/gateways/${north.mac}/messages/stream`, token],
    ["/api/v1/messages/stream?group=north", ADMIN_TOKEN],
    ["/api/v1/messages/stream?filter=region%3D%3Dnorth", ADMIN_TOKEN],
  ].map(([path, token]) => {
    const heard: HeardEvent[] = [];
    return { heard, follower: followEvents(() => p.url + path, token!, (event) => heard.push(event)) };
  });
  await until("open", () => streams.every(({ heard }) => heard.length > 0));
  await push(south, "of the south");
  await push(north, "of the north");
  await until("heard", () => streams.every(({ heard }) => textsOf(heard, "x").length > 0));
  for (const { heard, follower } of streams) {
    await follower.stop();
    assertEquals(textsOf(heard, "x"), ["of the north"]);
  }
  const texts = ({ body }: { body: Record<string, unknown> }) =>
    (body.items as { text: string }[]).map(({ text }) => text);
  assertEquals(texts(await confined("/api/v1/messages")), ["of the north"]);
  assertEquals(texts(await confined(`/api/v1/messages?mac=${south.mac}`)), []);
  assertEquals(texts(await confined("/api/v1/messages?group=south")), []);
  for (const path of ["messages", "messages/stream"]) {
    assertEquals((await confined(`/api/v1/gateways/${south.mac}/${path}`)).status, 404);
  }
  assertEquals(texts(await p.call("GET", "/api/v1/messages")), ["of the north", "of the south"]);
  assertEquals(texts(await p.call("GET", "/api/v1/messages?filter=region%3D%3Dsouth")), ["of the south"]);
  assertEquals((await p.call("GET", "/api/v1/messages?filter=(")).status, 422);
});

Deno.test("forgers are shown the door, and use up nothing of what they claim to be", async () => {
  await using p = await testPlatform();
  await p.call("POST", "/api/v1/gateways", ME);
  const message = (n: number, sn: string, content = inner({ n })) => ({
    RPCMethod: "MessagePush",
    Plugin_Name: "x",
    time: "20261122080000",
    mac: ME.mac,
    Message: content,
    MD5: h("20261122080000", content, ME.mac, sn),
  });
  for (let visit = 0; visit < 20; visit++) {
    using forger = await TcpPeer.connect(p.ports.push!);
    for (let n = 0; n < 10; n++) assertEquals((await forger.ask(message(n, "64D954-SOMEONE")))?.Result, -1);
    assertEquals(await forger.hear(), undefined, "the connection ends");
  }
  using tcp = await TcpPeer.connect(p.ports.push!);
  assertEquals((await tcp.ask(message(1, ME.sn)))?.Result, 0);
  assertEquals((await tcp.ask(message(2, ME.sn, btoa("x".repeat(100_000)))))?.Result, -1, "too long");
  assertEquals((await tcp.ask({ ...message(3, ME.sn), Plugin_Name: "p".repeat(200) }))?.Result, -1);
});

Deno.test("a gateway that says it was reset is nobody's any more, and nothing less than its own word does that", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const rnd = "0123456789ABCDEF0123456789ABCDEF";
  await p.call("POST", "/api/v1/gateways", ME);
  await register(udp, p.ports.access!, ME, rnd);
  const app = (path: string, body: unknown, token?: string) =>
    ask(`${p.url}/app/v1`, "POST", path, body, token ?? null);
  const credentials = { name: "li.wei", password: "correct horse battery" };
  await app("/users", credentials);
  const { body: { token } } = await app("/sessions", credentials);
  assertEquals((await app("/bindings", { sn: h(rnd, ME.sn), loid: ME.loid }, token)).status, 201);

  using tcp = await TcpPeer.connect(p.ports.push!);
  let number = 0;
  const say = async (plugin: string, text: string, sn = ME.sn) => {
    const content = btoa(text), time = `202611220800${String(number++).padStart(2, "0")}`;
    const message = { RPCMethod: "MessagePush", Plugin_Name: plugin, time, mac: ME.mac, Message: content };
    return (await tcp.ask({ ...message, MD5: h(time, content, ME.mac, sn) }))?.Result;
  };
  const bound = async () => (await p.call("GET", `/api/v1/gateways/${ME.mac}/binding`)).status === 200;
  const reset = (at?: string) => JSON.stringify({ event: "factory_reset", ...(at ? { at } : {}) });
  assertEquals(await say("@gateway", reset(), "64D954-SOMEONE"), -1);
  for (const text of ["null", "[1]", "factory_reset", '{"event":["factory_reset"]}', '{"event":"boot"}']) {
    assertEquals(await say("@gateway", text), 0);
  }
  assertEquals(await say("plugin", reset()), 0);
  // What happened before it was bound is about the owner before.
  assertEquals(await say("@gateway", reset(new Date(Date.now() - 3_600_000).toISOString())), 0);
  await p.call("GET", "/healthz");
  assertEquals(await bound(), true);
  // A clock that is not set is not believed.
  assertEquals(await say("@gateway", reset("1970-01-01T00:00:10.000Z")), 0);
  for (let i = 0; i < 200 && await bound(); i++) await p.call("GET", "/healthz");
  assertEquals(await bound(), false);
});
