import { assertEquals } from "@std/assert";
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import type { ChannelOutcome } from "../subjects.ts";
import { LOID, MAC, NEXT, OTHER, SN, Stage } from "./testing_stage.ts";

Deno.test("nobody reaches a gateway that is not theirs, by any route or method, and learns nothing of it", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  stage.bus.publish("channel.opened", { mac: MAC });
  const post = { parameter: { CmdType: "X" } };
  const { id } = (await stage.call("POST", `/gateways/${MAC}/post`, li, post)).body;
  const { id: invitation } = (await stage.call("POST", `/gateways/${MAC}/invitations`, li, {})).body;
  const tries: [string, string, unknown?][] = [
    ["DELETE", "/bindings/{mac}"],
    ["GET", "/gateways/{mac}"],
    ["POST", "/gateways/{mac}/connect"],
    ["GET", "/gateways/{mac}/connection"],
    ["POST", "/gateways/{mac}/post", post],
    ["GET", `/gateways/{mac}/posts/${id}`],
    ["GET", "/gateways/{mac}/messages"],
    ["GET", "/gateways/{mac}/messages/stream"],
    ["GET", "/gateways/{mac}/connection/stream"],
    ["GET", "/gateways/{mac}/capabilities"],
    ["GET", "/gateways/{mac}/members"],
    ["PATCH", "/gateways/{mac}/members/me", { rights: "use" }],
    ["DELETE", "/gateways/{mac}/members/me"],
    ["POST", "/gateways/{mac}/invitations", {}],
    ["GET", "/gateways/{mac}/invitations"],
    ["DELETE", `/gateways/{mac}/invitations/${invitation}`],
  ];
  const declared = stage.app.routes.routes.filter(({ path }) => /^\/app\/.*\{mac\}/.test(path));
  assertEquals(tries.length, declared.length, "a route over {mac} is missing here");
  for (const [method, path, body] of tries) {
    const answers = [];
    for (const mac of [MAC, OTHER, "FFFFFFFFFFFF"]) {
      const answer = await stage.call(method, path.replace("{mac}", mac), wang, body);
      answers.push([answer.status, answer.body.code, answer.body.detail.replace(mac, "")]);
    }
    assertEquals(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1, `${method} ${path}`);
    assertEquals(answers[0]![0], 404, `${method} ${path}`);
    for (const token of [undefined, "ghs_made-up", "the-administrators"]) {
      const { status } = await stage.call(method, path.replace("{mac}", MAC), token, body);
      assertEquals(status, token === "the-administrators" ? 403 : 401, `${method} ${path} ${token}`);
    }
  }
  assertEquals((await stage.call("GET", "/gateways", wang)).body, { items: [] });
});

Deno.test("a post of one owner is not shown to the next one", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  stage.bus.publish("channel.opened", { mac: MAC });
  const { id } =
    (await stage.call("POST", `/gateways/${MAC}/post`, li, { parameter: { CmdType: "X" } })).body;
  assertEquals((await stage.call("GET", `/gateways/${MAC}/posts/${id}`, li)).status, 200);
  await stage.call("DELETE", `/bindings/${MAC}`, li);
  stage.register(MAC, SN, LOID, NEXT);
  assertEquals((await stage.bind(wang, bindingSn(NEXT, SN))).status, 201);
  const refused = await stage.call("GET", `/gateways/${MAC}/posts/${id}`, wang);
  assertEquals([refused.status, refused.body.code], [404, "post_not_found"]);
});

Deno.test("connecting is polled every second for ten, then every five, and given up after a minute", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const state = async () => (await stage.call("GET", `/gateways/${MAC}/connection`, token)).body;
  assertEquals(await state(), { state: "idle" });
  const asked = await stage.call("POST", `/gateways/${MAC}/connect`, token);
  assertEquals([asked.status, asked.body], [202, { state: "connecting", retryAfterMs: 1000 }]);
  assertEquals(asked.headers.get("retry-after"), "1");
  const polls: number[] = [];
  let elapsed = 0;
  for (let shown = asked.body; shown.retryAfterMs !== undefined; shown = await state()) {
    polls.push(shown.retryAfterMs);
    // The gateway goes on beating.
    await stage.clock.advance(shown.retryAfterMs);
    elapsed += shown.retryAfterMs;
    stage.presence.beat(MAC, "100.64.0.9", 9);
  }
  assertEquals(polls, [...Array(10).fill(1000), ...Array(10).fill(5000)]);
  assertEquals(elapsed, 60_000);
  const failed = await state();
  assertEquals([failed.state, failed.reason.code], ["failed", "timed_out"]);
  assertEquals((await stage.call("POST", `/gateways/${MAC}/connect`, token)).body.state, "connecting");
  stage.bus.publish("channel.opened", { mac: MAC });
  assertEquals(await state(), { state: "connected" });
  assertEquals((await stage.call("POST", `/gateways/${MAC}/connect`, token)).body, { state: "connected" });
});

