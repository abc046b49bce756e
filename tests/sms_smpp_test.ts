/**
 * The service before a short-message centre that speaks SMPP 3.4, over real sockets: the centre is the npm library's
 * own server, which reads and writes every PDU by itself.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Metrics, silentLog, systemClock, systemRandom } from "../src/base/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../src/control/mod.ts";
import { MAY_READ, MAY_WRITE } from "../src/platform/sms/access.ts";
import { systemNetwork } from "../src/net/mod.ts";
import type { StatusReport } from "../src/protocol/cmpp/mod.ts";
import { msgIdHex } from "../src/protocol/cmpp/mod.ts";
import { openDatabase } from "../src/storage/mod.ts";
import {
  parseSmppUrl,
  SmppOutlet,
  type Sms,
  smsMigrations,
  type SmsSettings,
  type SmsTables,
  startSms,
} from "../src/platform/sms/mod.ts";
import { type ReceivedText, SpClient } from "../src/sp_client/mod.ts";
import { startProgram } from "../scripts/lib/program.ts";
import { SmppCentre } from "./support/smpp_centre.ts";

const SP = { spId: "900001", secret: "888888", spCode: "10658888" }, PHONE = "13800138000";
const LONG_TEXT = "尊敬的用户，您的宽带业务已受理😀。".repeat(12);

/** A gateway before a centre, with a provider's client and what it was told. */
class Field implements AsyncDisposable {
  readonly metrics = new Metrics();
  readonly deps = { clock: systemClock, random: systemRandom, log: silentLog, metrics: this.metrics };
  readonly network = systemNetwork(this.deps);
  readonly reports: StatusReport[] = [];
  readonly texts: ReceivedText[] = [];
  sms!: Sms;
  sp!: SpClient;
  #stack = new AsyncDisposableStack();

  private constructor(
    readonly dataDir: string,
    readonly url: string,
    readonly settings: Partial<SmsSettings>,
  ) {}

  static async open(centre: SmppCentre, query = "", settings: Partial<SmsSettings> = {}): Promise<Field> {
    const url = `smpp://esme:secret@127.0.0.1:${centre.port}${query}`;
    const field = new Field(await Deno.makeTempDir({ prefix: "gatehouse-smpp-" }), url, settings);
    await field.start();
    return field;
  }

  async start(): Promise<void> {
    const local = { host: "127.0.0.1", port: 0 }, { dataDir } = this;
    const db = this.#stack.use(await openDatabase<SmsTables>(`sqlite:${dataDir}/sms.db`, smsMigrations));
    const outlet = await SmppOutlet.open({ ...this.deps, network: this.network }, {
      ...parseSmppUrl(this.url)!,
      reconnectMs: [20, 50],
    });
    this.sms = this.#stack.use(
      await startSms({ ...this.deps, network: this.network }, { sql: db.sql, dataDir, outlet }, {
        listen: local,
        short: local,
        gatewayCode: "001001",
        ...this.settings,
      }),
    );
    const status = await this.call("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 10_000 });
    assert(status.ok, await status.text());
    this.sp = this.#stack.use(
      new SpClient({ ...this.deps, network: this.network }, {
        server: this.sms.long,
        ...SP,
        reconnectMs: [20, 50],
      }, {
        onReport: (report) => void this.reports.push(report),
        onText: (text) => void this.texts.push(text),
      }),
    );
    await this.sp.ready;
    await until(() => this.sms.health().status === "up" || this.url.includes("wrong"));
  }

  /** Ends everything, leaving the database as it is. */
  async stop(): Promise<void> {
    await this.#stack.disposeAsync();
    this.#stack = new AsyncDisposableStack();
  }

  call(method: string, path: string, body?: unknown): Promise<Response> {
    const api = new Api(this.deps, {
      title: "Test",
      version: "1",
      authenticators: [
        tokenAuthenticator("admin-token", { ...ADMIN, permissions: [...MAY_READ, ...MAY_WRITE] }),
      ],
    });
    api.mount("", this.sms.routes);
    return Promise.resolve(api.request(path, {
      method,
      headers: { authorization: "Bearer admin-token", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }));
  }

  /** Sends and gives the Msg_Ids. */
  async send(text: string, to = PHONE, fields: object = {}): Promise<bigint[]> {
    const parts = await this.sp.sendText({ to: [to], text, from: SP.spCode, report: true, fields });
    assertEquals(parts.filter(({ result }) => result !== 0), []);
    return parts.map(({ msgId }) => msgId);
  }

  /** Stat of each report, once there are so many. */
  async stats(count: number): Promise<string[]> {
    await until(() => this.reports.length >= count);
    return this.reports.map(({ Stat }) => Stat);
  }

  counted(event: string): number {
    const line = new RegExp(`gatehouse_sms_smpp_total\\{event="${event}"\\} (\\d+)`).exec(
      this.metrics.render(),
    );
    return Number(line?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.dataDir, { recursive: true });
  }
}

