/**
 * Webhooks over HTTP: real receivers that take, fail, hang and come back; both databases.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeClock } from "../src/base/mod.ts";
import { until } from "./support/nodes.ts";
import { ADMIN_TOKEN, realDeps, type TestPlatform, testPlatform } from "./support/platform.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";
import { identity, register, UdpPeer } from "./support/scripted_gateway.ts";
import { ALLOWED, exampleOfTheDocuments, made, Receiver } from "./support/webhook_receiver.ts";

type Json = Record<string, unknown>;

const RND = "0123456789ABCDEF0123456789ABCDEF";
const ALL = [
  ...["gateway.registered", "gateway.online", "gateway.offline", "command.ended", "rollout.changed"],
  ...["alarm.raised", "alarm.cleared", "alarm.acknowledged", "message.pushed", "plugin.uploaded"],
];

const isGenuine = await exampleOfTheDocuments();
const postgres = await hasPostgres();

for (const database of ["SQLite", "PostgreSQL"]) {
  const ignore = database === "PostgreSQL" && !postgres;
  Deno.test({
    name: `what happens is told, signed so that the documents' example accepts it, on ${database}${
      ignore ? " (ignored: no PostgreSQL on 127.0.0.1:5432)" : ""
    }`,
    ignore,
    async fn() {
      const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
      const settings = database === "SQLite" ? ALLOWED : { ...ALLOWED, database: await makeDatabase(name) };
      try {
        await using p = await testPlatform({ settings });
        await using receiver = new Receiver();
        await tellsEverything(p, receiver);
      } finally {
        if (database === "PostgreSQL") await dropDatabases(name);
      }
    },
  });
}

async function tellsEverything(p: TestPlatform, receiver: Receiver): Promise<void> {
  const { id, secret } = await made(p, "/api/v1/webhooks", { url: receiver.url, events: ALL });
  const hook = `/api/v1/webhooks/${id}`;
  const heard = (type: string) =>
    until(type, () => Promise.resolve(receiver.got.find((one) => one.type === type)));

  using udp = new UdpPeer();
  const me = identity(1);
  await made(p, "/api/v1/gateways", me);
  await register(udp, p.ports["access"]!, me, RND);
  assertEquals((await heard("gateway.registered")).data["mac"], me.mac);
  assertEquals((await heard("gateway.online")).data, { mac: me.mac });
  const command = await made(p, `/api/v1/gateways/${me.mac}/commands`, { parameter: { CmdType: "X" } });
  await p.call("POST", `/api/v1/commands/${command["id"]}/cancel`);
  assertEquals((await heard("command.ended")).data, { mac: me.mac, id: command["id"], status: "cancelled" });
  const rollout = await made(p, "/api/v1/rollouts", {
    name: "one",
    action: { kind: "uninstall", plugin: "p" },
  });
  assertEquals((await heard("rollout.changed")).data, {
    id: rollout["id"],
    name: "one",
    status: "draft",
    reason: null,
  });
  const source = `export const manifest = { name: "com.example.a", version: "1.0",
    apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
    export const commands = { A: () => ({}) };`;
  const uploaded = await fetch(`${p.url}/api/v1/plugins`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "text/javascript" },
    body: source,
  });
  const { sha256 } = await uploaded.json();
  assertEquals(uploaded.status, 201);
  assertEquals((await heard("plugin.uploaded")).data, {
    ...{ name: "com.example.a", version: "1.0" },
    ...{ sha256, by: "admin" },
  });

  for (const { headers, body, id } of receiver.got) {
    assert(isGenuine(String(secret), headers, body), id);
    assert(!isGenuine(String(secret), headers, `${body} `), "another body");
    assert(!isGenuine(`whsec_${btoa("x".repeat(32))}`, headers, body), "another secret");
    const other = new Headers(headers);
    other.set("webhook-id", "another");
    assert(!isGenuine(String(secret), other, body), "another id");
    const late = new Headers(headers);
    late.set("webhook-timestamp", String(Number(headers.get("webhook-timestamp")) - 301));
    assert(!isGenuine(String(secret), late, body), "an old one, shown again");
    assertEquals(headers.get("content-type"), "application/json");
  }

  // Every delivery is on record, a page at a time.
  await until("noted", async () => {
    const { body } = await p.call("GET", `${hook}/deliveries?state=delivered&limit=500`);
    return (body["items"] as Json[]).length === receiver.got.length;
  });
  const seen: unknown[] = [];
  for (let path = `${hook}/deliveries?limit=2`;;) {
    const { body } = await p.call("GET", path);
    const { items, next } = body as { items: Json[]; next?: string };
    seen.push(...items.map(({ event }) => event));
    assert(
      items.every(({ state, attempts, lastStatus }) =>
        state === "delivered" && attempts === 1 && lastStatus === 204
      ),
    );
    if (next === undefined) break;
    path = `${hook}/deliveries?limit=2&cursor=${next}`;
  }
  assertEquals(seen.sort(), receiver.got.map(({ id }) => id).sort());

  // A test, the same once more, and a new secret beside the old one.
  const test = await made(p, `${hook}/test`);
  assertEquals((await heard("webhook.test")).data, { webhook: id });
  await until(
    "noted",
    async () => (await p.call("GET", `${hook}/deliveries/${test["id"]}`)).body["state"] === "delivered",
  );
  const again = await made(p, `${hook}/deliveries/${test["id"]}/redeliver`);
  await until(
    "told again",
    () => Promise.resolve(receiver.got.filter((one) => one.id === again["event"]).length === 2),
  );
  const rotated = await made(p, `${hook}/secret`, { graceSeconds: 3600 });
  receiver.got.length = 0;
  await made(p, `${hook}/test`);
  const { headers, body } = await heard("webhook.test");
  assert(isGenuine(String(secret), headers, body) && isGenuine(String(rotated["secret"]), headers, body));
  const final = await made(p, `${hook}/secret`, { graceSeconds: 0 });
  receiver.got.length = 0;
  await made(p, `${hook}/test`);
  const last = await heard("webhook.test");
  assert(isGenuine(String(final["secret"]), last.headers, last.body));
  for (const old of [secret, rotated["secret"]]) assert(!isGenuine(String(old), last.headers, last.body));

  assertEquals((await p.call("DELETE", hook)).status, 204);
  assertEquals((await p.call("GET", hook)).status, 404);
  const metrics = await (await fetch(`${p.url}/metrics`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  })).text();
  assertMatch(metrics, /gatehouse_webhook_tries_total\{outcome="delivered"\} [1-9]/);
}

Deno.test("a receiver that fails, redirects, hangs and floods is tried until it takes what waits, under the same id", async () => {
  const clock = new FakeClock(Date.now());
  await using p = await testPlatform({ deps: { ...realDeps(), clock }, settings: ALLOWED });
  await using receiver = new Receiver();
  await using elsewhere = new Receiver();
  const { id } = await made(p, "/api/v1/webhooks", { url: receiver.url, events: ["gateway.online"] });
  const hook = `/api/v1/webhooks/${id}`;
  const hang = Promise.withResolvers<Response>();
  const answers: (() => Response | Promise<Response>)[] = [
    () => new Response("no", { status: 500 }),
    () => new Response(null, { status: 302, headers: { location: elsewhere.url } }),
    () =>
      new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65_536)) }), { status: 503 }),
    () => hang.promise,
    () => new Response(null, { status: 204 }),
  ];
  receiver.answer = () => answers[receiver.got.length - 1]!();
  const test = await made(p, `${hook}/test`);
  let delivery: Json = {};
  const until = async (look: () => boolean) => {
    for (let i = 0; i < 300; i++) {
      delivery = (await p.call("GET", `${hook}/deliveries/${test["id"]}`)).body;
      if (look()) return;
      await clock.advance(1000);
    }
    throw new Error(`it stays ${JSON.stringify(delivery)}`);
  };
  for (
    const [attempts, error] of [[1, "HTTP 500"], [2, /HTTP 302/], [3, "HTTP 503"], [4, /no answer/]] as const
  ) {
    await until(() => delivery["attempts"] === attempts);
    assertMatch(String(delivery["lastError"]), new RegExp(error));
    assertEquals(delivery["state"], "waiting");
  }
  assert((await p.call("GET", hook)).body["failingSince"] !== null);
  await until(() => delivery["state"] === "delivered");
  hang.resolve(new Response());
  assertEquals([delivery["attempts"], delivery["lastError"], receiver.got.length], [5, null, 5]);
  assertEquals(new Set(receiver.got.map(({ id }) => id)), new Set([delivery["event"]]));
  assertEquals(new Set(receiver.got.map(({ headers }) => headers.get("webhook-timestamp"))).size, 5);
  assertEquals(elsewhere.got, []);
  assertEquals((await p.call("GET", hook)).body["failingSince"], null);
});

Deno.test("410 disables a webhook: the audit says so, an alarm is raised, and it goes on when it is enabled", async () => {
  const clock = new FakeClock(Date.now());
  await using p = await testPlatform({ deps: { ...realDeps(), clock }, settings: ALLOWED });
  await using receiver = new Receiver();
  await using watcher = new Receiver();
  receiver.answer = () => new Response(null, { status: 410 });
  const alarms = ["alarm.raised", "alarm.cleared"];
  await made(p, "/api/v1/webhooks", { url: watcher.url, events: alarms });
  const { id } = await made(p, "/api/v1/webhooks", { url: receiver.url, events: ["gateway.online"] });
  const hook = `/api/v1/webhooks/${id}`;
  await made(p, `${hook}/test`);
  const pass = async (what: string, look: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 200; i++) {
      if (await look()) return;
      await clock.advance(1000);
    }
    throw new Error(what);
  };
  await pass("disabled", async () => (await p.call("GET", hook)).body["enabled"] === false);
  assertEquals((await p.call("GET", hook)).body["disabledReason"], "gone");
  assertEquals((await p.call("POST", `${hook}/test`)).body["code"], "webhook_disabled");
  const { body } = await p.call("GET", "/api/v1/audit?action=webhook.disabled");
  const [entry] = body["items"] as Json[];
  assertEquals([entry!["actor"], entry!["target"]], ["platform", hook]);
  await pass("raised", () => watcher.types().includes("alarm.raised"));
  const [raised] = watcher.got;
  assertEquals([raised!.data["rule"], raised!.data["subject"]], ["webhook-fails", id]);

  receiver.answer = () => new Response();
  assertEquals((await p.call("PATCH", hook, { enabled: true })).body["disabledReason"], null);
  await made(p, `${hook}/test`);
  await pass("told", () => receiver.got.length === 2);
  await pass("cleared", () => watcher.types().includes("alarm.cleared"));

  // A receiver that is only down raises it after an hour.
  receiver.answer = () => new Response(null, { status: 503 });
  await made(p, `${hook}/test`);
  await pass("failing", async () => (await p.call("GET", hook)).body["failingSince"] !== null);
  watcher.got.length = 0;
  clock.jump(3_600_000);
  await pass(
    "raised again",
    () =>
      watcher.got.some(({ type, data }) =>
        type === "alarm.raised" && /has taken nothing for an hour/.test(String(data["detail"]))
      ),
  );
});

Deno.test("webhooks lead to no address that is not on the internet or allowed, whoever asks and however it is written", async () => {
  const clock = new FakeClock(Date.now());
  await using p = await testPlatform({ deps: { ...realDeps(), clock } });
  await using receiver = new Receiver();
  const events = ["gateway.online"];
  for (
    const url of [
      receiver.url,
      `http://[::ffff:127.0.0.1]:${receiver.port}/`,
      `http://2130706433:${receiver.port}/`,
      "http://169.254.169.254/latest/meta-data/",
      "http://10.0.0.1/",
      "http://[::1]:8080/api/v1/backups",
      "https://user:secret@hooks.example/",
    ]
  ) {
    const { status, body } = await p.call("POST", "/api/v1/webhooks", { url, events });
    assertEquals([status, body["code"]], [422, "url_refused"], url);
  }
  for (const url of ["ftp://hooks.example/", "file:///etc/passwd", "x", `https://x/${"x".repeat(3000)}`]) {
    assertEquals((await p.call("POST", "/api/v1/webhooks", { url, events })).status, 400, url);
  }
  // A name is judged when it is called, by what it was resolved to.
  const { id } = await made(p, "/api/v1/webhooks", { url: `http://localhost:${receiver.port}/`, events });
  const hook = `/api/v1/webhooks/${id}`;
  assertEquals((await p.call("PATCH", hook, { url: "http://127.0.0.1/" })).body["code"], "url_refused");
  const test = await made(p, `${hook}/test`);
  let delivery: Json = {};
  for (let i = 0; i < 200 && !delivery["attempts"]; i++) {
    await clock.advance(100);
    delivery = (await p.call("GET", `${hook}/deliveries/${test["id"]}`)).body;
  }
  assertMatch(String(delivery["lastError"]), /is not on the internet: --webhook-allow/);
  assertEquals(receiver.got, []);
});

Deno.test("nobody has a webhook carry off what they may not read, and each sees those of the own groups", async () => {
  await using p = await testPlatform({ settings: ALLOWED });
  await using receiver = new Receiver();
  const [north, south] = [identity(1), identity(2)];
  await made(p, "/api/v1/gateways", [{ ...north, region: "north" }, { ...south, region: "south" }]);
  for (const name of ["north", "south"]) await made(p, "/api/v1/groups", { name, filter: `region==${name}` });
  const as = async (token: unknown, method: string, path: string, body?: unknown) => {
    const response = await fetch(p.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Json };
  };
  const key = async (permissions: string[], groups: string[] | null = null) =>
    (await made(p, "/api/v1/keys", { name: "k", permissions, groups }))["key"];
  const blind = await key(["webhooks:write"]);
  const confined = await key(["webhooks:write", "gateways:read"], ["north"]);
  const online = { url: receiver.url, events: ["gateway.online"] };
  const beyond = [403, "beyond_own_rights"];
  const codeOf = ({ status, body }: Awaited<ReturnType<typeof as>>) => [status, body["code"]];

  assertEquals(codeOf(await as(blind, "POST", "/api/v1/webhooks", online)), beyond);
  assertEquals(codeOf(await as(confined, "POST", "/api/v1/webhooks", online)), beyond, "all groups");
  const wide = { ...online, groups: ["north", "south"] };
  assertEquals(codeOf(await as(confined, "POST", "/api/v1/webhooks", wide)), beyond);
  const commands = { ...online, events: ["command.ended"], groups: ["north"] };
  assertEquals(codeOf(await as(confined, "POST", "/api/v1/webhooks", commands)), beyond);
  const own = await as(confined, "POST", "/api/v1/webhooks", { ...online, groups: ["north"] });
  assertEquals(own.status, 201);
  const theirs = await made(p, "/api/v1/webhooks", { ...online, groups: ["south"] });
  const everybodys = await made(p, "/api/v1/webhooks", online);

  const ids = (list: Json) => (list["items"] as Json[]).map(({ id }) => id);
  assertEquals(ids((await as(confined, "GET", "/api/v1/webhooks")).body), [own.body["id"]]);
  assertEquals(ids((await as(blind, "GET", "/api/v1/webhooks")).body), []);
  const ways = [
    ["GET", ""],
    ["PATCH", "", { url: "https://evil.example/" }],
    ["DELETE", ""],
    ["POST", "/secret", {}],
    ["POST", "/test"],
    ["GET", "/deliveries"],
    ["GET", "/deliveries/x"],
    ["POST", "/deliveries/x/redeliver"],
  ] as const;
  for (const [method, more, body] of ways) {
    for (const { id } of [theirs, everybodys]) {
      const foreign = await as(confined, method, `/api/v1/webhooks/${id}${more}`, body);
      assertEquals(codeOf(foreign), [404, "webhook_not_found"], `${method} ${more}`);
    }
    const unread = await as(blind, method, `/api/v1/webhooks/${everybodys["id"]}${more}`, body);
    assertEquals(codeOf(unread), beyond, `${method} ${more}`);
  }
  const widened = await as(confined, "PATCH", `/api/v1/webhooks/${own.body["id"]}`, { groups: null });
  assertEquals(codeOf(widened), beyond);
  // Secrets are shown where they are made, and nowhere else.
  const shown = JSON.stringify([
    (await p.call("GET", "/api/v1/webhooks")).body,
    (await p.call("GET", "/api/v1/audit")).body,
  ]);
  assert(!shown.includes("whsec_"), shown);

  // The webhook of the north hears of its own gateway.
  for (const hook of [theirs, everybodys]) await p.call("DELETE", `/api/v1/webhooks/${hook["id"]}`);
  using one = new UdpPeer(), two = new UdpPeer();
  await register(two, p.ports["access"]!, south, RND);
  await register(one, p.ports["access"]!, north, RND);
  await until("told", () => Promise.resolve(receiver.got.length > 0));
  assertEquals(receiver.got.map(({ data }) => data["mac"]), [north.mac]);
});
