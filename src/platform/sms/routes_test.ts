import { assertEquals } from "@std/assert";
import { CODE, SECRET, SP, Stage } from "./testing_stage.ts";

Deno.test("a provider is created, changed, listed without its secret, and removed with its connections", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const changed = await stage.account({ window: 32, version: "2.1", serviceIds: ["A"] });
  assertEquals([changed.status, changed.body.window, changed.body.version, changed.body.connections], [
    200,
    32,
    "2.1",
    1,
  ]);
  const list = await stage.call("GET", "/api/v1/sms/accounts");
  assertEquals((list.body.items as { spId: string }[]).map((a) => a.spId), [SP]);
  assertEquals(JSON.stringify(list.body).includes(SECRET), false);
  assertEquals((await stage.call("DELETE", `/api/v1/sms/accounts/${SP}`)).status, 204);
  await stage.settle();
  assertEquals(provider.last("TERMINATE").command, "TERMINATE");
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 2);
  assertEquals((await stage.call("DELETE", `/api/v1/sms/accounts/${SP}`)).status, 404);
});

Deno.test("accounts survive a restart, and two can't have the same SP_Code", async () => {
  await using stage = await Stage.open();
  assertEquals((await stage.account({ spId: "900002" })).status, 409);
  await stage.stop();
  await stage.start();
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 0);
});

Deno.test("what is wrong with an account is told", async () => {
  await using stage = await Stage.open();
  for (
    const wrong of [
      { spId: "1234567" },
      { secret: "密码密码密码" },
      { spCode: "abc" },
      { version: "4.0" },
      { window: 0 },
      { serviceIds: ["elevenchars"] },
      { addresses: ["not an address"] },
      { unknown: 1 },
    ]
  ) {
    assertEquals((await stage.account(wrong)).status, 400, JSON.stringify(wrong));
  }
});

Deno.test("connections and messages are listed as they are", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect({ version: 0x21 });
  const Dest_terminal_Id = ["13800138000", "13800138001", "13800138002"];
  await stage.submit(provider, { Dest_terminal_Id, Registered_Delivery: 0 });
  await stage.settle();
  const [connection] = (await stage.call("GET", "/api/v1/sms/connections")).body.items as Record<
    string,
    unknown
  >[];
  assertEquals([connection!.spId, connection!.version, connection!.kind, connection!.submitted], [
    SP,
    "2.1",
    "long",
    3,
  ]);
  const first = (await stage.call("GET", "/api/v1/sms/messages?limit=2&state=delivered")).body;
  const rest = (await stage.call("GET", `/api/v1/sms/messages?limit=2&cursor=${first.next}`)).body;
  const destinations = [first, rest].flatMap((page) => page.items as { destination: string }[]).map((m) =>
    m.destination
  );
  assertEquals([destinations.sort(), rest.next], [Dest_terminal_Id, undefined]);
  assertEquals((await stage.call("GET", "/api/v1/sms/messages?spId=nobody")).body, { items: [] });
});

Deno.test("messages are forgotten some time after they ended", async () => {
  await using stage = await Stage.open({ settings: { retentionMs: 7_200_000, activeTestMs: 1e9 } });
  const provider = await stage.connect();
  await stage.submit(provider);
  await stage.settle();
  const count = async () =>
    ((await stage.call("GET", "/api/v1/sms/messages")).body.items as unknown[]).length;
  await stage.clock.advance(3_600_000);
  assertEquals(await count(), 1);
  await stage.clock.advance(7_200_000);
  await stage.settle();
  assertEquals(await count(), 0);
});

Deno.test("a phone can't be simulated for a number of 22 digits or a body too long", async () => {
  await using stage = await Stage.open();
  const mo = (body: object) =>
    stage.call("POST", "/api/v1/sms/simulator/mo", { from: "1", to: CODE, text: "x", ...body });
  assertEquals((await mo({ to: "1".repeat(22) })).status, 400);
  assertEquals((await mo({ text: "x".repeat(10_001) })).status, 400);
});

Deno.test("what no provider comes for is given up after its time, and counted as failed", async () => {
  await using stage = await Stage.open({ settings: { outboxMs: 5_400_000, activeTestMs: 1e9 } });
  for (let i = 0; i < 3; i++) {
    await stage.call("POST", "/api/v1/sms/simulator/mo", { from: "13800138000", to: CODE, text: String(i) });
  }
  await stage.settle();
  const waiting = async () =>
    ((await stage.call("GET", "/api/v1/sms/queues")).body.items as { count: number }[])[0]?.count ?? 0;
  await stage.clock.advance(3_600_000);
  assertEquals(await waiting(), 3);
  await stage.clock.advance(3_600_000);
  await stage.settle();
  assertEquals(await waiting(), 0);
  const provider = await stage.connect();
  provider.send({
    command: "QUERY",
    sequence: 1,
    Time: "20261122",
    Query_Type: 0,
    Query_Code: "",
    Reserve: "",
  });
  await stage.settle();
  const { MO_Scs, MO_WT, MO_FL } = provider.last("QUERY_RESP");
  assertEquals([provider.all("DELIVER").length, MO_Scs, MO_WT, MO_FL], [0, 0, 0, 3]);
});
