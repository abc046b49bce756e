import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  authenticatorIsmg,
  decodeText,
  encodeMessage,
  Reassembler,
  splitMessage,
} from "../protocol/cmpp/mod.ts";
import { SpError } from "./errors.ts";
import { TestGateway } from "./testing_gateway.ts";

const FROM = "10658888", TO = ["13800138000"];

Deno.test("a client connects again after every loss, later and later while nobody is there, and soon after it was", async () => {
  await using gateway = new TestGateway();
  gateway.away = true;
  const links: boolean[] = [];
  gateway.client({ reconnectMs: [1_000, 8_000] }, { onLink: (up) => void links.push(up) });
  await gateway.clock.advance(40_000);
  const pauses = gateway.connectedAt.slice(1).map((at, i) =>
    Math.round((at - gateway.connectedAt[i]!) / 1000)
  );
  assertEquals(pauses.slice(0, 5), [1, 2, 4, 8, 8]);
  gateway.away = false;
  await gateway.clock.advance(8_000);
  assertEquals(links.at(-1), true);
  const before = gateway.connectedAt.length;
  gateway.cut();
  await gateway.clock.advance(1_000);
  assertEquals([gateway.connectedAt.length - before, links.slice(-2)], [1, [false, true]]);
});

Deno.test("a client that is refused does not try again, and everybody who waits hears why", async () => {
  await using gateway = new TestGateway();
  gateway.status = 3;
  const client = gateway.client();
  const waiting = assertRejects(
    () => client.sendText({ to: TO, text: "x", from: FROM }),
    SpError,
    "Status 3",
  );
  await gateway.settle();
  await waiting;
  const { code, status } = await assertRejects(() => client.ready, SpError);
  await gateway.clock.advance(600_000);
  assertEquals([code, status, gateway.connectedAt.length], ["refused", 3, 1]);
});

Deno.test("no more than the window is unanswered, what waits goes out in order, and too much is refused", async () => {
  await using gateway = new TestGateway();
  gateway.result = () => undefined;
  const client = gateway.client({ window: 4, maxWaiting: 6 });
  await gateway.settle();
  const sent = Array.from({ length: 10 }, (_, i) => client.sendText({ to: TO, text: String(i), from: FROM }));
  await gateway.settle();
  assertEquals(gateway.all("SUBMIT").length, 4);
  const { code } = await assertRejects(() => client.sendText({ to: TO, text: "x", from: FROM }), SpError);
  assertEquals(code, "full");
  for (let answered = 0; answered < 10; answered++) {
    assert(gateway.all("SUBMIT").length <= answered + 4);
    const { sequence } = gateway.all("SUBMIT")[answered]!;
    gateway.send({ command: "SUBMIT_RESP", sequence, Msg_Id: BigInt(answered + 1), Result: 0 });
    await gateway.settle();
  }
  assertEquals((await Promise.all(sent)).map(([part]) => part!.msgId), sent.map((_, i) => BigInt(i + 1)));
  assertEquals(
    gateway.all("SUBMIT").map(({ Msg_Content }) => decodeText(Msg_Content, 0)),
    sent.map((_, i) => String(i)),
  );
});

Deno.test("what was sent and not answered is lost with its connection, what waited goes out on the next", async () => {
  await using gateway = new TestGateway();
  gateway.result = () => undefined;
  const client = gateway.client({ window: 1, reconnectMs: [1_000, 8_000] });
  await gateway.settle();
  const first = assertRejects(() => client.sendText({ to: TO, text: "first", from: FROM }), SpError);
  const second = client.sendText({ to: TO, text: "second", from: FROM });
  await gateway.settle();
  gateway.result = () => 0;
  gateway.cut();
  await gateway.clock.advance(1_000);
  assertEquals((await first).code, "lost");
  assertEquals((await second)[0]!.result, 0);
});

