import { assert, assertEquals } from "@std/assert";
import { decodeText, Reassembler } from "../../protocol/cmpp/mod.ts";
import { CODE, Stage } from "./testing_stage.ts";

const mo = (stage: Stage, text: string, to = CODE) =>
  stage.call("POST", "/api/v1/sms/simulator/mo", { from: "13800138000", to, text });

Deno.test("a message from a phone reaches the provider with the longest matching SP_Code", async () => {
  await using stage = await Stage.open();
  await stage.call("POST", "/api/v1/sms/accounts", { spId: "900002", secret: "888888", spCode: `${CODE}7` });
  const short = await stage.connect(), long = await stage.connect({ spId: "900002" });
  assertEquals((await mo(stage, "to the first", `${CODE}12`)).status, 202);
  assertEquals((await mo(stage, "to the second", `${CODE}77`)).status, 202);
  assertEquals((await mo(stage, "to nobody", "10086")).status, 404);
  await stage.settle();
  const texts = (provider: typeof short) =>
    provider.all("DELIVER").map((d) => [d.Src_terminal_Id, d.Dest_Id, decodeText(d.Msg_Content, d.Msg_Fmt)]);
  assertEquals(texts(short), [["13800138000", `${CODE}12`, "to the first"]]);
  assertEquals(texts(long), [["13800138000", `${CODE}77`, "to the second"]]);
});

Deno.test("a long message from a phone comes in parts that make it whole again", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect({ version: 0x20 });
  const text = "很长的短信😀".repeat(40);
  await mo(stage, text);
  await stage.settle();
  const reassembler = new Reassembler();
  const outcomes = provider.all("DELIVER").map((d) => reassembler.push("x", d.Msg_Content, 0));
  const whole = outcomes.at(-1)!;
  assert(whole.kind === "whole" && outcomes.length > 3);
  if (whole.kind === "whole") assertEquals(decodeText(whole.message.content, 8), text);
});

Deno.test("what comes while the provider is away waits for it, over a restart, in order and once", async () => {
  await using stage = await Stage.open();
  const before = await stage.connect();
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await stage.submit(before, { Registered_Delivery: 0 }));
  before.connection.close();
  await stage.settle();
  for (const text of ["one", "two", "three"]) await mo(stage, text);
  await stage.settle();
  const queues = (await stage.call("GET", "/api/v1/sms/queues")).body.items as Record<string, unknown>[];
  assertEquals(queues.map(({ spId, kind, count }) => [spId, kind, count]), [["900001", "mo", 3]]);
  await stage.stop();
  await stage.start();
  const after = await stage.connect();
  await stage.settle();
  assertEquals(after.all("DELIVER").map((d) => decodeText(d.Msg_Content, 0)), ["one", "two", "three"]);
  assertEquals((await stage.call("GET", "/api/v1/sms/queues")).body, { items: [] });
});

Deno.test("a message that was answered and not sent before the end is sent after it, with one report", async () => {
  await using stage = await Stage.open({ behaviour: { busy: true } });
  const provider = await stage.connect();
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await stage.submit(provider)).Msg_Id);
  assertEquals(provider.reports(), []);
  await stage.stop();
  await stage.start();
  const again = await stage.connect();
  await stage.settle();
  await stage.settle();
  assertEquals(again.reports().map((r) => r.id), ids);
  const next = await stage.submit(again);
  assert(!ids.includes(next.Msg_Id) && next.Msg_Id > ids[4]!);
});

Deno.test("a DELIVER that is not answered is sent again T later, N times, and then on the next connection", async () => {
  await using stage = await Stage.open({ settings: { responseMs: 2_000, attempts: 3, activeTestMs: 1e9 } });
  const provider = await stage.connect();
  provider.answers = undefined;
  await mo(stage, "hello?");
  await stage.settle();
  assertEquals(provider.all("DELIVER").length, 1);
  await stage.clock.advance(2_000);
  assertEquals(provider.all("DELIVER").length, 2);
  await stage.clock.advance(2_000);
  assertEquals(
    provider.all("DELIVER").map((d) => d.sequence),
    Array(3).fill(provider.last("DELIVER").sequence),
  );
  provider.connection.close();
  await stage.settle();
  const next = await stage.connect();
  await stage.settle();
  assertEquals(next.all("DELIVER").map((d) => decodeText(d.Msg_Content, 0)), ["hello?"]);
  await stage.clock.advance(20_000);
  assertEquals(next.all("DELIVER").length, 1);
});

