import { assert, assertEquals } from "@std/assert";
import {
  encodeMessage,
  formatSmppTime,
  msgIdHex,
  msgIdInGroup,
  parseMsgId,
  type Submit,
} from "../../protocol/cmpp/mod.ts";
import { CODE, Stage, SUBMIT } from "./testing_stage.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a message is answered with its Msg_Id and ends in exactly one report", async () => {
  await using stage = await Stage.open();
  for (const version of [0x30, 0x20]) {
    const provider = await stage.connect({ version });
    const answer = await stage.submit(provider);
    assertEquals(answer.Result, 0);
    const { month, day, hour, minute, second, gateway } = parseMsgId(answer.Msg_Id);
    assertEquals([month, day, hour, minute, second, gateway], [11, 22, 11, 50, 11, 1001]);
    await stage.settle();
    assertEquals(provider.reports(), [{ id: answer.Msg_Id, stat: "DELIVRD" }]);
    const report = provider.last("DELIVER");
    assertEquals([report.Msg_Content.length, report.Dest_Id, report.Src_terminal_Id, report.Service_Id], [
      version === 0x30 ? 71 : 60,
      CODE,
      "13800138000",
      "TEST",
    ]);
    provider.connection.close();
    await stage.settle();
  }
});

Deno.test("every Result comes from its own cause", async () => {
  await using stage = await Stage.open({
    settings: { billing: ["138", "1390013"] },
    account: { serviceIds: ["TEST", "OTHER"] },
  });
  const provider = await stage.connect();
  const now = stage.clock.now();
  const causes: [Partial<Submit>, number][] = [
    [{}, 0],
    [{ Registered_Delivery: 2 }, 1],
    [{ Pk_total: 2, Pk_number: 3 }, 1],
    [{ At_Time: "tomorrow" }, 1],
    [{ At_Time: formatSmppTime(now + 91 * 86_400_000, 480) }, 1],
    [{ At_Time: "990000000000000R" }, 1],
    [{ At_Time: formatSmppTime(now + 89 * 86_400_000, 480) }, 0],
    [{ TP_udhi: 1, Msg_Content: Uint8Array.of(5, 0, 3) }, 1],
    [{ FeeCode: "1.50" }, 5],
    [{ Msg_Content: new Uint8Array(160) }, 6],
    [{ Msg_Fmt: 8, Msg_Content: new Uint8Array(141) }, 6],
    [{ Service_Id: "NOBODYS" }, 7],
    [{ Fee_UserType: 3, Fee_terminal_Id: "13300133000" }, 9],
    [{ Fee_UserType: 3, Fee_terminal_Id: "8613900133000" }, 0],
    [{ Fee_UserType: 3, Fee_terminal_Id: "a-pseudo-code", Fee_terminal_type: 1 }, 0],
    [{ Fee_UserType: 2, Fee_terminal_Id: "13300133000" }, 0],
    [{ Src_Id: "1065999" }, 10],
    [{ Src_Id: `${CODE}x` }, 10],
    [{ Src_Id: `${CODE}123` }, 0],
    [{ Msg_src: "900002" }, 11],
    [{ Fee_UserType: 3, Fee_terminal_Id: "nobody" }, 12],
    [{ Fee_UserType: 3, Fee_terminal_Id: "13800138000" }, 0],
    [{ Dest_terminal_Id: ["13800138000", "not a number"] }, 13],
    [{ Dest_terminal_Id: ["+8613800138000", "8613800138001"] }, 0],
    [{ Dest_terminal_Id: ["pseudo-code"], Dest_terminal_type: 1 }, 0],
    [{ FeeType: "09" }, 63],
    [{ ValId_Time: formatSmppTime(now - 60_000, 480) }, 61],
    [{ At_Time: formatSmppTime(now + 7_200_000, 480), ValId_Time: formatSmppTime(now + 3_600_000, 480) }, 61],
  ];
  for (const [changes, result] of causes) {
    const answer = await stage.submit(provider, changes);
    assertEquals(
      [answer.Result, answer.Msg_Id !== 0n],
      [result, result === 0],
      JSON.stringify(Object.keys(changes)),
    );
  }
});