Deno.test("a request is sent again at each T, N times with the same Sequence_Id, and then given up", async () => {
  await using gateway = new TestGateway();
  gateway.result = () => undefined;
  const client = gateway.client({ responseMs: 60_000, attempts: 3 });
  await gateway.settle();
  const lost = assertRejects(() => client.sendText({ to: TO, text: "x", from: FROM }), SpError);
  for (const times of [1, 2, 3]) {
    await gateway.settle();
    assertEquals(gateway.all("SUBMIT").length, times);
    await gateway.clock.advance(60_000);
  }
  assertEquals((await lost).code, "timeout");
  assertEquals(new Set(gateway.all("SUBMIT").map(({ sequence }) => sequence)).size, 1);
  assertEquals(gateway.connectedAt.length, 1);
});

Deno.test("while the gateway answers 8 a SUBMIT is tried again, for a time", async () => {
  await using gateway = new TestGateway();
  gateway.result = (nth) => nth < 4 ? 8 : 0;
  const client = gateway.client({ flowControlMs: 10_000 });
  const sent = client.sendText({ to: TO, text: "x", from: FROM });
  await gateway.clock.advance(2_000);
  assertEquals([(await sent)[0]!.result, gateway.all("SUBMIT").length], [0, 4]);
  gateway.result = () => 8;
  const refused = client.sendText({ to: TO, text: "x", from: FROM });
  await gateway.clock.advance(11_000);
  assertEquals((await refused)[0]!.result, 8);
});

Deno.test("a text in any script arrives as it was, in one part or in many", async () => {
  await using gateway = new TestGateway();
  const client = gateway.client({ window: 1_000 });
  await gateway.settle();
  const scripts = [
    "plain ASCII text. ",
    "尊敬的用户您好，",
    "Добрый день ",
    "مرحبا ",
    "😀👨‍👩‍👧🇨🇳",
    "ไทย हिन्दी 한국어 ",
  ];
  const text = fc.array(fc.constantFrom(...scripts), { minLength: 1, maxLength: 60 }).map((list) =>
    list.join("")
  );
  await fc.assert(
    fc.asyncProperty(text, async (wanted) => {
      gateway.got.length = 0;
      const sent = client.sendText({ to: TO, text: wanted, from: FROM });
      await gateway.settle();
      assert((await sent).every(({ result }) => result === 0));
      const whole = new Reassembler(), submits = gateway.all("SUBMIT");
      const fmt = submits[0]!.Msg_Fmt;
      let got: string | undefined;
      if (submits.length === 1) got = decodeText(submits[0]!.Msg_Content, fmt);
      for (const [i, { Msg_Content, TP_udhi, Pk_total, Pk_number }] of submits.entries()) {
        assert(Msg_Content.length <= (fmt === 0 ? 159 : 140));
        assertEquals([Pk_total, Pk_number, TP_udhi], [submits.length, i + 1, submits.length > 1 ? 1 : 0]);
        if (submits.length === 1) continue;
        const outcome = whole.push("x", Msg_Content, 0);
        if (outcome.kind === "whole") got = decodeText(outcome.message.content, fmt);
      }
      assertEquals(got, wanted);
    }),
    { numRuns: 60, seed: 1 },
  );
});

Deno.test("reports are matched before and after the answer, and one that never comes is UNKNOWN after 48 hours", async () => {
  await using gateway = new TestGateway();
  const client = gateway.client();
  await gateway.settle();
  const send = async () => {
    const sent = client.sendText({ to: TO, text: "x", from: FROM, report: true });
    await gateway.settle();
    return await sent;
  };
  const one = await send(), two = await send(), never = await send();
  gateway.report(one[0]!.msgId, "DELIVRD"); // nobody waits for it yet
  await gateway.settle();
  assertEquals((await client.reports(one)).map(({ Stat }) => Stat), ["DELIVRD"]);
  const later = client.reports(two), lost = client.reports(never), soon = client.reports(never, 1, 5_000);
  gateway.report(two[0]!.msgId, "UNDELIV");
  await gateway.settle();
  assertEquals((await later).map(({ Stat }) => Stat), ["UNDELIV"]);
  let over = false;
  lost.then(() => over = true);
  await gateway.clock.advance(48 * 3_600_000 - 60_000);
  assertEquals(over, false);
  await gateway.clock.advance(62_000);
  assertEquals((await lost)[0]!.Stat, "UNKNOWN");
  assertEquals(await soon, await lost); // two who wait for one report hear the same
});

