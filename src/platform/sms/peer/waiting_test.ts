/**
 * What waits between gateways: for one that is away, for the message before it, for an answer or a report that never
 * comes; and when it is given up.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { CODE } from "../testing_stage.ts";
import { FWD, Gateways, PlayedGateway } from "./testing_gateways.ts";

const HOUR_MS = 3_600_000;

Deno.test("a message that comes again is answered as the first time and not sent twice, also after a restart", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { behaviour: { latencyMs: [1000, 1000] } });
  await a.peer({ code: "002001", host: "" }, false);
  const b = await PlayedGateway.connect(stage, a, "002001");
  for (let i = 0; i < 3; i++) assertEquals(await b.forward({}), 0);
  assertEquals((await a.ask("GET", "/api/v1/sms/messages")).items.length, 1);
  await a.stop();
  await a.start();
  const again = await PlayedGateway.connect(stage, a, "002001");
  assertEquals(await again.forward({}), 0);
  await stage.clock.advance(2_000);
  await stage.settle();
  assertEquals(again.reports(), [{ id: FWD.Msg_Id, stat: "DELIVRD" }]);
  assertEquals(await again.forward({}), 0);
  await stage.clock.advance(2_000);
  assertEquals([again.reports().length, (await a.ask("GET", "/api/v1/sms/messages")).items.length], [1, 1]);
});

Deno.test("what is sent while the other gateway is away waits for it, in order for each phone, over a restart", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  await a.peer({ code: "002001", host: "" }, false);
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const ids: bigint[] = [];
  for (let i = 0; i < 12; i++) {
    const { Msg_Id } = await stage.submit(sp, { Dest_terminal_Id: [`1390013900${i % 2}`] });
    ids.push(Msg_Id);
  }
  await a.stop();
  await a.start();
  const b = await PlayedGateway.connect(stage, a, "002001");
  await stage.settle();
  const fwds = b.all("FWD");
  for (const number of ["13900139000", "13900139001"]) {
    const mine = fwds.filter(({ Dest_Id }) => Dest_Id[0] === number).map(({ Msg_Id }) => Msg_Id);
    assertEquals(mine, ids.filter((_, i) => number.endsWith(String(i % 2))));
  }
  assertEquals(fwds.length, 12);
});

Deno.test("to one phone a message waits until the one before it was answered; 8 holds it back and nothing overtakes it", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  await a.peer({ code: "002001", host: "" }, false, { window: 4 });
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const b = await PlayedGateway.connect(stage, a, "002001");
  b.answers = 8;
  const one = await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  const two = await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  await stage.settle();
  assertEquals(b.all("FWD").map(({ Msg_Id }) => Msg_Id), [one.Msg_Id]);
  b.answers = 0;
  await stage.clock.advance(1_000);
  await stage.settle();
  assertEquals(b.all("FWD").map(({ Msg_Id }) => Msg_Id), [one.Msg_Id, one.Msg_Id, two.Msg_Id]);
  // Side by side to different phones, within the window.
  b.answers = undefined;
  for (let i = 0; i < 10; i++) await stage.submit(sp, { Dest_terminal_Id: [`1390013901${i}`] });
  await stage.settle();
  assertEquals(b.all("FWD").length, 3 + 4);
});

Deno.test("a FWD that is not answered is sent again after each T, N times, then ends as IA; the link lives on", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { settings: { responseMs: 2_000, activeTestMs: 600_000 } });
  await a.peer({ code: "002001", host: "" }, false);
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const b = await PlayedGateway.connect(stage, a, "002001");
  b.answers = undefined;
  await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  for (let i = 1; i <= 3; i++) {
    await stage.settle();
    assertEquals(b.all("FWD").length, i);
    await stage.clock.advance(2_000);
  }
  await stage.settle();
  const fwds = b.all("FWD");
  assertEquals(fwds.map(({ sequence }) => sequence), Array(3).fill(fwds[0]!.sequence));
  assertEquals(sp.reports().map(({ stat }) => stat), ["IA:0054"]);
  b.answers = 0;
  await stage.submit(sp, { Dest_terminal_Id: ["13900139001"] });
  assertEquals(b.all("FWD").length, 4);
});

Deno.test("a message that the other gateway has and never reports on ends as IC when its validity does", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { settings: { validityMs: 3_600_000 } });
  await a.peer({ code: "002001", host: "" }, false);
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  await PlayedGateway.connect(stage, a, "002001");
  await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  await stage.submit(sp, { Dest_terminal_Id: ["13800138000"], Registered_Delivery: 0 });
  await stage.clock.advance(3_620_000);
  await stage.settle();
  assertEquals(sp.reports().map(({ stat }) => stat), ["IC:0055"]);
});

Deno.test("T, N and C of one gateway's links come before the service's", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  const times = { responseSeconds: 1, attempts: 2, activeTestSeconds: 5 };
  await a.peer({ code: "002001", host: "" }, false, { times });
  assertEquals((await a.ask("GET", "/api/v1/sms/peers")).items[0].times, times);
  const b = await PlayedGateway.connect(stage, a, "002001");
  await stage.clock.advance(5_100);
  assertEquals(b.all("ACTIVE_TEST").length, 1);
  await stage.clock.advance(1_000);
  assertEquals([b.all("ACTIVE_TEST").length, b.connection.open], [2, true]);
  await stage.clock.advance(1_000);
  await stage.settle();
  assertEquals(b.connection.open, false);
});

Deno.test("messages to one phone that come side by side reach the centre in the order that they came in", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  await a.peer({ code: "002001", host: "" }, false, { window: 100 });
  const b = await PlayedGateway.connect(stage, a, "002001");
  for (let i = 0; i < 50; i++) b.send({ ...FWD, sequence: b.next(), Msg_Id: FWD.Msg_Id + BigInt(i) });
  await stage.settle();
  assertEquals(b.all("FWD_RESP").every(({ Result }) => Result === 0), true);
  assertEquals(b.reports().map(({ id }) => id), Array.from({ length: 50 }, (_, i) => FWD.Msg_Id + BigInt(i)));
});

Deno.test("a phone's message that no provider comes for is in the end reported as SA to where it came from", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { settings: { activeTestMs: 9 * HOUR_MS, outboxMs: 2 * HOUR_MS } });
  await a.peer({ code: "002001", host: "" }, false);
  const sp = await a.provider();
  sp.connection.close();
  const b = await PlayedGateway.connect(stage, a, "002001");
  const mo = { Msg_Fwd_Type: 1, Src_Id: "13900139000", Dest_Id: [CODE] };
  assertEquals(await b.forward(mo), 0);
  assertEquals(await b.forward({ ...mo, Msg_Id: FWD.Msg_Id + 1n, Registered_Delivery: 0 }), 0);
  await stage.clock.advance(4 * HOUR_MS);
  await stage.settle();
  assertEquals(b.reports(), [{ id: FWD.Msg_Id, stat: "SA:0055" }]);
  assertEquals((await a.ask("GET", "/api/v1/sms/queues")).items, []);
});

Deno.test("what no gateway comes for is given up in the end: phones' messages with a report to whom they came from", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { settings: { activeTestMs: 9 * HOUR_MS, outboxMs: 2 * HOUR_MS } });
  for (const code of ["002001", "003001"]) await a.peer({ code, host: "" }, false);
  await a.route("mo", CODE, "003001");
  const b = await PlayedGateway.connect(stage, a, "002001");
  assertEquals(await b.forward({ Msg_Fwd_Type: 1, Src_Id: "13900139000", Dest_Id: [CODE] }), 0);
  a.simulator.injectMo("13800138000", CODE, "from here");
  await stage.settle();
  assertEquals((await a.ask("GET", "/api/v1/sms/peers/queues")).items, [{
    peer: "003001",
    state: "queued",
    count: 2,
  }]);
  await stage.clock.advance(4 * HOUR_MS);
  await stage.settle();
  assertEquals(b.reports(), [{ id: FWD.Msg_Id, stat: "IA:0051" }]);
  assertEquals((await a.ask("GET", "/api/v1/sms/peers/queues")).items, []);
});

Deno.test("reports wait on disk for a gateway that is away, over a restart, and reach it once it is back", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { behaviour: { latencyMs: [5_000, 5_000] } });
  await a.peer({ code: "002001", host: "" }, false);
  const b = await PlayedGateway.connect(stage, a, "002001");
  for (let i = 0; i < 30; i++) assertEquals(await b.forward({ Msg_Id: FWD.Msg_Id + BigInt(i) }), 0);
  b.connection.close();
  await stage.clock.advance(10_000);
  await stage.settle();
  assertEquals((await a.ask("GET", "/api/v1/sms/peers/queues")).items[0].count, 30);
  await a.stop();
  await a.start();
  const again = await PlayedGateway.connect(stage, a, "002001");
  await stage.settle();
  assertEquals(
    again.reports().map(({ id }) => id),
    Array.from({ length: 30 }, (_, i) => FWD.Msg_Id + BigInt(i)),
  );
  assertEquals((await a.ask("GET", "/api/v1/sms/peers/queues")).items, []);
});

Deno.test("a report that the other gateway refuses for the moment comes again, one that it does not know is let go", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  await a.peer({ code: "002001", host: "" }, false);
  const b = await PlayedGateway.connect(stage, a, "002001");
  b.answers = 8;
  await b.forward({});
  for (let i = 0; i < 5; i++) {
    await stage.clock.advance(1_000);
    await stage.settle(2);
  }
  const times = b.reports().length;
  assert(times >= 5, String(times));
  b.answers = 9;
  await stage.clock.advance(1_000);
  await stage.settle();
  assertEquals((await a.ask("GET", "/api/v1/sms/peers/queues")).items, []);
  assertEquals(b.reports().length, times + 1);
});