Deno.test("a SUBMIT that is no whole one is answered 4 or 1 and the connection lives on", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const pdu = encodeMessage({ ...SUBMIT, sequence: 7 }, 3);
  const short = pdu.slice(0, pdu.length - 1);
  new DataView(short.buffer).setUint32(0, short.length);
  provider.connection.send(short);
  const none = pdu.slice();
  none[12 + 128] = 0;
  provider.connection.send(none);
  await stage.settle();
  assertEquals(provider.all("SUBMIT_RESP").map((r) => [r.sequence, r.Result]), [[7, 4], [7, 1]]);
  assertEquals((await stage.submit(provider)).Result, 0);
});

Deno.test("a group has one Msg_Id, its messages the ones that follow, each with a report of its own", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const Dest_terminal_Id = Array.from({ length: 99 }, (_, i) => `138001380${String(i).padStart(2, "0")}`);
  const answer = await stage.submit(provider, { Dest_terminal_Id });
  await stage.settle();
  await stage.settle();
  assertEquals(
    provider.reports().map((r) => msgIdHex(r.id)).sort(),
    Dest_terminal_Id.map((_, i) => msgIdHex(msgIdInGroup(answer.Msg_Id, i))).sort(),
  );
  const next = await stage.submit(provider);
  assertEquals(parseMsgId(next.Msg_Id).sequence, parseMsgId(answer.Msg_Id).sequence + 99);
});

Deno.test("a group with one wrong number sends nothing at all; 2.0 has no groups with reports", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  assertEquals((await stage.submit(provider, { Dest_terminal_Id: ["13800138000", "x"] })).Result, 13);
  assertEquals(((await stage.call("GET", "/api/v1/sms/messages")).body.items as unknown[]).length, 0);
  const old = await stage.connect({ version: 0x20 });
  assertEquals((await stage.submit(old, { Dest_terminal_Id: ["13800138000", "13800138001"] })).Result, 1);
  assertEquals(
    (await stage.submit(old, { Dest_terminal_Id: ["13800138000", "13800138001"], Registered_Delivery: 0 }))
      .Result,
    0,
  );
});

Deno.test("a SUBMIT that comes again while it is in work is answered once, and kept once", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  for (let i = 0; i < 3; i++) provider.send({ ...SUBMIT, sequence: 7 });
  await stage.settle();
  assertEquals(provider.all("SUBMIT_RESP").map((r) => [r.sequence, r.Result]), [[7, 0]]);
  assertEquals(((await stage.call("GET", "/api/v1/sms/messages")).body.items as unknown[]).length, 1);
});

Deno.test("flow control answers 8: above the rate, the window and the backlog, and 3 to a sequence in work", async () => {
  await using stage = await Stage.open({
    account: { ratePerSecond: 100, window: 4 },
    settings: { maxBacklog: 230 },
  });
  const provider = await stage.connect();
  // Sent in one go: the first four are in work when the others come.
  for (let i = 0; i < 6; i++) provider.send({ ...SUBMIT, sequence: 1000 + i });
  await stage.settle();
  assertEquals(provider.all("SUBMIT_RESP").map((r) => r.Result).sort(), [0, 0, 0, 0, 8, 8]);
  provider.got.length = 0;
  provider.send({ ...SUBMIT, sequence: 2000 });
  provider.send({ ...SUBMIT, sequence: 2000, Msg_Content: new TextEncoder().encode("hallo") });
  provider.send({ ...SUBMIT, sequence: 2000, Pk_total: 2, Pk_number: 2 });
  await stage.settle();
  assertEquals(provider.all("SUBMIT_RESP").map((r) => r.Result), [3, 0, 0]);
  // 100 a second: a group of 99 does not fit behind the others, a second later it does.
  const Dest_terminal_Id = Array(99).fill("13800138000");
  assertEquals((await stage.submit(provider, { Dest_terminal_Id })).Result, 8);
  await stage.clock.advance(1000);
  stage.simulator.behaviour.busy = true;
  assertEquals((await stage.submit(provider, { Dest_terminal_Id })).Result, 0);
  await stage.clock.advance(1000);
  assertEquals((await stage.submit(provider, { Dest_terminal_Id })).Result, 8); // 115 of its own may wait
  stage.simulator.behaviour.busy = false;
  await stage.clock.advance(2000);
  assertEquals((await stage.submit(provider, { Dest_terminal_Id })).Result, 0);
});

