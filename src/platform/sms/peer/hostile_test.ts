import { assert, assertEquals } from "@std/assert";
import { encodeMessage, encodeReport, type Fwd, type Message } from "../../../protocol/cmpp/mod.ts";
import { CODE } from "../testing_stage.ts";
import { FWD, Gateways, PlayedGateway } from "./testing_gateways.ts";

const peerAt = async (stage: Gateways, changes: object = {}, settings: object = {}) => {
  const a = await stage.add("001001", { settings });
  await a.peer({ code: "002001", host: "" }, false, changes);
  return a;
};

Deno.test("every Result of FWD comes from its own cause, and the connection lives on", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage);
  await a.peer({ code: "003001", host: "" }, false);
  await a.provider();
  await a.route("mt", "137", "none");
  await a.route("mt", "136", "009001");
  await a.route("mt", "135", "002001");
  const b = await PlayedGateway.connect(stage, a, "002001");
  const report = encodeReport({
    Msg_Id: 0xbb0f22c007d10001n,
    Stat: "DELIVRD",
    Submit_time: "2611230350",
    Done_time: "2611230351",
    Dest_terminal_Id: "13800138000",
    SMSC_sequence: 1,
  }, 3);
  let id = FWD.Msg_Id;
  const cases: [Partial<Fwd>, number][] = [
    [{ Msg_Fwd_Type: 4 }, 1],
    [{ NodesCount: 0 }, 1],
    [{ Source_Id: "x" }, 1],
    [{ Registered_Delivery: 3 }, 1],
    [{ Pk_total: 1, Pk_number: 2 }, 1],
    [{ TP_udhi: 1, Msg_Content: new Uint8Array([9, 0, 3]) }, 1],
    [{ Valid_Time: "tomorrow" }, 1],
    [{ Msg_Fwd_Type: 2, Msg_Content: new Uint8Array(59) }, 4],
    [{ Msg_Content: new Uint8Array(160) }, 6],
    [{ Msg_Fmt: 8, Msg_Content: new Uint8Array(142) }, 6],
    [{ Dest_Id: ["nobody"] }, 13],
    [{ Valid_Time: "200101000000000+" }, 61],
    [{ Dest_Id: ["13700137000"] }, 9],
    [{ Dest_Id: ["13600136000"] }, 72],
    [{ Dest_Id: ["13500135000"] }, 82],
    // A phone's message for a provider that is not here: forwarding misjudged.
    [{ Msg_Fwd_Type: 1, Src_Id: "13900139000", Dest_Id: ["10699999"] }, 9],
    // Reports on what was never here.
    [{ Msg_Fwd_Type: 2, Msg_Content: report }, 9],
    [{ Msg_Fwd_Type: 3, Msg_Content: report.slice(0, 60) }, 9],
    [{}, 0],
  ];
  for (const [changes, result] of cases) {
    const found = await b.forward({ Msg_Id: ++id, ...changes });
    assertEquals(found, result, `${Object.keys(changes)} of ${result}`);
  }
});

Deno.test("nobody but the gateway that has a message can report on it", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage);
  await a.peer({ code: "003001", host: "" }, false);
  await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const b = await PlayedGateway.connect(stage, a, "002001"),
    c = await PlayedGateway.connect(stage, a, "003001");
  const { Msg_Id } = await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  const report = (Stat: string) => ({
    Msg_Fwd_Type: 2,
    Msg_Id,
    Src_Id: "13900139000",
    Dest_Id: [CODE],
    Msg_Content: encodeReport({
      Msg_Id,
      Stat,
      Submit_time: "2611230350",
      Done_time: "2611230359",
      Dest_terminal_Id: "13900139000",
      SMSC_sequence: 1,
    }, 3),
  });
  assertEquals(await c.forward(report("UNDELIV")), 9);
  assertEquals(sp.reports(), []);
  // Not final: nothing is told.
  assertEquals(await b.forward(report("ACCEPTD")), 0);
  assertEquals(sp.reports(), []);
  assertEquals(await b.forward(report("DELIVRD")), 0);
  assertEquals(await b.forward(report("UNDELIV")), 0); // it has ended: answered, not told again
  assertEquals(sp.reports(), [{ id: Msg_Id, stat: "DELIVRD" }]);
});

Deno.test("more FWDs than the window are answered 8, those within it are taken, and the connection lives on", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage, { window: 4 });
  const b = await PlayedGateway.connect(stage, a, "002001");
  for (let i = 0; i < 20; i++) b.send({ ...FWD, sequence: b.next(), Msg_Id: FWD.Msg_Id + BigInt(i) });
  await stage.settle();
  const results = b.all("FWD_RESP").map(({ Result }) => Result);
  assertEquals([results.filter((r) => r === 0).length, results.filter((r) => r === 8).length], [4, 16]);
  assertEquals(await b.forward({ Msg_Id: FWD.Msg_Id + 99n }), 0);
});

Deno.test("a Sequence_Id that is in work for another message is answered 3; the same message again is not answered twice", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage);
  const b = await PlayedGateway.connect(stage, a, "002001");
  b.send({ ...FWD, sequence: 7 });
  b.send({ ...FWD, sequence: 7 });
  b.send({ ...FWD, sequence: 7, Msg_Id: FWD.Msg_Id + 1n });
  await stage.settle();
  assertEquals(b.all("FWD_RESP").map(({ Result }) => Result).sort(), [0, 3]);
});

