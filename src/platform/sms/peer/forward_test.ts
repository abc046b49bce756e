/**
 * Messages, phones' messages and reports between gateways, in both versions, and who they let in.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  decodeReport,
  decodeText,
  type Dialect,
  type Message,
  parseMsgId,
} from "../../../protocol/cmpp/mod.ts";
import { CODE } from "../testing_stage.ts";
import { FWD, Gateways, letIn, PlayedGateway, playServer } from "./testing_gateways.ts";

Deno.test("a message to a phone of another gateway is delivered there, and its report comes back under its Msg_Id", async () => {
  await using stage = new Gateways();
  const [a, b] = await stage.mesh(["001001", "002001"]);
  await a!.route("mt", "139", "002001");
  const sp = await a!.provider();
  b!.simulator.behaviour.latencyMs = [5, 5];
  const { Msg_Id, Result } = await stage.submit(sp, { Dest_terminal_Id: ["8613900139000"] });
  assertEquals(Result, 0);
  await stage.clock.advance(10);
  await stage.settle();
  assertEquals(sp.reports(), [{ id: Msg_Id, stat: "DELIVRD" }]);
  assertEquals(parseMsgId(Msg_Id).gateway, 1001);
  const report = decodeReport(sp.all("DELIVER")[0]!.Msg_Content);
  assertEquals([report.Dest_terminal_Id, sp.all("DELIVER")[0]!.Dest_Id], ["8613900139000", CODE]);
  // There it has a name of its own, and belongs to the gateway that sent it.
  const there = (await b!.ask("GET", "/api/v1/sms/messages")).items;
  assertEquals(there.map((m: { spId: string; state: string }) => [m.spId, m.state]), [[
    "@001001",
    "delivered",
  ]]);
  assert(there[0].msgId !== Msg_Id.toString(16));
  assertEquals((await a!.ask("GET", "/api/v1/sms/messages?state=delivered")).items.length, 1);
  for (const node of [a, b]) assertEquals((await node!.ask("GET", "/api/v1/sms/peers/queues")).items, []);
});

Deno.test("a message that wants no report ends where it was forwarded, and none comes", async () => {
  await using stage = new Gateways();
  const [a, b] = await stage.mesh(["001001", "002001"]);
  await a!.route("mt", "139", "002001");
  const sp = await a!.provider();
  await stage.submit(sp, { Dest_terminal_Id: ["13900139000"], Registered_Delivery: 0 });
  await stage.settle();
  assertEquals(sp.reports(), []);
  for (const node of [a, b]) {
    assertEquals((await node!.ask("GET", "/api/v1/sms/messages?state=delivered")).items.length, 1);
  }
});

Deno.test("each Stat of the other gateway's centre reaches the provider, and each Result of its own as IB", async () => {
  await using stage = new Gateways();
  const [a, b] = await stage.mesh(["001001", "002001"]);
  await a!.route("mt", "139", "002001");
  await a!.route("mt", "137", "002001");
  await b!.route("mt", "137", "none");
  const sp = await a!.provider();
  const to = (number: string) => stage.submit(sp, { Dest_terminal_Id: [number] });
  for (const stat of ["UNDELIV", "MB:0011", "REJECTD"]) {
    b!.simulator.behaviour.outcomes = { [stat]: 1 };
    await to("13900139000");
    await stage.settle();
    assertEquals(sp.reports().at(-1)!.stat, stat);
  }
  // The other gateway says that it does not serve this phone.
  await to("13700137000");
  await stage.settle();
  assertEquals(sp.reports().at(-1)!.stat, "IB:0009");
  assertEquals(sp.reports().length, 4);
});

Deno.test("a phone's message reaches its provider at another gateway, and how it was taken comes back", async () => {
  await using stage = new Gateways();
  const [a, b] = await stage.mesh(["001001", "002001"]);
  const sp = await a!.provider();
  await b!.route("mo", CODE, "001001");
  b!.simulator.injectMo("13900139000", `${CODE}7`, "to afar");
  await stage.settle();
  const [deliver] = sp.all("DELIVER");
  assertEquals([
    deliver!.Src_terminal_Id,
    deliver!.Dest_Id,
    decodeText(deliver!.Msg_Content, deliver!.Msg_Fmt),
  ], [
    "13900139000",
    `${CODE}7`,
    "to afar",
  ]);
  // Its Msg_Id is of the gateway that the phone wrote at.
  assertEquals(parseMsgId(deliver!.Msg_Id).gateway, 2001);
  await stage.settle();
  for (const node of [a, b]) assertEquals((await node!.ask("GET", "/api/v1/sms/peers/queues")).items, []);
  assertEquals((await a!.ask("GET", "/api/v1/sms/queues")).items, []);
});

Deno.test("the report on a phone's message says SB and the provider's Result where it refuses for good", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  await a.peer({ code: "002001", host: "" }, false);
  const sp = await a.provider();
  const b = await PlayedGateway.connect(stage, a, "002001");
  sp.answers = 7;
  assertEquals(await b.forward({ Msg_Fwd_Type: 1, Src_Id: "13900139000", Dest_Id: [CODE] }), 0);
  for (let i = 0; i < 3; i++) {
    await stage.clock.advance(60_000);
    await stage.settle();
  }
  assertEquals(b.reports(), [{ id: FWD.Msg_Id, stat: "SB:0007" }]);
  const [report] = b.all("FWD");
  // 60 octets, from the provider's number to the phone, back to where the message came from.
  assertEquals([report!.Msg_Fwd_Type, report!.Msg_Content.length], [3, 60]);
  assertEquals([report!.Src_Id, report!.Dest_Id, report!.Destination_Id], [CODE, ["13900139000"], "002001"]);
});

Deno.test("over a gateway between two, message and report pass it and the Msg_Id stays", async () => {
  await using stage = new Gateways();
  const [a, b, c] = await stage.mesh(["001001", "002001", "003001"]);
  await a!.route("mt", "136", "002001");
  await b!.route("mt", "136", "003001");
  await c!.route("mo", CODE, "002001");
  await b!.route("mo", CODE, "001001");
  const sp = await a!.provider();
  const { Msg_Id } = await stage.submit(sp, { Dest_terminal_Id: ["13600136000"] });
  await stage.settle(10);
  assertEquals(sp.reports(), [{ id: Msg_Id, stat: "DELIVRD" }]);
  c!.simulator.injectMo("13600136000", CODE, "back");
  await stage.settle(12);
  const mo = sp.all("DELIVER").filter((d) => d.Registered_Delivery === 0);
  assertEquals(mo.map((d) => [d.Src_terminal_Id, parseMsgId(d.Msg_Id).gateway]), [["13600136000", 3001]]);
  for (const node of [a, b, c]) assertEquals((await node!.ask("GET", "/api/v1/sms/peers/queues")).items, []);
});

Deno.test("a message that goes in a circle of two or three gateways ends in one report", async () => {
  await using stage = new Gateways();
  const [a, b, c] = await stage.mesh(["001001", "002001", "003001"]);
  const sp = await a!.provider();
  await a!.route("mt", "139", "002001");
  await b!.route("mt", "139", "001001");
  const { Msg_Id } = await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  await stage.settle();
  // The second gateway sees that it would have to send it back.
  assertEquals(sp.reports(), [{ id: Msg_Id, stat: "IB:0082" }]);
  await a!.route("mt", "135", "002001");
  await b!.route("mt", "135", "003001");
  await c!.route("mt", "135", "001001");
  const second = await stage.submit(sp, { Dest_terminal_Id: ["13500135000"] });
  await stage.settle(10);
  assertEquals(sp.reports().slice(1), [{ id: second.Msg_Id, stat: "IB:0082" }]);
});

Deno.test("NodesCount past the limit is answered 71, a message of our own 82, the same one from another way 82", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { settings: { maxNodes: 3 } });
  for (const code of ["002001", "003001", "004001"]) await a.peer({ code, host: "" }, false);
  await a.route("mt", "139", "004001");
  const b = await PlayedGateway.connect(stage, a, "002001"),
    c = await PlayedGateway.connect(stage, a, "003001");
  assertEquals(await b.forward({ NodesCount: 4 }), 71);
  // At the limit it is still delivered here, but not sent on.
  assertEquals(await b.forward({ NodesCount: 3, Msg_Id: 0xbb0f22c007d10003n }), 0);
  assertEquals(await b.forward({ NodesCount: 3, Dest_Id: ["13900139000"] }), 71);
  assertEquals(await b.forward({ Source_Id: "001001" }), 82);
  assertEquals(await b.forward({}), 0);
  assertEquals(await c.forward({ NodesCount: 2 }), 82);
  assertEquals(
    await b.forward({ Msg_Id: 0xbb0f22c007d10005n, Source_Id: "004001", Dest_Id: ["13900139000"] }),
    82,
  );
});

Deno.test("a version 2.0 gateway gets and sends its own widths, a group at once, and reports of 60 octets", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  await a.peer({ code: "002001", host: "" }, false);
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const b = await PlayedGateway.connect(stage, a, "002001", { version: 0x20 });
  await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  await stage.settle();
  assertEquals(b.all("FWD").map(({ Dest_Id }) => Dest_Id), [["13900139000"]]);
  const numbers = ["13800138000", "13800138001", "13800138002"];
  assertEquals(await b.forward({ Dest_Id: numbers }), 0);
  await stage.settle();
  assertEquals(b.reports(), numbers.map((_, i) => ({ id: FWD.Msg_Id + BigInt(i), stat: "DELIVRD" })));
  assertEquals(b.all("FWD").at(-1)!.Msg_Content.length, 60);
  // One wrong number, and nothing of it is taken.
  assertEquals(await b.forward({ Msg_Id: 0xbb0f22c007d20001n, Dest_Id: ["13800138000", "nobody"] }), 13);
});

Deno.test("a gateway that answers our CONNECT with 2.0 is spoken to in 2.0 from then on, whatever it may speak", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001"), at = { host: "10.0.0.9", port: 7930 };
  const speaks: { dialect: Dialect } = { dialect: 3 }, got: Message[] = [];
  await using _server = playServer(stage, at, (message) => {
    got.push(message);
    const { sequence } = message;
    if (message.command === "CONNECT") {
      speaks.dialect = 2;
      return letIn(sequence, 0x20);
    }
    if (message.command !== "FWD") return undefined;
    const { Msg_Id, Pk_total, Pk_number } = message;
    return { command: "FWD_RESP", sequence, Msg_Id, Pk_total, Pk_number, Result: 0 };
  }, speaks);
  await a.peer({ code: "002001", host: at.host });
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  await stage.clock.advance(1_000);
  await stage.settle();
  const [link] = (await a.ask("GET", "/api/v1/sms/peers/connections")).items;
  assertEquals([link.peer, link.version], ["002001", "2.0"]);
  await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  await stage.settle();
  // In the widths of 3.0 it could not have been read.
  assertEquals(got.flatMap((m) => m.command === "FWD" ? [m.Dest_Id] : []), [["13900139000"]]);
  const [shown] = (await a.ask("GET", "/api/v1/sms/peers/connections")).items;
  assertEquals([shown.sent, shown.unanswered], [1, 0]);
});

Deno.test("a gateway must prove its secret where that is asked for: ours do, and one that sends zeroes is left", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001"), b = await stage.add("002001");
  await b.peer(a, false);
  const proof = { proveAnswer: true };
  await a.peer(b, true, proof);
  const at = { host: "10.0.0.9", port: 7930 };
  await using _zeroes = playServer(
    stage,
    at,
    ({ command, sequence }) => command === "CONNECT" ? letIn(sequence, 0x30) : undefined,
  );
  await a.peer({ code: "003001", host: at.host }, true, proof);
  await stage.clock.advance(1_000);
  await stage.settle();
  const peers = async () =>
    (await a.ask("GET", "/api/v1/sms/peers")).items.map((
      { connected, lastError }: { connected: boolean; lastError: string | null },
    ) => [connected, lastError]);
  const [good, zeroes] = await peers();
  assertEquals(good, [true, null]);
  assertEquals(zeroes![0], false);
  // Without that being asked for it is taken as it is.
  await a.peer({ code: "003001", host: at.host }, true);
  await stage.clock.advance(35_000);
  await stage.settle();
  assertEquals((await peers())[1]![0], true);
});

Deno.test("what goes to another gateway does not wait for the own centre, nor after a restart", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001", { behaviour: { busy: true } });
  await a.peer({ code: "002001", host: "" }, false);
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const ids: bigint[] = [];
  for (const number of ["13800138000", "13900139000", "13800138001", "13900139001"]) {
    ids.push((await stage.submit(sp, { Dest_terminal_Id: [number] })).Msg_Id);
  }
  await a.stop();
  await a.start();
  const b = await PlayedGateway.connect(stage, a, "002001");
  await stage.settle();
  assertEquals(b.all("FWD").map(({ Msg_Id }) => Msg_Id), [ids[1]!, ids[3]!]);
  const again = await a.connect();
  ids.push((await stage.submit(again, { Dest_terminal_Id: ["13900139002"] })).Msg_Id);
  assertEquals(b.all("FWD").length, 3);
  a.simulator.behaviour.busy = false;
  await stage.clock.advance(1_000);
  await stage.settle();
  assertEquals(again.reports().map(({ id }) => id), [ids[0]!, ids[2]!]);
});
