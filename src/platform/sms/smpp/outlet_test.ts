import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../../base/mod.ts";
import { type FramedConnection, FramedServer, MemoryNetwork } from "../../../net/mod.ts";
import { PduDecoder } from "../../../protocol/cmpp/mod.ts";
import { Stage, SUBMIT } from "../testing_stage.ts";
import { SmppError } from "./errors.ts";
import { loadSmpp } from "./library.ts";
import { SmppOutlet } from "./outlet.ts";
import { SmppCodec, type SmppPdu } from "./pdu.ts";
import { Refs } from "./refs.ts";
import { parseSmppUrl } from "./settings.ts";

const codec = new SmppCodec(await loadSmpp());
const URL_ = "smpp://esme:secret@10.0.0.9:2775";

const deps = (clock: FakeClock, network: MemoryNetwork) => ({
  clock,
  network,
  log: silentLog,
  metrics: new Metrics(),
});

/** A centre over a network in memory, which answers as the test says. */
class Centre implements AsyncDisposable {
  readonly got: SmppPdu[] = [];
  readonly connectedAt: number[] = [];
  answers: (pdu: SmppPdu) => Uint8Array | undefined = (pdu) =>
    codec.encode(`${pdu.command}_resp`, pdu.sequence);
  connection: FramedConnection | undefined;
  outlet: SmppOutlet | undefined;
  readonly #server: FramedServer;

  constructor(
    readonly clock = new FakeClock(1_000_000),
    readonly network = new MemoryNetwork({ clock, random: seededRandom(1) }),
  ) {
    this.#server = new FramedServer(network.listen({ host: "10.0.0.9", port: 2775 }), {
      framing: { decoder: () => new PduDecoder(20_000), encode: (pdu) => pdu },
      clock,
      log: silentLog,
      limits: { idleMs: 0 },
      onConnection: (connection) => {
        this.connectedAt.push(clock.monotonic());
        this.connection = connection;
        return (frame) => {
          const pdu = codec.decode(frame);
          this.got.push(pdu);
          const answer = this.answers(pdu);
          if (answer) connection.send(answer);
        };
      },
    });
  }

  /** With an outlet of its own. */
  static async open(url = URL_): Promise<Centre> {
    const centre = new Centre();
    centre.outlet = await SmppOutlet.open(deps(centre.clock, centre.network), parseSmppUrl(url)!);
    centre.outlet!.listen({
      onReceipt: () => Promise.resolve(),
      onMobileOriginated: () => Promise.resolve(true),
    });
    return centre;
  }

  count(command: string): number {
    return this.got.filter((pdu) => pdu.command === command).length;
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await this.clock.advance(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ending = this.outlet?.[Symbol.asyncDispose]();
    for (let i = 0; i < 100; i++) await this.clock.advance(1_000);
    await ending;
    const stopping = this.#server.stop();
    await this.clock.advance(5_000);
    await stopping;
  }
}

