import { assertEquals } from "@std/assert";
import {
  authenticatorIsmg,
  authenticatorSource,
  connectTimestamp,
  decodeMessage,
  encodeMessage,
  type Message,
  PduDecoder,
} from "../../protocol/cmpp/mod.ts";
import { LONG, SECRET, SHORT, SP, Stage, SUBMIT } from "./testing_stage.ts";

Deno.test("a provider is let in on each version that it may speak, in that version's widths", async () => {
  await using stage = await Stage.open();
  for (const [version, octets] of [[0x30, 4], [0x21, 1], [0x20, 1]] as const) {
    const provider = await stage.connect({ version });
    const answer = provider.last("CONNECT_RESP");
    assertEquals([answer.Status, answer.Version, answer.statusOctets], [0, 0x30, octets]);
    const source = authenticatorSource(SP, SECRET, connectTimestamp(stage.clock.now(), 480));
    assertEquals(answer.AuthenticatorISMG, authenticatorIsmg(0, source, SECRET, version === 0x30 ? 3 : 2));
  }
});

Deno.test("CONNECT is refused with the Status of its cause, without a digest, and the connection ends", async () => {
  await using stage = await Stage.open({ account: { version: "2.0" } });
  await stage.call("POST", "/api/v1/sms/accounts", {
    spId: "900002",
    secret: SECRET,
    spCode: "10659999",
    addresses: ["192.0.2.1"],
  });
  for (
    const [options, status] of [
      [{ version: 0x20, spId: "999999" }, 2],
      [{ version: 0x20, secret: "wrong!" }, 3],
      [{ version: 0x30 }, 4],
      [{ version: 0x40 }, 4],
      [{ version: 0x11 }, 1],
      [{ version: 0x30, spId: "900002" }, 57],
    ] as const
  ) {
    const provider = await stage.connect(options);
    const answer = provider.last("CONNECT_RESP");
    assertEquals([answer.Status, answer.AuthenticatorISMG], [status, new Uint8Array(16)]);
    assertEquals((await provider.connection.closed).code, "peer_closed");
  }
});

Deno.test("a CONNECT of the wrong length is told so, and one connection more than allowed too", async () => {
  await using stage = await Stage.open({ account: { maxConnections: 2 } });
  const broken = await stage.dial();
  const pdu = new Uint8Array(38);
  new DataView(pdu.buffer).setUint32(0, 38);
  new DataView(pdu.buffer).setUint32(4, 1);
  broken.connection.send(pdu);
  await stage.settle();
  assertEquals(broken.last("CONNECT_RESP").Status, 1);
  const first = await stage.connect();
  await stage.connect();
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 56);
  first.connection.close();
  await stage.settle();
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 0);
});

Deno.test("traffic before CONNECT ends the connection without an answer", async () => {
  await using stage = await Stage.open();
  for (
    const message of [SUBMIT, { command: "ACTIVE_TEST", sequence: 1 }, {
      command: "CANCEL",
      sequence: 1,
      Msg_Id: 1n,
    }] as const
  ) {
    const provider = await stage.dial();
    provider.send(message);
    await stage.settle();
    assertEquals(provider.got, []);
    assertEquals(provider.connection.open, false);
  }
});

Deno.test("a connection without CONNECT is closed after its time", async () => {
  await using stage = await Stage.open({ settings: { connectMs: 5_000 } });
  const provider = await stage.dial();
  await stage.clock.advance(4_999);
  assertEquals(provider.connection.open, true);
  await stage.clock.advance(2);
  await stage.settle();
  assertEquals(provider.connection.open, false);
});

Deno.test("strangers of one address take no more than their share: providers behind it are served as before", async () => {
  await using stage = await Stage.open({ settings: { maxStrangers: 3, connectMs: 5_000 } });
  const known = await stage.connect();
  const strangers = [await stage.dial(), await stage.dial(), await stage.dial()];
  await stage.settle();
  const shut = await stage.connect();
  assertEquals([shut.got, shut.connection.open], [[], false]);
  assertEquals((await stage.submit(known)).Result, 0);
  strangers[0]!.connection.close();
  await stage.settle();
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 0); // said who it is: no stranger any more
  assertEquals((await stage.connect({ secret: "wrong" })).last("CONNECT_RESP").Status, 3);
  await stage.clock.advance(5_100);
  await stage.settle();
  for (let i = 0; i < 2; i++) assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 0);
});