Deno.test("a client that is refused for the moment tries again, later and later, until it is let in", async () => {
  await using gateway = new TestGateway();
  const links: boolean[] = [];
  const client = gateway.client({ reconnectMs: [1_000, 8_000] }, { onLink: (up) => void links.push(up) });
  await gateway.settle();
  for (const status of [5, 56]) {
    gateway.status = status; // the dead connection still counts, for one
    gateway.cut();
    const before = gateway.connectedAt.length;
    await gateway.clock.advance(20_000);
    const times = gateway.connectedAt.slice(before);
    assertEquals(times.slice(1).map((at, i) => Math.round((at - times[i]!) / 1000)), [2, 4, 8]);
    gateway.status = 0;
    await gateway.clock.advance(8_000);
    assertEquals([client.connected, links.at(-1)], [true, true]);
  }
});

Deno.test("a gateway that must prove itself is left where it does not; the digest may be of either width", async () => {
  for (const width of [3, 2] as const) {
    await using gateway = new TestGateway(2);
    gateway.proof = (source) => authenticatorIsmg(0, source, "888888", width);
    const client = gateway.client({ version: 0x20, checkGateway: true });
    await gateway.settle();
    assertEquals(client.connected, true);
  }
  for (const proof of [() => new Uint8Array(16), (s: Uint8Array) => authenticatorIsmg(0, s, "999999", 3)]) {
    await using gateway = new TestGateway();
    gateway.proof = proof;
    const client = gateway.client({ checkGateway: true });
    await gateway.settle();
    const { code } = await assertRejects(() => client.ready, SpError);
    await gateway.clock.advance(600_000);
    assertEquals([code, gateway.connectedAt.length], ["unproven", 1]);
  }
});

Deno.test("the parts of a text can be numbered with 16 bits", async () => {
  await using gateway = new TestGateway();
  const client = gateway.client();
  await gateway.settle();
  const text = "长短信".repeat(50);
  await Promise.all([client.sendText({ to: TO, from: FROM, text, wide: true }), gateway.settle()]);
  const whole = new Reassembler(), submits = gateway.all("SUBMIT");
  assertEquals(
    submits.map(({ Msg_Content }) => [...Msg_Content.subarray(0, 3)]),
    submits.map(() => [6, 8, 4]),
  );
  const last = submits.map((submit) => whole.push("x", submit.Msg_Content, 0)).at(-1)!;
  assertEquals(last.kind === "whole" && decodeText(last.message.content, 8), text);
});

Deno.test("a long text that its handler fails at comes again, whole, and only then counts as taken", async () => {
  await using gateway = new TestGateway();
  const got: string[] = [];
  let calls = 0, free = () => {};
  gateway.client({ activeTestMs: 5_000, responseMs: 1_000, attempts: 1 }, {
    async onText({ text }) {
      calls++;
      if (calls === 1) await new Promise<void>((resolve) => free = resolve);
      if (calls <= 2) throw new Error("disk full");
      got.push(text!);
    },
  });
  await gateway.settle();
  const parts = splitMessage("x".repeat(300), 0, { reference: 1 });
  const send = (sequence: number, part: number) =>
    gateway.deliver({ sequence, TP_udhi: 1, Msg_Content: parts[part]!.Msg_Content });
  send(1, 0);
  send(2, 1);
  await gateway.settle();
  // The connection is made anew while the handler is at work: what comes on it waits for what becomes of that.
  gateway.alive = false;
  await gateway.clock.advance(6_000);
  gateway.alive = true;
  await gateway.clock.advance(1_000);
  assertEquals(gateway.connectedAt.length, 2);
  send(11, 1);
  await gateway.settle();
  free();
  await gateway.settle();
  send(12, 1);
  await gateway.settle();
  send(13, 1);
  await gateway.settle();
  send(14, 0); // the gateway has not heard the first answer
  await gateway.settle();
  assertEquals(gateway.all("DELIVER_RESP").map(({ sequence, Result }) => [sequence, Result]), [
    [1, 0],
    [11, 8],
    [12, 8],
    [13, 0],
    [14, 0],
  ]);
  assertEquals([calls, got], [3, ["x".repeat(300)]]);
});