Deno.test("a long text in Chinese goes to the centre in parts with their headers, and each receipt becomes a report", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre, "?system_type=cmpp");
  const ids = await field.send(LONG_TEXT);
  assertEquals(await field.stats(ids.length), ids.map(() => "DELIVRD"));
  assertEquals(new Set(field.reports.map((one) => one.Msg_Id)), new Set(ids));
  assertEquals(centre.binds, [{ systemId: "esme", password: "secret", systemType: "cmpp", version: 0x34 }]);
  assertEquals(centre.submitted.map((one) => one.message.message).join(""), LONG_TEXT);
  const [first] = centre.submitted;
  assertEquals([
    first!.source,
    first!.destination,
    first!.dataCoding,
    first!.esmClass,
    first!.registeredDelivery,
  ], [
    SP.spCode,
    PHONE,
    8,
    0x40,
    1,
  ]);
  assertEquals([...first!.message.udh![0]!].slice(0, 2), [0, 3]);
  assert(await allAnswered(centre, ids.length));
});

Deno.test("each Msg_Fmt has its data_coding, and octets arrive as they are", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre);
  const octets = Uint8Array.from({ length: 100 }, (_, i) => i * 7 & 0xff);
  await field.send("plain @ text");
  await field.send("中文", PHONE, { Msg_Fmt: 15, Msg_Content: Uint8Array.of(0xd6, 0xd0, 0xce, 0xc4) });
  await field.send("x", PHONE, { Msg_Fmt: 4, Msg_Content: octets });
  await field.send("x", PHONE, { Msg_Fmt: 3, Msg_Content: octets, TP_pId: 0x7f });
  await field.stats(4);
  assertEquals(centre.submitted.map((one) => one.dataCoding), [0, 15, 4, 0xf6]);
  assertEquals(
    new Uint8Array(centre.submitted[1]!.message.message as Uint8Array),
    Uint8Array.of(0xd6, 0xd0, 0xce, 0xc4),
  );
  assertEquals(new Uint8Array(centre.submitted[2]!.message.message as Uint8Array), octets);
  assertEquals(centre.submitted[3]!.protocolId, 0x7f);
});

Deno.test("a centre with the GSM alphabet gets and gives text in it", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre, "?alphabet=gsm");
  // The library reads data_coding 0 as GSM 03.38: what is not written so comes out as something else.
  await field.send("a@b_c {x} $5 ~[]\\^|");
  await field.stats(1);
  assertEquals(centre.submitted[0]!.message.message, "a@b_c {x} $5 ~[]\\^|");
  centre.write({
    source_addr: PHONE,
    destination_addr: SP.spCode,
    data_coding: 0,
    short_message: "ok @ {1}",
  });
  await until(() => field.texts.length === 1);
  assertEquals(field.texts[0]!.text, "ok @ {1}");
});

Deno.test("messages from phones reach the provider in every coding, whole and in parts, and nobody's are refused", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre);
  const to = { source_addr: PHONE, destination_addr: `${SP.spCode}01` };
  centre.write({ ...to, data_coding: 1, short_message: "ascii" });
  await until(() => field.texts.length === 1);
  centre.write({ ...to, data_coding: 8, short_message: "你好😀" });
  await until(() => field.texts.length === 2);
  centre.write({ ...to, data_coding: 3, short_message: Uint8Array.of(0x47, 0xfc, 0x6e) });
  await until(() => field.texts.length === 3);
  // A message_payload is longer than any DELIVER; sar TLVs stand in place of a header.
  centre.write({ ...to, data_coding: 8, message_payload: { message: LONG_TEXT } });
  await until(() => field.texts.length === 4);
  for (const [i, part] of ["one ", "two"].entries()) {
    centre.write({
      ...to,
      data_coding: 1,
      short_message: part,
      sar_msg_ref_num: 7,
      sar_total_segments: 2,
      sar_segment_seqnum: i + 1,
    });
  }
  await until(() => field.texts.length === 5);
  assertEquals(field.texts.map((one) => one.text), ["ascii", "你好😀", "Gün", LONG_TEXT, "one two"]);
  assertEquals(field.texts[0]!.to, `${SP.spCode}01`);
  await allAnswered(centre, 6);
  centre.write({ source_addr: PHONE, destination_addr: "999", data_coding: 1, short_message: "nobody" });
  await until(() => centre.answers.length === 7);
  assertEquals(centre.answers, [0, 0, 0, 0, 0, 0, 0x66]);
});