Deno.test("an address that guesses secrets is not let in any more, until a minute has passed", async () => {
  await using stage = await Stage.open({ settings: { wrongSecretsPerMinute: 5 } });
  for (let i = 0; i < 6; i++) {
    assertEquals((await stage.connect({ secret: `guess-${i}` })).last("CONNECT_RESP").Status, 3);
  }
  const shut = await stage.connect();
  assertEquals([shut.got, shut.connection.open], [[], false]);
  await stage.clock.advance(60_000);
  assertEquals((await stage.connect()).last("CONNECT_RESP").Status, 0);
});

Deno.test("TERMINATE is answered and ends the connection; a link test is answered", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  provider.send({ command: "ACTIVE_TEST", sequence: 77 });
  provider.send({ command: "TERMINATE", sequence: 78 });
  await stage.settle();
  assertEquals(provider.got.slice(1), [
    { command: "ACTIVE_TEST_RESP", sequence: 77, Reserved: 0 },
    { command: "TERMINATE_RESP", sequence: 78 },
  ]);
  assertEquals((await provider.connection.closed).code, "peer_closed");
});

Deno.test("TERMINATE waits for the answers to what was sent before it; what comes behind it is not taken", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  provider.send({ ...SUBMIT, sequence: 5 });
  provider.send(
    {
      ...{ command: "QUERY", sequence: 6, Time: "20261122", Query_Type: 0, Query_Code: "", Reserve: "" },
    } as const,
  );
  provider.send({ command: "TERMINATE", sequence: 7 });
  provider.send({ ...SUBMIT, sequence: 8 });
  for (let i = 0; i < 3; i++) await stage.settle();
  assertEquals(
    new Set(provider.got.slice(1).map((m) => [m.command, m.sequence])),
    new Set([
      ["SUBMIT_RESP", 5],
      ["QUERY_RESP", 6],
      ["TERMINATE_RESP", 7],
    ]),
  );
  assertEquals(provider.got.at(-1)?.command, "TERMINATE_RESP");
  assertEquals((await provider.connection.closed).code, "peer_closed");
  assertEquals(((await stage.call("GET", "/api/v1/sms/messages")).body.items as unknown[]).length, 1);
});

Deno.test("a provider that has finished sending still gets the answers to what it sent", async () => {
  await using stage = await Stage.open();
  const stream = await stage.network.connect(LONG), decoder = new PduDecoder(), got: Message[] = [];
  const Timestamp = connectTimestamp(stage.clock.now(), 480);
  await stream.write(encodeMessage({
    command: "CONNECT",
    sequence: 1,
    Source_Addr: SP,
    AuthenticatorSource: authenticatorSource(SP, SECRET, Timestamp),
    Version: 0x30,
    Timestamp,
  }, 3));
  await stream.write(encodeMessage({ ...SUBMIT, sequence: 2, Registered_Delivery: 0 }, 3));
  await stream.closeWrite();
  const reading = (async () => {
    const buffer = new Uint8Array(4096);
    for (let n = await stream.read(buffer); n !== null; n = await stream.read(buffer)) {
      for (const frame of decoder.push(buffer.subarray(0, n))) got.push(decodeMessage(frame.slice(), 3));
    }
  })();
  for (let i = 0; i < 3; i++) await stage.settle();
  await reading;
  assertEquals(got.map((m) => m.command), ["CONNECT_RESP", "SUBMIT_RESP"]);
  stream.close();
});