Deno.test("garbage, giant lengths, unknown commands and those of providers end the connection, and nothing else", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage);
  const well = await PlayedGateway.connect(stage, a, "002001");
  const header = (total: number, command: number) => {
    const pdu = new Uint8Array(12), view = new DataView(pdu.buffer);
    view.setUint32(0, total);
    view.setUint32(4, command);
    view.setUint32(8, 5);
    return pdu;
  };
  const cases: [what: string, bytes: Uint8Array, terminated: boolean][] = [
    ["a giant", header(0x7fff_ffff, 9), false],
    ["shorter than a header", header(11, 9), false],
    ["an unknown command", header(12, 0x99), true],
    ["a SUBMIT_RESP of the wrong length", header(12, 0x8000_0004), true],
    ["a provider's CANCEL", encodeMessage({ command: "CANCEL", sequence: 5, Msg_Id: 1n }, 3), true],
    ["noise", crypto.getRandomValues(new Uint8Array(64)).fill(0xff, 0, 4), false],
  ];
  for (const [what, bytes, terminated] of cases) {
    const b = await PlayedGateway.connect(stage, a, "002001");
    b.connection.send(bytes);
    await stage.settle();
    assertEquals([b.connection.open, b.all("TERMINATE").length === 1], [false, terminated], what);
    await stage.clock.advance(3_000);
  }
  // A FWD that is none has an answer that can say so.
  const fwd = encodeMessage({ ...FWD, sequence: 77 }, 3), cut = fwd.slice(0, 200);
  new DataView(cut.buffer).setUint32(0, cut.length);
  well.connection.send(cut);
  await stage.settle();
  assertEquals(well.all("FWD_RESP").map(({ sequence, Result }) => [sequence, Result]), [[77, 4]]);
  assertEquals(await well.forward({}), 0);
});

Deno.test("a PDU in single octets with gaps is one; a PDU that never ends, and silence, end the connection", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage, {}, { responseMs: 60_000, connectMs: 10_000 });
  const b = await PlayedGateway.connect(stage, a, "002001");
  for (const octet of encodeMessage({ ...FWD, sequence: 9 }, 3)) {
    b.connection.send(new Uint8Array([octet]));
    await stage.clock.advance(100);
  }
  await stage.settle();
  assertEquals(b.all("FWD_RESP").map(({ sequence, Result }) => [sequence, Result]), [[9, 0]]);
  b.connection.send(new Uint8Array([0, 0, 1]));
  await stage.clock.advance(60_000);
  await stage.settle();
  assertEquals(b.connection.open, false);
  const silent = await stage.dial({ host: a.host, port: 7930 });
  silent.run(() => {});
  await stage.clock.advance(10_000);
  await stage.settle();
  assertEquals(silent.open, false);
});

Deno.test("CONNECT of a gateway is refused for who it is, its secret, its version and too many; wrong secrets at speed close the door", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage, { version: "2.0" }, { wrongSecretsPerMinute: 3 });
  const status = async (code: string, options: { secret?: string; version?: number } = {}) =>
    (await PlayedGateway.connect(stage, a, code, options)).all("CONNECT_RESP")[0]?.Status;
  assertEquals(await status("002001", { version: 0x30 }), 4);
  assertEquals(await status("002001", { version: 0x20 }), 0);
  assertEquals([await status("009001"), await status("002001", { secret: "wrong!" })], [2, 3]);
  for (let i = 0; i < 3; i++) assertEquals(await status("002001", { version: 0x20 }), 0);
  assertEquals(await status("002001", { version: 0x20 }), 56);
  assertEquals(await status("009001"), 2);
  assertEquals(await status("009001"), 2);
  // The fourth wrong one was one too many: nobody from there is let in for a minute.
  assertEquals(await status("002001", { version: 0x20 }), undefined);
});

Deno.test("a FWD before CONNECT closes the connection without an answer", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage);
  const got: Message[] = [];
  const stranger = await stage.dial({ host: a.host, port: 7930 });
  stranger.run((frame) => void got.push(frame as unknown as Message));
  stranger.send(encodeMessage(FWD, 3));
  await stage.settle();
  assertEquals([stranger.open, got.length], [false, 0]);
});

Deno.test("a quiet link between gateways is tested after C, and closed where nobody answers N times", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage, {}, { activeTestMs: 30_000, responseMs: 5_000 });
  const b = await PlayedGateway.connect(stage, a, "002001");
  await stage.clock.advance(30_000);
  await stage.settle();
  assertEquals(b.all("ACTIVE_TEST").length, 1);
  await stage.clock.advance(15_000);
  await stage.settle();
  assertEquals([b.all("ACTIVE_TEST").length, b.connection.open], [3, false]);
});

Deno.test("a provider's port takes no FWD, and a gateway's no SUBMIT: they are each other's strangers", async () => {
  await using stage = new Gateways();
  const a = await peerAt(stage);
  const sp = await a.provider();
  sp.send({ ...FWD, sequence: 3 });
  await stage.settle();
  assertEquals(sp.all("TERMINATE").length, 1);
});

Deno.test("secrets of gateways are never shown, and can't be read in the database", async () => {
  await using stage = new Gateways();
  const folder = await Deno.makeTempDir(), database = `sqlite:${folder}/sms.db`;
  const a = await stage.add("001001", { database });
  const secret = "a secret nobody may see";
  await a.ask("POST", "/api/v1/sms/peers", { code: "002001", secret });
  assert(!JSON.stringify(await a.ask("GET", "/api/v1/sms/peers")).includes(secret));
  await a.stop();
  for (const suffix of ["", "-wal"]) {
    const file = await Deno.readFile(database.slice("sqlite:".length) + suffix).catch(() => new Uint8Array());
    assert(!new TextDecoder("latin1").decode(file).includes(secret), suffix);
  }
  await Deno.remove(folder, { recursive: true }); // what is open stays readable
  await a.start();
});