Deno.test("a DELIVER that was sent N times is not sent again on that connection: others go on, the next one gets it", async () => {
  await using stage = await Stage.open({
    settings: { responseMs: 2_000, attempts: 3, activeTestMs: 1e9 },
    account: { window: 2 },
  });
  const provider = await stage.connect();
  provider.answers = undefined;
  await mo(stage, "lost");
  for (let i = 0; i < 10; i++) {
    await stage.clock.advance(2_000);
    await stage.settle();
  }
  assertEquals(provider.all("DELIVER").length, 3);
  provider.answers = 0;
  await mo(stage, "taken");
  await stage.settle();
  assertEquals(provider.all("DELIVER").map((d) => decodeText(d.Msg_Content, 0)), [
    ...Array(3).fill("lost"),
    "taken",
  ]);
  const next = await stage.connect();
  await stage.settle();
  assertEquals(next.all("DELIVER").map((d) => decodeText(d.Msg_Content, 0)), ["lost"]);
  assertEquals((await stage.call("GET", "/api/v1/sms/queues")).body, { items: [] });
});

Deno.test("what waits and can't be read is told of once, and keeps nothing else from its provider", async () => {
  await using stage = await Stage.open();
  for (let i = 0; i < 3; i++) await mo(stage, String(i));
  await stage.settle();
  await stage.call("GET", "/api/v1/sms/queues"); // brings the tables up to date
  await stage.db.sql.updateTable("sms_outbox").set({ pdu: new Uint8Array(60) }).where("id", "=", 1).execute();
  for (let i = 0; i < 2; i++) {
    const provider = await stage.connect();
    await stage.settle();
    assertEquals(
      provider.all("DELIVER").map((d) => decodeText(d.Msg_Content, 0)),
      i === 0 ? ["1", "2"] : [],
    );
    provider.connection.close();
    await stage.settle();
  }
  assert(stage.metrics.render().includes("gatehouse_sms_unreadable_total 1"));
});

Deno.test("deliveries keep within the provider's window and go on as it answers", async () => {
  await using stage = await Stage.open({ account: { window: 3 } });
  const provider = await stage.connect();
  provider.answers = undefined;
  for (let i = 0; i < 8; i++) await mo(stage, String(i));
  await stage.settle();
  assertEquals(provider.all("DELIVER").length, 3);
  const answer = async () => {
    for (const { sequence, Msg_Id } of provider.all("DELIVER").splice(-3)) {
      provider.send({ command: "DELIVER_RESP", sequence, Msg_Id, Result: 0 });
    }
    await stage.settle();
  };
  await answer();
  assertEquals(provider.all("DELIVER").length, 6);
  await answer();
  assertEquals(provider.all("DELIVER").map((d) => decodeText(d.Msg_Content, 0)).join(""), "01234567");
});

Deno.test("a refused delivery comes again, and is given up after the third refusal", async () => {
  await using stage = await Stage.open({ settings: { responseMs: 2_000, activeTestMs: 1e9 } });
  const provider = await stage.connect();
  provider.answers = 8;
  await mo(stage, "no thanks");
  await stage.settle();
  for (const count of [2, 3]) {
    await stage.clock.advance(2_000);
    await stage.settle();
    assertEquals(provider.all("DELIVER").length, count);
  }
  await stage.clock.advance(20_000);
  assertEquals(provider.all("DELIVER").length, 3);
  assertEquals((await stage.call("GET", "/api/v1/sms/queues")).body, { items: [] });
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
  assertEquals([MO_Scs, MO_WT, MO_FL], [0, 0, 1]);
});

Deno.test("thousands that wait are delivered in order, each once, though few of them are in memory", async () => {
  await using stage = await Stage.open({ account: { window: 100 } });
  for (let i = 0; i < 3_000; i++) stage.simulator.injectMo("13800138000", CODE, String(i));
  await stage.settle();
  const provider = await stage.connect();
  for (let i = 0; i < 60 && provider.all("DELIVER").length < 3_000; i++) await stage.settle();
  // More comes while it is being read.
  for (let i = 3_000; i < 3_100; i++) stage.simulator.injectMo("13800138000", CODE, String(i));
  for (let i = 0; i < 20; i++) await stage.settle();
  const got = provider.all("DELIVER").map((d) => Number(decodeText(d.Msg_Content, 0)));
  assertEquals(got, Array.from({ length: 3_100 }, (_, i) => i));
});

Deno.test("two connections of a provider share its deliveries; one that goes gives its own to the other", async () => {
  await using stage = await Stage.open({ account: { window: 5 } });
  const [one, two] = [await stage.connect(), await stage.connect()];
  one!.answers = undefined;
  for (let i = 0; i < 20; i++) stage.simulator.injectMo("13800138000", CODE, String(i));
  for (let i = 0; i < 5; i++) await stage.settle();
  assertEquals(one!.all("DELIVER").length, 5);
  assertEquals(two!.all("DELIVER").length, 15);
  one!.connection.close();
  for (let i = 0; i < 5; i++) await stage.settle();
  const all = two!.all("DELIVER").map((d) => Number(decodeText(d.Msg_Content, 0))).sort((a, b) => a - b);
  assertEquals(all, Array.from({ length: 20 }, (_, i) => i));
});