Deno.test("receipts find their message in hex, in decimal, with zeros in front, by TLV, and before the answer", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre);
  const cases: [ref: string, id: string][] = [
    ["1a2b3c", String(0x1a2b3c)], // answered in hex, reported in decimal
    ["1234567", (1234567).toString(16).toUpperCase()], // the other way round
    ["0000000099", "99"],
    ["ABC-1", "abc-1"],
  ];
  for (const [ref, id] of cases) {
    centre.behaviour.ref = () => ref;
    centre.behaviour.receipt = () => ({ id, stat: "DELIVRD" });
    await field.send("x");
  }
  assertEquals(await field.stats(cases.length), cases.map(() => "DELIVRD"));
  // Without a text that can be read, by the TLVs alone.
  centre.behaviour.receipt = undefined;
  centre.behaviour.ref = () => "tlv-1";
  await field.send("x");
  await until(() => centre.submitted.at(-1)!.ref === "tlv-1");
  centre.report("?", "?", PHONE, { short_message: "", receipted_message_id: "tlv-1", message_state: 5 });
  assertEquals((await field.stats(5))[4], "UNDELIV");
  // A receipt that overtakes the answer.
  Object.assign(centre.behaviour, {
    early: true,
    ref: () => "early",
    receipt: () => ({ id: "early", stat: "EXPIRED" }),
  });
  await field.send("x");
  assertEquals((await field.stats(6))[5], "EXPIRED");
});

Deno.test("the centre's states become Stats, one under way ends nothing, and a strange receipt is answered and counted", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre);
  centre.behaviour.receipt = undefined;
  const states = ["DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD", "MK:0012"];
  for (const stat of states) {
    await field.send("x");
    await until(() => field.reports.length === centre.submitted.length - 1);
    const { ref } = centre.submitted.at(-1)!;
    // Answered once it is dealt with: what follows it can't overtake it.
    centre.report(ref, "ENROUTE", PHONE);
    centre.report(ref, "ACCEPTD", PHONE);
    centre.report(ref, stat, "13911112222"); // of another phone: not this message
    centre.report(ref, stat, PHONE);
    await field.stats(centre.submitted.length);
  }
  assertEquals(field.reports.map((one) => one.Stat), states);
  assertEquals(field.counted("receipt_unknown"), states.length);
  assertEquals(new Set(centre.answers), new Set([0]));
});

Deno.test("a throttled message comes again, a refused one ends with the centre's error", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre);
  centre.behaviour.status = (nth) => nth === 1 ? 0x58 : nth === 2 ? 0x14 : 0;
  await field.send("again");
  assertEquals(await field.stats(1), ["DELIVRD"]);
  assertEquals([centre.submitted.length, field.counted("throttled")], [1, 2]);
  centre.behaviour.status = () => 0x0b;
  await field.send("no such number");
  assertEquals((await field.stats(2))[1], "MB:0011");
});

Deno.test("a centre that takes a message and does not answer is a Stat of its own", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre, "?response=1");
  centre.behaviour.mute = true;
  await field.send("x");
  assertEquals(await field.stats(1), ["MA:0000"]);
});