Deno.test("a long text whose parts do not all come is told of as it is, in time or when the client is closed", async () => {
  const got: [string | undefined, readonly number[] | undefined][] = [];
  {
    await using gateway = new TestGateway();
    gateway.client({}, { onText: ({ text, missing }) => void got.push([text, missing]) });
    await gateway.settle();
    const parts = (reference: number) => splitMessage("a".repeat(153) + "b".repeat(153), 0, { reference });
    gateway.deliver({ sequence: 1, TP_udhi: 1, Msg_Content: parts(1)[1]!.Msg_Content });
    await gateway.clock.advance(299_000);
    assertEquals(got, []);
    await gateway.clock.advance(32_000);
    await gateway.settle();
    assertEquals(got, [["b".repeat(153), [1]]]);
    gateway.deliver({ sequence: 2, TP_udhi: 1, Msg_Content: parts(2)[0]!.Msg_Content });
    await gateway.settle();
  }
  assertEquals(got[1], ["a".repeat(153), [2]]);
});

Deno.test("what a handler fails at comes again: the gateway is answered 8", async () => {
  await using gateway = new TestGateway();
  const texts: string[] = [];
  gateway.client({}, {
    onText: ({ text }) => {
      if (texts.push(text!) === 1) throw new Error("disk full");
    },
  });
  await gateway.settle();
  gateway.deliver({ sequence: 1 });
  gateway.deliver({ sequence: 2 });
  gateway.deliver({ sequence: 3, Registered_Delivery: 1 }); // no report at all
  await gateway.settle();
  const answers = gateway.all("DELIVER_RESP").map(({ sequence, Result }) => [sequence, Result]).sort();
  assertEquals(answers, [[1, 8], [2, 0], [3, 8]]);
});

Deno.test("a quiet link is tested after C; one without answers is left and made anew", async () => {
  await using gateway = new TestGateway();
  gateway.client({ activeTestMs: 180_000, responseMs: 60_000, attempts: 3, reconnectMs: [1_000, 8_000] });
  await gateway.settle();
  await gateway.clock.advance(180_000);
  assertEquals([gateway.all("ACTIVE_TEST").length, gateway.connectedAt.length], [1, 1]);
  gateway.alive = false;
  await gateway.clock.advance(180_000 + 3 * 60_000);
  await gateway.clock.advance(2_000);
  assertEquals([gateway.all("ACTIVE_TEST").length, gateway.connectedAt.length], [4, 2]);
});

Deno.test("nonsense from a gateway ends the connection, not the client", async () => {
  await using gateway = new TestGateway();
  const client = gateway.client({ reconnectMs: [1_000, 8_000] });
  await gateway.settle();
  const claim = new Uint8Array(12).fill(0xff);
  const unknown = encodeMessage({ command: "ACTIVE_TEST", sequence: 1 }, 3);
  unknown[7] = 0x77;
  for (const octets of [claim, unknown]) {
    gateway.raw(octets);
    await gateway.clock.advance(1_500);
  }
  assertEquals(gateway.connectedAt.length, 3);
  const sent = client.sendText({ to: TO, text: "x", from: FROM });
  await gateway.settle();
  assertEquals((await sent)[0]!.result, 0);
});
