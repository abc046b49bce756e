import { assert, assertEquals } from "@std/assert";
import { seededRandom, silentLog } from "../../base/mod.ts";
import { Api, type AuditedCall, tokenAuthenticator } from "../../control/mod.ts";
import { Result, splitMessage } from "../../protocol/cmpp/mod.ts";
import { SP, Stage } from "./testing_stage.ts";

type Items = Record<string, unknown>[];
const items = async (stage: Stage, path: string) => (await stage.call("GET", path)).body.items as Items;

Deno.test("a provider is changed in what is given; its connections go by it at once, or prove themselves again", async () => {
  await using stage = await Stage.open({ account: { serviceIds: ["TEST"], window: 4 } });
  const provider = await stage.connect();
  const path = `/api/v1/sms/accounts/${SP}`;
  const changed = await stage.call("PATCH", path, { serviceIds: ["NEWS"], ratePerSecond: 7 });
  assertEquals([changed.status, changed.body.serviceIds, changed.body.ratePerSecond, changed.body.window], [
    200,
    ["NEWS"],
    7,
    4,
  ]);
  assertEquals((await stage.submit(provider, { Service_Id: "TEST" })).Result, Result.serviceCode);
  assertEquals((await stage.submit(provider, { Service_Id: "NEWS" })).Result, Result.ok);
  assertEquals(provider.all("TERMINATE").length, 0);
  await stage.call("PATCH", path, { secret: "another-secret" });
  await stage.settle();
  assertEquals(provider.all("TERMINATE").length, 1);
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 3);
  assertEquals((await stage.connect({ secret: "another-secret" })).last("CONNECT_RESP").Status, 0);
  assertEquals((await stage.call("GET", path)).body.ratePerSecond, 7);
  assertEquals((await stage.call("PATCH", "/api/v1/sms/accounts/none", {})).status, 404);
  assertEquals((await stage.call("PATCH", path, { spId: "900002" })).status, 400);
});

Deno.test("an operator ends one connection, and the provider may come again", async () => {
  await using stage = await Stage.open();
  const [one, two] = [await stage.connect(), await stage.connect()];
  const [first] = await items(stage, "/api/v1/sms/connections");
  assertEquals((await stage.call("DELETE", `/api/v1/sms/connections/${first!.id}`)).status, 204);
  await stage.settle();
  assertEquals([one.all("TERMINATE").length, two.all("TERMINATE").length], [1, 0]);
  await stage.clock.advance(5_000);
  assertEquals((await items(stage, "/api/v1/sms/connections")).length, 1);
  assertEquals((await stage.call("DELETE", `/api/v1/sms/connections/${first!.id}`)).status, 404);
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 0);
});

Deno.test("traffic is counted by day, provider and service, and the state of the service shows", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  await stage.submit(provider, { Service_Id: "A" });
  await stage.submit(provider, { Service_Id: "B", Dest_terminal_Id: ["13800138000", "13800138001"] });
  await stage.submit(provider, { Service_Id: "B", Msg_src: "nobody" });
  await stage.settle();
  const day = "20261122";
  const [all] = await items(stage, `/api/v1/sms/traffic?from=${day}`);
  assertEquals([all!.spId, all!.serviceId, all!.mtMessages, all!.mtUsers, all!.mtSent], [SP, null, 2, 3, 3]);
  const services = await items(stage, `/api/v1/sms/traffic?from=${day}&by=service`);
  assertEquals(services.map(({ serviceId, mtUsers }) => [serviceId, mtUsers]), [["A", 1], ["B", 2]]);
  assertEquals(await items(stage, "/api/v1/sms/traffic?from=20261121&to=20261121"), []);
  const { body } = await stage.call("GET", "/api/v1/sms/status");
  assertEquals([body.connections, body.backlog, body.results], [1, 0, { 0: 2, 11: 1 }]);
  const [outlet] = await items(stage, "/api/v1/sms/outlets");
  assertEquals([outlet!.name, outlet!.connected, outlet!.lastError], ["simulator", true, null]);
});