Deno.test("a scheduled message waits for its time; one whose validity ends is reported EXPIRED", async () => {
  await using stage = await Stage.open({ behaviour: { outcomes: {} } });
  const provider = await stage.connect();
  const later = await stage.submit(provider, { At_Time: formatSmppTime(stage.clock.now() + 3_600_000, 480) });
  await stage.clock.advance(3_598_000);
  assertEquals(provider.reports(), []);
  await stage.clock.advance(3_000);
  await stage.settle();
  assertEquals(provider.reports(), [{ id: later.Msg_Id, stat: "DELIVRD" }]);
  stage.simulator.behaviour.silent = 1;
  const lost = await stage.submit(provider, { ValId_Time: "000000000500000R" });
  await stage.clock.advance(299_000);
  assertEquals(provider.reports().length, 1);
  await stage.clock.advance(12_000);
  await stage.settle();
  assertEquals(provider.reports().at(-1), { id: lost.Msg_Id, stat: "EXPIRED" });
});

Deno.test("CANCEL takes a waiting message back with a DELETED report, and nothing that is sent or another's", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const At_Time = formatSmppTime(stage.clock.now() + 3_600_000, 480);
  const later = await stage.submit(provider, { At_Time });
  await stage.call("POST", "/api/v1/sms/accounts", { spId: "900002", secret: "888888", spCode: "10659999" });
  const other = await stage.connect({ spId: "900002" });
  const cancel = async (from: typeof provider, Msg_Id: bigint) => {
    from.send({ command: "CANCEL", sequence: from.next(), Msg_Id });
    await stage.settle();
    return from.last("CANCEL_RESP").Success_Id;
  };
  assertEquals(await cancel(other, later.Msg_Id), 1);
  assertEquals(await cancel(provider, later.Msg_Id), 0);
  assertEquals(await cancel(provider, later.Msg_Id), 1);
  assertEquals(provider.reports(), [{ id: later.Msg_Id, stat: "DELETED" }]);
  const sent = await stage.submit(provider);
  assertEquals(await cancel(provider, sent.Msg_Id), 1);
  assertEquals(await cancel(provider, 12345n), 1);
  await stage.clock.advance(3_700_000);
  assertEquals(provider.reports().length, 2);
});

Deno.test("each Stat of the centre reaches the report; ACCEPTD is not final and does not", async () => {
  for (const stat of ["EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD", "MA:0001", "MK:0011"]) {
    await using stage = await Stage.open({ behaviour: { outcomes: { [stat]: 1 } } });
    const provider = await stage.connect();
    await stage.submit(provider);
    await stage.settle();
    assertEquals(provider.reports().map((r) => r.stat), [stat]);
  }
  await using stage = await Stage.open({ behaviour: { outcomes: { ACCEPTD: 1 } } });
  const provider = await stage.connect();
  await stage.submit(provider);
  await stage.settle();
  assertEquals(provider.reports().map((r) => r.stat), ["DELIVRD"]);
  stage.simulator.behaviour.refused = { share: 1, stat: "MB:0088" };
  await stage.submit(provider);
  await stage.settle();
  assertEquals(provider.reports().at(-1)!.stat, "MB:0088");
});