Deno.test("the outlet connects again later and later while the centre refuses it, and soon after it was bound", async () => {
  await using centre = await Centre.open();
  centre.answers = (pdu) => codec.encode("bind_transceiver_resp", pdu.sequence, {}, 0x0d);
  await centre.clock.advance(200_000);
  const pauses = centre.connectedAt.slice(1).map((at, i) => Math.round((at - centre.connectedAt[i]!) / 1000));
  assertEquals(pauses.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
  assertEquals(centre.outlet!.status().connected, false);
  centre.answers = (pdu) => codec.encode(`${pdu.command}_resp`, pdu.sequence);
  await centre.clock.advance(60_000);
  assertEquals(centre.outlet!.connected, true);
  const before = centre.connectedAt.length;
  centre.connection!.close();
  await centre.clock.advance(1_100);
  assertEquals([centre.connectedAt.length - before, centre.outlet!.connected], [1, true]);
});

Deno.test("a quiet link is tested, and left where the test is not answered", async () => {
  await using centre = await Centre.open(`${URL_}?enquire=30&response=10`);
  await centre.settle();
  await centre.clock.advance(30_000);
  assertEquals([centre.count("enquire_link"), centre.outlet!.connected], [1, true]);
  centre.answers = (pdu) =>
    pdu.command === "enquire_link" ? undefined : codec.encode(`${pdu.command}_resp`, pdu.sequence);
  await centre.clock.advance(40_000);
  assertEquals(centre.outlet!.status().lastError, "the connection ended: enquire_link was not answered");
});

Deno.test("what the centre sends amiss ends its connection, or is answered with an error, and harms nothing else", async () => {
  await using centre = await Centre.open();
  await centre.settle();
  const random = seededRandom(3);
  const deliver = codec.encode("deliver_sm", 9, {
    source_addr: "13800138000",
    destination_addr: "10658888",
    esm_class: 4,
    short_message: new TextEncoder().encode("id:1 stat:DELIVRD"),
    receipted_message_id: "1",
  });
  for (let round = 0; round < 150; round++) {
    const octets = random.float() < 0.3
      ? random.bytes(16 + Math.floor(random.float() * 80))
      : Uint8Array.from(deliver, (octet) => random.float() < 0.03 ? Math.floor(random.float() * 256) : octet);
    if (random.float() < 0.9) new DataView(octets.buffer).setUint32(0, octets.length);
    if (!centre.connection!.send(octets)) await centre.clock.advance(2_000);
    await centre.settle();
  }
  await centre.clock.advance(130_000);
  assertEquals(centre.outlet!.connected, true);
  const answer = centre.outlet!.submit({ msgId: 1n, submit: SUBMIT, expiresAt: 9e12 });
  centre.answers = (pdu) => codec.encode("submit_sm_resp", pdu.sequence, { message_id: "7" });
  await centre.settle();
  assertEquals((await answer).kind === "busy", false);
});

Deno.test("a PDU is read within its length only, and nothing else of it is believed", () => {
  const whole = codec.encode("deliver_sm", 5, {
    source_addr: "1",
    short_message: new Uint8Array(20).fill(65),
  });
  assertEquals(codec.decode(whole).sequence, 5);
  for (let cut = 17; cut < whole.length; cut++) {
    // Text without its end, a length that claims more: an error, never a neighbour's octets.
    try {
      const { fields } = codec.decode(whole.subarray(0, cut));
      assert(!("short_message" in fields));
    } catch (error) {
      assert(error instanceof SmppError, String(error));
    }
  }
  assertThrows(() => codec.decode(whole.subarray(0, 15)), SmppError, "16 octets");
  const claim = whole.slice();
  claim[whole.length - 21] = 200; // sm_length
  assertThrows(() => codec.decode(claim), SmppError, "reaches past the end");
});

Deno.test("names of messages are found in either form, for the same phone only", () => {
  const refs = new Refs();
  refs.add("00FF", { msgId: 1n, number: "+8613800138000" });
  assertEquals([refs.find("ff", "13800138000"), refs.find("255", "8613800138000"), refs.find("0255", "")], [
    1n,
    1n,
    1n,
  ]);
  assertEquals([refs.find("ff", "13900139000"), refs.find("fe", "13800138000")], [undefined, undefined]);
  refs.add("10", { msgId: 2n, number: "13800138001" }); // 0x10 is 16
  refs.add("16", { msgId: 3n, number: "13800138002" });
  assertEquals([refs.find("16", "13800138001"), refs.find("16", "13800138002")], [2n, 3n]);
  refs.forget(3n);
  assertEquals([refs.find("16", "13800138002"), refs.size], [undefined, 2]);
  refs.add("10", { msgId: 4n, number: "13800138009" }); // the centre has come round
  refs.forget(2n);
  assertEquals(refs.find("10", "13800138009"), 4n);
});

Deno.test("a URL names the centre and how to speak to it; what is wrong in it is none", () => {
  const settings = parseSmppUrl(
    "smpp://us%40er:p%3Ass@[2001:db8::1]?window=5&alphabet=gsm&enquire=7&response=8",
  )!;
  const { server, systemId, password, window, alphabet, enquireMs, responseMs } = settings;
  assertEquals([server, systemId, password, window, alphabet, enquireMs, responseMs], [
    { host: "2001:db8::1", port: 2775 },
    "us@er",
    "p:ss",
    5,
    "gsm",
    7_000,
    8_000,
  ]);
  assertEquals(parseSmppUrl("smpp://user@host:1", "from a file")?.password, "from a file");
  for (
    const wrong of [
      "http://user@host",
      "smpp://host",
      "smpp://user:x@host:0",
      "smpp://user@host?window=0",
      "smpp://user@host?windows=1",
      "smpp://user@host?alphabet=utf8",
      "smpp://user@host/path",
      "smpp://%ZZ@host",
      `smpp://${"u".repeat(16)}@host`,
    ]
  ) assertEquals(parseSmppUrl(wrong), undefined, wrong);
});

Deno.test("a message whose receipt is lost is EXPIRED a while after its validity, over a restart too; a late one counts", async () => {
  await using stage = await Stage.open();
  await stage.stop();
  await using centre = new Centre(stage.clock, stage.network);
  let nth = 0;
  centre.answers = (pdu) =>
    pdu.command === "submit_sm"
      ? codec.encode("submit_sm_resp", pdu.sequence, { message_id: `m${++nth}` })
      : codec.encode(`${pdu.command}_resp`, pdu.sequence);
  const open = () => SmppOutlet.open(deps(stage.clock, stage.network), parseSmppUrl(URL_)!);
  await stage.start({}, await open());
  let provider = await stage.connect();
  const lost = await stage.submit(provider, { ValId_Time: "000000000200000R" });
  const late = await stage.submit(provider, { ValId_Time: "000000000200000R" });
  await stage.clock.advance(60_000);
  assertEquals(centre.count("submit_sm"), 2);
  await stage.stop();
  await stage.start({}, await open());
  provider = await stage.connect();
  await stage.clock.advance(65_000); // its validity is over, and a receipt may still come
  assertEquals(provider.reports(), []);
  centre.connection!.send(codec.encode("deliver_sm", 1, {
    source_addr: SUBMIT.Dest_terminal_Id[0],
    esm_class: 4,
    short_message: new TextEncoder().encode("id:m2 stat:DELIVRD"),
  }));
  await stage.settle();
  assertEquals(provider.reports(), [{ id: late.Msg_Id, stat: "DELIVRD" }]);
  await stage.clock.advance(70_000);
  assertEquals(provider.reports().at(-1), { id: lost.Msg_Id, stat: "EXPIRED" });
  assertEquals([provider.reports().length, centre.count("submit_sm")], [2, 2]);
});
