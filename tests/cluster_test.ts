/**
 * Several nodes on one database, as processes of their own, when all is well.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ClusterGateway, h, until } from "./support/nodes.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";
import { followEvents, type HeardEvent } from "./support/event_stream.ts";
import { identity, TcpPeer } from "./support/scripted_gateway.ts";
import { asked, commandsOf, gatewayAt, withNodes } from "./support/with_nodes.ts";

type Json = Record<string, unknown>;

withNodes(
  "a command asked of any node reaches a gateway on another, and everybody sees it",
  async (nodes) => {
    const me = identity(1);
    await nodes.preset(me);
    await using gateway = new ClusterGateway(me);
    await gateway.register(nodes.node(0));
    await until("seen on the other node", async () => {
      const { body } = await nodes.call(1, "GET", `/api/v1/gateways/${me.mac}`);
      return body.online === true;
    });
    const first = nodes.call(1, "POST", `${commandsOf(gateway)}?wait=20`, asked("one"));
    // The node that has its UDP association sends the trigger, though the other one was asked.
    await gateway.triggered();
    await gateway.accept(nodes.node(0));
    await gateway.connect(nodes.node(0));
    const { status, body } = await first;
    assertEquals([status, body.status, (body.reply as Json).Tag], [200, "succeeded", "one"]);
    // Each node can be asked how it ended, and the other's channel is used at once now.
    assertEquals((await nodes.call(0, "GET", `/api/v1/commands/${body.id}`)).body.status, "succeeded");
    const again = await nodes.call(1, "POST", `${commandsOf(gateway)}?wait=20`, asked("two"));
    assertEquals([again.body.status, gateway.done.get("one"), gateway.done.get("two")], ["succeeded", 1, 1]);
    // What happened is in its history once, whatever number of nodes heard of it.
    const history = await nodes.call(1, "GET", `/api/v1/gateways/${me.mac}/history`);
    const kinds = (history.body.items as { kind: string }[]).map(({ kind }) => kind).sort();
    assertEquals(kinds, ["online", "registered"], JSON.stringify(history.body));
  },
);

withNodes("a waiting command can be taken back, waited for and followed on any node", async (nodes) => {
  const me = identity(1);
  await nodes.preset(me);
  const waiting = await nodes.call(0, "POST", `/api/v1/gateways/${me.mac}/commands`, asked("never"));
  const { id } = waiting.body, followed = nodes.call(1, "GET", `/api/v1/commands/${id}?wait=20`);
  const taken = await nodes.call(1, "POST", `/api/v1/commands/${id}/cancel`);
  assertEquals([taken.status, taken.body.status], [200, "cancelled"]);
  assertEquals((await followed).body.status, "cancelled");
});

withNodes(
  "a gateway that begins to speak to another node is that node's, without registering",
  async (nodes) => {
    await using gateway = await gatewayAt(nodes, 0);
    assertEquals(await gateway.beat(nodes.node(1)), { Result: 0 });
    // Whoever is asked, its new node calls it.
    await gateway.connect(nodes.node(1));
    const { body } = await nodes.call(0, "POST", `${commandsOf(gateway)}?wait=20`, asked("moved"));
    assertEquals([body.status, gateway.done.get("moved")], ["succeeded", 1]);
    const stranger = new ClusterGateway(identity(2));
    assertEquals(await stranger.beat(nodes.node(1)), { Result: -3 });
    await stranger[Symbol.asyncDispose]();
  },
);

withNodes(
  "a plug-in that one node took in is handed out by each, and once removed by none",
  async (nodes) => {
    const source =
      `export const manifest = { name: "com.example.both", version: "1.0", apiVersion: "2026-11-01",
    commands: { ASK: { right: "both" } }, capabilities: [] };
    export const commands = { ASK: () => ({}) };`;
    const bytes = new TextEncoder().encode(source);
    const taken = await fetch(`${nodes.node(0).url}/api/v1/plugins`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/javascript" },
      body: bytes,
    });
    assertEquals(taken.status, 201, await taken.clone().text());
    const { sha256 } = await taken.json();
    const got = await fetch(`${nodes.node(1).url}/downloads/${sha256}.js`);
    assertEquals([got.status, await got.text()], [200, source]);
    // What is removed at one node is handed out by none, though the other one has a copy of its own by now.
    const removed = await nodes.call(0, "DELETE", "/api/v1/plugins/com.example.both/1.0");
    assertEquals(removed.status, 204, JSON.stringify(removed.body));
    for (const i of [0, 1]) {
      const gone = await fetch(`${nodes.node(i).url}/downloads/${sha256}.js`);
      assertEquals(gone.status, 404);
      await gone.body?.cancel();
    }
    assertEquals([...Deno.readDirSync(`${nodes.node(1).program.dataDir}/plugins`)], []);
  },
);

withNodes("an app that asked one node to connect hears from any how that stands", async (nodes) => {
  await using gateway = new ClusterGateway(identity(1));
  await nodes.preset(gateway.me);
  await gateway.register(nodes.node(0), "A".repeat(32));
  const app = async (i: number, method: string, path: string, token?: string, body?: unknown) => {
    const response = await fetch(`${nodes.node(i).url}/app/v1${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() as Json };
  };
  const user = { name: "li.wei", password: "correct horse battery" };
  assertEquals((await app(0, "POST", "/users", undefined, user)).status, 201);
  const signedIn = await app(1, "POST", "/sessions", undefined, user), token = String(signedIn.body.token);
  const proof = { sn: h("A".repeat(32), gateway.me.sn), loid: gateway.me.loid };
  const bound = await app(1, "POST", "/bindings", token, proof);
  assertEquals(bound.status, 201, JSON.stringify(bound.body));
  const path = `/gateways/${gateway.me.mac}`;
  assertEquals((await app(1, "POST", `${path}/connect`, token)).body.state, "connecting");
  await until(
    "the other node knows",
    async () => (await app(0, "GET", `${path}/connection`, token)).body.state === "connecting",
  );
  await gateway.triggered();
  await gateway.accept(nodes.node(0));
  await gateway.connect(nodes.node(0));
  for (const i of [0, 1]) {
    await until(
      "connected",
      async () => (await app(i, "GET", `${path}/connection`, token)).body.state === "connected",
    );
  }
});

withNodes("streams and figures of one node tell what happens on another", async (nodes) => {
  await using gateway = await gatewayAt(nodes, 0);
  const rule = { kind: "rollout_paused", severity: "warning", raiseAt: 1, clearBelow: 1, holdSeconds: 0 };
  assertEquals((await nodes.call(0, "PUT", "/api/v1/alarm-rules/paused", rule)).status, 200);
  await using stack = new AsyncDisposableStack();
  /** What a stream of node 2 tells, event by event. */
  const follow = (path: string): HeardEvent[] => {
    const heard: HeardEvent[] = [], url = () => nodes.node(1).url + path;
    const follower = followEvents(url, ADMIN_TOKEN, (event) => heard.push(event));
    stack.defer(async () => void await follower.stop());
    return heard;
  };
  const heardOf = (what: string, heard: HeardEvent[], is: (data: Json) => boolean) =>
    until(what, () => Promise.resolve(heard.some(({ data }) => is(data as Json))), 60_000);
  const alarms = follow("/api/v1/alarms/stream"), pushes = follow("/api/v1/messages/stream");
  for (const heard of [alarms, pushes]) {
    await until("it is open", () => Promise.resolve(heard.some(({ kind }) => kind === "ready")));
  }

  const { promise: held, resolve: go } = Promise.withResolvers<void>();
  gateway.hold = held;
  const { body: { id } } = await nodes.call(0, "POST", commandsOf(gateway), asked("one"));
  const commands = follow(`/api/v1/commands/${id}/events`);
  await heardOf("sent", commands, ({ status }) => status === "sent");
  go();
  await heardOf("succeeded", commands, ({ status }) => status === "succeeded");

  const { body: made } = await nodes.call(0, "POST", "/api/v1/rollouts", {
    name: "tell them",
    action: { kind: "post", parameter: { CmdType: "ASK", Tag: "roll" } },
  });
  const rollouts = follow(`/api/v1/rollouts/${made.id}/events`);
  await heardOf("a draft", rollouts, ({ status }) => status === "draft");
  gateway.hold = new Promise(() => {});
  await nodes.call(0, "POST", `/api/v1/rollouts/${made.id}/start`);
  await heardOf("running", rollouts, ({ status }) => status === "running");
  await nodes.call(0, "POST", `/api/v1/rollouts/${made.id}/pause`);
  await heardOf("paused", rollouts, ({ status }) => status === "paused");
  await heardOf("an alarm", alarms, ({ rule, clearedAt }) => rule === "paused" && clearedAt === null);
  const alarm = alarms.map(({ data }) => data as Json).find(({ rule }) => rule === "paused")!;
  await nodes.call(0, "POST", `/api/v1/alarms/${alarm.id}/acknowledge`, { note: "seen" });
  await heardOf("acknowledged", alarms, ({ note }) => note === "seen");

  using tcp = await TcpPeer.connect(nodes.node(0).program.ports.push!);
  const { mac, sn } = gateway.me, content = btoa("hello"), time = "20261122080000";
  const message = { RPCMethod: "MessagePush", Plugin_Name: "x", time, mac, Message: content };
  assertEquals((await tcp.ask({ ...message, MD5: h(time, content, mac, sn) }))?.Result, 0);
  await heardOf("pushed", pushes, (data) => data.mac === mac);

  await until("it is counted", async () => {
    const { body } = await nodes.call(1, "GET", "/api/v1/overview");
    return body.online === 1 && (body.commands as Json).succeeded === 1;
  });
});