Deno.test("links are tested, a dead one is left, and nothing is lost when the centre is cut off again and again", async () => {
  await using centre = await SmppCentre.start();
  await using field = await Field.open(centre, "?enquire=1&response=1");
  await until(() => centre.enquiries > 0);
  centre.behaviour.alive = false;
  await until(() => centre.binds.length === 2);
  centre.behaviour.alive = true;
  const sent: bigint[] = [];
  for (let round = 0; round < 5; round++) {
    const batch = Array.from({ length: 40 }, (_, i) => field.send(`${round}/${i}`, `1380013${1000 + i}`));
    centre.cut();
    sent.push(...(await Promise.all(batch)).flat());
  }
  // What was cut off between a submit_sm and its answer is handed over again; receipts that were cut off are not.
  const got = () => new Set(centre.submitted.map((one) => `${one.destination} ${one.message.message}`)).size;
  await until(() => got() === 200);
  assertEquals(new Set(sent).size, 200);
});

for (const [where, maxTaken] of [["memory", 100], ["the database", 0]] as const) {
  Deno.test(`after a restart messages are not handed over again, and receipts of before it find them (in ${where})`, async () => {
    await using centre = await SmppCentre.start();
    await using field = await Field.open(centre, "", { maxTaken });
    centre.behaviour.receipt = undefined;
    const [id] = await field.send("before");
    await until(async () => {
      const { items } = await (await field.call("GET", "/api/v1/sms/messages")).json();
      return items[0].state === "sent";
    });
    await field.stop();
    await field.start();
    await until(() => centre.connections === 1);
    const { items } = await (await field.call("GET", "/api/v1/sms/outlets")).json();
    assertEquals([items[0].connected, items[0].unreported], [true, maxTaken > 0 ? 1 : 0]);
    centre.report(centre.submitted[0]!.ref, "DELIVRD", PHONE);
    await field.stats(1);
    assertEquals([field.reports[0]!.Msg_Id, field.reports[0]!.Stat], [id, "DELIVRD"]);
    assertEquals(centre.submitted.length, 1);
    const messages = await (await field.call("GET", "/api/v1/sms/messages")).json();
    assertEquals(messages.items.map((one: { msgId: string; state: string }) => [one.msgId, one.state]), [
      [msgIdHex(id!), "delivered"],
    ]);
  });
}

Deno.test("a centre that refuses the bind is named, and let in once the password fits", async () => {
  await using centre = await SmppCentre.start();
  centre.password = "another";
  const field = await Field.open(centre, "?system_type=wrong");
  await using _field = field;
  await until(() => field.counted("down") > 1);
  const { items } = await (await field.call("GET", "/api/v1/sms/outlets")).json();
  assertEquals(items[0].connected, false);
  assert(items[0].lastError.includes("0xd"), items[0].lastError);
  assertEquals(field.sms.health().status, "degraded");
  assert(!JSON.stringify(items).includes("secret"));
  centre.password = "secret";
  await until(() => field.sms.health().status === "up");
});

Deno.test("the program takes the centre from its settings, and the password from the environment or a file", async () => {
  await using centre = await SmppCentre.start();
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-smpp-" });
  await Deno.writeTextFile(`${dataDir}/password`, "secret\n");
  for (
    const [args, env] of [
      [[], { GATEHOUSE_SMS_OUTLET_PASSWORD: "secret" }],
      [["--sms-outlet-password-file", `${dataDir}/password`], {}],
    ] as const
  ) {
    const binds = centre.binds.length;
    await using _program = await startProgram("platform", [
      ...["--services", "sms", "--http", "127.0.0.1:0", "--sms", "127.0.0.1:0", "--sms-short", "127.0.0.1:0"],
      ...["--sms-outlet", `smpp://esme@127.0.0.1:${centre.port}?window=7`],
      ...args,
    ], { dataDir, env });
    await until(() => centre.binds.length === binds + 1);
    assertEquals(centre.binds.at(-1)!.password, "secret");
  }
  const wrong = ["--services", "sms", "--sms-outlet", "smpp://esme:secret@127.0.0.1:2775?windows=7"];
  const error = await assertRejects(() => startProgram("platform", wrong, { dataDir }), Error);
  assert(error.message.includes("--sms-outlet") && !error.message.includes("secret"), error.message);
  await Deno.remove(dataDir, { recursive: true });
});

async function allAnswered(centre: SmppCentre, count: number): Promise<boolean> {
  await until(() => centre.answers.length >= count);
  return centre.answers.every((status) => status === 0);
}

/** Waits for something that another side does; the limit is there so that a failure ends. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!await done()) {
    if (performance.now() > limit) throw new Error("did not happen within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