Deno.test("QUERY counts a provider's day, in all and by service", async () => {
  await using stage = await Stage.open({ behaviour: { outcomes: {} } });
  const provider = await stage.connect();
  await stage.submit(provider, { Dest_terminal_Id: ["13800138000", "13800138001"] });
  await stage.settle();
  stage.simulator.behaviour.outcomes = { UNDELIV: 1 };
  await stage.submit(provider, { Service_Id: "OTHER" });
  await stage.settle();
  stage.simulator.behaviour.silent = 1;
  await stage.submit(provider);
  await stage.call("POST", "/api/v1/sms/simulator/mo", { from: "13800138000", to: CODE, text: "hi" });
  await stage.settle();
  const query = async (Query_Type: number, Query_Code: string, Time = "20261122") => {
    provider.send({ command: "QUERY", sequence: provider.next(), Time, Query_Type, Query_Code, Reserve: "" });
    await stage.settle();
    const { MT_TLMsg, MT_Tlusr, MT_Scs, MT_WT, MT_FL, MO_Scs, MO_WT, MO_FL } = provider.last("QUERY_RESP");
    return [MT_TLMsg, MT_Tlusr, MT_Scs, MT_WT, MT_FL, MO_Scs, MO_WT, MO_FL];
  };
  assertEquals(await query(0, ""), [3, 4, 2, 1, 1, 1, 0, 0]);
  assertEquals(await query(1, "OTHER"), [1, 1, 0, 0, 1, 0, 0, 0]);
  assertEquals(await query(0, "", "20261121"), [0, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("messages to one number reach the centre in their order, also when it is busy in between", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const order: string[] = [];
  const submit = stage.simulator.submit.bind(stage.simulator);
  stage.simulator.submit = (message) => {
    const answer = submit(message);
    if (answer.kind === "accepted") order.push(String.fromCharCode(...message.submit.Msg_Content));
    return answer;
  };
  for (let i = 0; i < 10; i++) {
    stage.simulator.behaviour.busy = i % 3 === 1;
    await stage.submit(provider, { Msg_Content: bytes(String(i)) });
  }
  stage.simulator.behaviour.busy = false;
  await stage.clock.advance(3000);
  assertEquals(order, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

Deno.test("contents and secrets are not readable in the database, and no list shows them", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  await stage.submit(provider, { Msg_Content: bytes("the-very-secret-content") });
  const rows = JSON.stringify([
    await stage.db.sql.selectFrom("sms_message").selectAll().execute(),
    await stage.db.sql.selectFrom("sms_account").selectAll().execute(),
  ], (_, value) => value instanceof Uint8Array ? String.fromCharCode(...value) : value);
  assert(!rows.includes("the-very-secret") && !rows.includes("888888,"));
  const list = JSON.stringify((await stage.call("GET", "/api/v1/sms/messages")).body);
  assert(list.includes("13800138000") && !list.includes("the-very-secret"));
});

Deno.test("without durability messages leave no row, but their reports and counters are as always", async () => {
  await using stage = await Stage.open({ settings: { durable: false } });
  const provider = await stage.connect();
  const answer = await stage.submit(provider);
  await stage.submit(provider, { Registered_Delivery: 0 });
  await stage.settle();
  assertEquals(provider.reports(), [{ id: answer.Msg_Id, stat: "DELIVRD" }]);
  assertEquals((await stage.call("GET", "/api/v1/sms/messages")).body, { items: [] });
  provider.send({
    command: "QUERY",
    sequence: 1,
    Time: "20261122",
    Query_Type: 0,
    Query_Code: "",
    Reserve: "",
  });
  await stage.settle();
  const { MT_TLMsg, MT_Scs, MT_WT } = provider.last("QUERY_RESP");
  assertEquals([MT_TLMsg, MT_Scs, MT_WT], [2, 2, 0]);
  // What is for later is kept all the same.
  await stage.submit(provider, { At_Time: formatSmppTime(stage.clock.now() + 60_000, 480) });
  assertEquals(((await stage.call("GET", "/api/v1/sms/messages")).body.items as unknown[]).length, 1);
});