Deno.test("alarms are raised and cleared: old messages, providers that are away, and many answers of 8", async () => {
  await using stage = await Stage.open({
    behaviour: { busy: true },
    account: { ratePerSecond: 1 },
    settings: {
      alarms: {
        outletDownMs: 30_000,
        queueAgeMs: 60_000,
        awayItems: 2,
        awayMs: 600_000,
        flowControlShare: 0.1,
        flowControlLeast: 10,
        idsAheadS: 60,
      },
    },
  });
  const events: string[] = [];
  stage.sms.alarms.listen(({ type, alarm: { kind, subject } }) => events.push(`${type} ${kind} ${subject}`));
  const provider = await stage.connect();
  for (let i = 0; i < 120; i++) await stage.submit(provider);
  await stage.clock.advance(70_000);
  assertEquals(events, ["raised flow_control ", "cleared flow_control ", "raised queue_age "]);
  const raised = await items(stage, "/api/v1/sms/alarms?state=raised");
  assertEquals(raised.map(({ kind, clearedAt }) => [kind, clearedAt]), [["queue_age", null]]);
  provider.connection.close();
  stage.simulator.behaviour.busy = false;
  await stage.clock.advance(30_000);
  assertEquals(events.slice(3), ["cleared queue_age ", `raised provider_away ${SP}`]);
  assert(stage.metrics.render().includes('gatehouse_sms_alarms{kind="provider_away"} 1'));
  await stage.connect();
  await stage.clock.advance(10_000);
  assertEquals(events.at(-1), `cleared provider_away ${SP}`);
  assertEquals((await items(stage, "/api/v1/sms/alarms")).length, 3);
});

Deno.test("what messages say is read and searched with the right to it only, and the audit hears of it without the words", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const say = async (text: string, fmt: number) => {
    for (const part of splitMessage(text, fmt, { reference: 1 })) {
      await stage.submit(provider, { ...part, Msg_Fmt: fmt });
    }
  };
  await say("Your code is 4711", 0);
  await say("您的验证码是4712", 8);
  await say("您的订单已发货", 15);
  const heard: AuditedCall[] = [];
  const api = new Api(
    { clock: stage.clock, log: silentLog, metrics: stage.metrics, random: seededRandom(1) },
    {
      title: "Test",
      version: "1",
      authenticators: ["sms:read", "sms:content"].map((permission) =>
        tokenAuthenticator(`may-${permission}`, {
          kind: "operator",
          id: permission,
          name: permission,
          permissions: [permission],
        })
      ),
      audit: (call) => {
        heard.push(call);
        return Promise.resolve();
      },
      checkReplies: true,
    },
  );
  api.mount("", stage.sms.routes);
  const call = async (method: string, path: string, permission: string, body?: unknown) => {
    const response = await api.request(path, {
      method,
      headers: { authorization: `Bearer may-${permission}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const search = (text: string, more: object = {}) =>
    call("POST", "/api/v1/sms/messages/search", "sms:content", { text, ...more });
  const texts = ({ body }: { body: { items: { text: string }[] } }) => body.items.map(({ text }) => text);
  assertEquals(texts(await search("CODE IS")), ["Your code is 4711"]);
  assertEquals(texts(await search("验证码")), ["您的验证码是4712"]);
  assertEquals(texts(await search("订单")), ["您的订单已发货"]);
  assertEquals(texts(await search("471")), ["您的验证码是4712", "Your code is 4711"]);
  const first = await search("471", { limit: 1 });
  assertEquals(texts(await search("471", { limit: 1, cursor: first.body.nextCursor })), [
    "Your code is 4711",
  ]);
  assertEquals(texts(await search("471", { destination: "1" })), []);
  const path = `/api/v1/sms/messages/${first.body.items[0].msgId}`;
  assertEquals((await call("GET", path, "sms:content")).body.text, "您的验证码是4712");
  assertEquals((await call("GET", "/api/v1/sms/messages/0000000000000000", "sms:content")).status, 404);
  // Neither a reader of lists nor the administrator without the right.
  assertEquals((await call("GET", path, "sms:read")).status, 403);
  assertEquals((await call("POST", "/api/v1/sms/messages/search", "sms:read", { text: "4" })).status, 403);
  assertEquals((await stage.call("GET", path)).status, 403);
  const list = await call("GET", "/api/v1/sms/messages", "sms:read");
  assertEquals([list.body.items.length, JSON.stringify(list.body).includes("4711")], [3, false]);
  assertEquals(new Set(heard.map(({ route }) => route)).size, 2);
  assert(!/验证码|CODE|订单|471/.test(JSON.stringify(heard, (_, value) => value)));
});