Deno.test("a quiet link is tested after C, again after each T, and closed after the N-th", async () => {
  await using stage = await Stage.open({
    settings: { activeTestMs: 10_000, responseMs: 2_000, attempts: 3 },
  });
  const provider = await stage.connect();
  provider.alive = false;
  await stage.clock.advance(10_100);
  assertEquals(provider.all("ACTIVE_TEST").length, 1);
  provider.send({
    command: "ACTIVE_TEST_RESP",
    sequence: provider.last("ACTIVE_TEST").sequence,
    Reserved: 0,
  });
  await stage.clock.advance(10_100);
  assertEquals(provider.all("ACTIVE_TEST").length, 2);
  for (const count of [3, 4]) {
    await stage.clock.advance(2_000);
    assertEquals(provider.all("ACTIVE_TEST").length, count);
    assertEquals(provider.connection.open, true);
  }
  await stage.clock.advance(2_000);
  await stage.settle();
  assertEquals(provider.connection.open, false);
});

Deno.test("T, N and C of one provider come before the service's, hold at once, and go back with null", async () => {
  const times = { activeTestSeconds: 5, responseSeconds: 1, attempts: 2 };
  await using stage = await Stage.open({
    settings: { activeTestMs: 100_000, responseMs: 50_000, attempts: 9 },
    account: { times },
  });
  const path = `/api/v1/sms/accounts/${SP}`;
  assertEquals((await stage.call("GET", path)).body.times, times);
  const provider = await stage.connect();
  provider.alive = false;
  await stage.clock.advance(5_100);
  assertEquals(provider.all("ACTIVE_TEST").length, 1);
  await stage.clock.advance(1_000);
  assertEquals([provider.all("ACTIVE_TEST").length, provider.connection.open], [2, true]);
  await stage.clock.advance(1_000);
  await stage.settle();
  assertEquals(provider.connection.open, false);
  // Some of them, over a restart.
  assertEquals((await stage.call("PATCH", path, { times: { activeTestSeconds: 60 } })).status, 200);
  await stage.stop();
  await stage.start();
  const again = await stage.connect();
  again.alive = false;
  await stage.clock.advance(61_000);
  assertEquals(again.all("ACTIVE_TEST").length, 1);
  await stage.clock.advance(45_000);
  assertEquals([again.all("ACTIVE_TEST").length, again.connection.open], [1, true]);
  assertEquals((await stage.call("PATCH", path, { times: null })).body.times, null);
  for (const wrong of [{ attempts: 0 }, { responseSeconds: 601 }, { activeTestSeconds: 1.5 }, { t: 1 }]) {
    assertEquals((await stage.call("PATCH", path, { times: wrong })).status, 400);
  }
});

Deno.test("messages that do not belong here and unknown commands are answered with TERMINATE", async () => {
  await using stage = await Stage.open();
  const foreign = await stage.connect();
  foreign.send({ command: "MT_ROUTE", sequence: 5, Source_Id: "001001", Terminal_Id: "1380013" });
  await stage.settle();
  assertEquals(foreign.last("TERMINATE").command, "TERMINATE");
  const unknown = await stage.connect();
  const pdu = new Uint8Array(12);
  new DataView(pdu.buffer).setUint32(0, 12);
  new DataView(pdu.buffer).setUint32(4, 0x99);
  unknown.connection.send(pdu);
  await stage.settle();
  assertEquals(unknown.last("TERMINATE").command, "TERMINATE");
});

Deno.test("a Total_Length that can't be closes the connection at once", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  const pdu = new Uint8Array(12);
  new DataView(pdu.buffer).setUint32(0, 0x7fff_ffff);
  provider.connection.send(pdu);
  await stage.settle();
  assertEquals(provider.connection.open, false);
});

Deno.test("a short connection serves its request and is not tested or delivered to", async () => {
  await using stage = await Stage.open({ settings: { activeTestMs: 5_000, responseMs: 20_000 } });
  const short = await stage.connect({ to: SHORT });
  assertEquals((await stage.submit(short)).Result, 0);
  await stage.clock.advance(10_000);
  assertEquals(short.got.map((m) => m.command), ["CONNECT_RESP", "SUBMIT_RESP"]);
  await stage.clock.advance(20_000);
  await stage.settle();
  assertEquals(short.connection.open, false);
  const long = await stage.connect({ to: LONG });
  await stage.settle();
  assertEquals(long.reports().map((r) => r.stat), ["DELIVRD"]);
});