Deno.test("connecting to a gateway that is offline fails at once, and succeeds when it is back in time", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.presence.forget(MAC);
  stage.triggerOutcome = "offline";
  const failed = (await stage.call("POST", `/gateways/${MAC}/connect`, token)).body;
  assertEquals([failed.state, failed.reason.code], ["failed", "gateway_offline"]);
  stage.register(MAC, SN, LOID);
  assertEquals((await stage.call("GET", `/gateways/${MAC}/connection`, token)).body.state, "connecting");
});

Deno.test("a post answers result and decoded reply, and its row names the user", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.bus.publish("channel.opened", { mac: MAC });
  const { status, body } = await stage.call("POST", `/gateways/${MAC}/post`, token, {
    plugin: "system-monitor",
    parameter: { CmdType: "QUERY_CPU_INFO" },
  });
  assertEquals([status, body.status, body.result, body.reply.Percent], [200, "succeeded", 0, "7"]);
  const me = (await stage.call("GET", "/users/me", token)).body;
  const row = await stage.commander.find(body.id);
  assertEquals([row?.actor, row?.plugin, row?.version], [`user:${me.id}`, "system-monitor", "1.0"]);
  stage.answer = () => ({ kind: "reply", reply: { result: -12 } });
  const absent = await stage.call("POST", `/gateways/${MAC}/post`, token, { parameter: { CmdType: "X" } });
  assertEquals([absent.status, absent.body.status, absent.body.result, absent.body.error.code], [
    200,
    "failed",
    -12,
    "plugin_absent",
  ]);
});

Deno.test("a post that the gateway does not answer ends by its time", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.triggerOutcome = "unanswered";
  const asked = stage.call("POST", `/gateways/${MAC}/post`, token, {
    parameter: { CmdType: "X" },
    timeoutMs: 2000,
  });
  await stage.clock.advance(2000);
  const { status, body } = await asked;
  assertEquals([status, body.status, body.error.code], [200, "timed_out", "not_delivered"]);
});

Deno.test("an app that went away while its post was under way finds the answer under its id", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const replied = Promise.withResolvers<ChannelOutcome>();
  stage.answer = () => replied.promise;
  stage.bus.publish("channel.opened", { mac: MAC });
  const gone = new AbortController();
  const request = new Request(`http://localhost/app/v1/gateways/${MAC}/post`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ parameter: { CmdType: "X" } }),
    signal: gone.signal,
  });
  const answer = stage.api.fetch(request);
  await stage.clock.advance(0);
  gone.abort();
  const first = await (await answer).json();
  assertEquals(first.status, "sent");
  replied.resolve({ kind: "reply", reply: { result: 0, parameter: { Status: "0", Late: "yes" } } });
  const later = await stage.call("GET", `/gateways/${MAC}/posts/${first.id}?wait=5`, token);
  assertEquals([later.status, later.body.reply.Late], [200, "yes"]);
});

Deno.test("posts are limited in size, rate and time", async () => {
  await using stage = await Stage.open({ postsPerSecond: 3 });
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.bus.publish("channel.opened", { mac: MAC });
  const post = (body: unknown) => stage.call("POST", `/gateways/${MAC}/post`, token, body);
  assertEquals((await post({ parameter: { CmdType: "X", Fill: "x".repeat(70_000) } })).status, 413);
  for (
    const bad of [
      {},
      { parameter: {} },
      { parameter: { CmdType: 7 } },
      { parameter: { CmdType: "X" }, timeoutMs: 3_600_000 },
      { parameter: { CmdType: "X" }, version: "latest" },
      { parameter: { CmdType: "X" }, mac: OTHER },
    ]
  ) assertEquals((await post(bad)).status, 400, JSON.stringify(bad));
  const statuses = [];
  for (let i = 0; i < 5; i++) statuses.push((await post({ parameter: { CmdType: "X" } })).status);
  assertEquals(statuses, [200, 200, 200, 429, 429]);
  await stage.clock.advance(1000);
  assertEquals((await post({ parameter: { CmdType: "X" } })).status, 200);
});
