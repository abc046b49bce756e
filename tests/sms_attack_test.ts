/**
 * Hostile peers at the short-message service's ports, over real sockets: whatever they send, providers are served.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../src/base/mod.ts";
import { authenticatorSource, encodeMessage, type Message, PduDecoder } from "../src/protocol/cmpp/mod.ts";
import { decodeMessage } from "../src/protocol/cmpp/mod.ts";
import { mutated } from "./support/hostile.ts";
import { realDeps, type TestPlatform, testPlatform } from "./support/platform.ts";

const SP = { spId: "900001", secret: "888888", spCode: "10658888" };
const CONNECT = {
  command: "CONNECT",
  sequence: 1,
  Source_Addr: SP.spId,
  AuthenticatorSource: authenticatorSource(SP.spId, SP.secret, 1122035011),
  Version: 0x30,
  Timestamp: 1122035011,
} as const;
const SUBMIT = {
  command: "SUBMIT",
  sequence: 2,
  Msg_Id: 0n,
  Pk_total: 1,
  Pk_number: 1,
  Registered_Delivery: 0,
  Msg_level: 0,
  Service_Id: "",
  Fee_UserType: 2,
  Fee_terminal_Id: "",
  Fee_terminal_type: 0,
  TP_pId: 0,
  TP_udhi: 0,
  Msg_Fmt: 0,
  Msg_src: SP.spId,
  FeeType: "01",
  FeeCode: "0",
  ValId_Time: "",
  At_Time: "",
  Src_Id: SP.spCode,
  Dest_terminal_Id: ["13800138000"],
  Dest_terminal_type: 0,
  Msg_Content: new TextEncoder().encode("hello"),
  LinkID: "",
} as const;
const VALID: readonly Message[] = [
  SUBMIT,
  { command: "QUERY", sequence: 3, Time: "20261122", Query_Type: 0, Query_Code: "", Reserve: "" },
  { command: "CANCEL", sequence: 4, Msg_Id: 5n },
  { command: "ACTIVE_TEST", sequence: 5 },
  { command: "DELIVER_RESP", sequence: 6, Msg_Id: 5n, Result: 0 },
];

async function platformWithProvider(): Promise<TestPlatform & { metrics: () => Promise<string> }> {
  const local = { host: "127.0.0.1", port: 0 };
  const deps = realDeps();
  const platform = await testPlatform({
    deps,
    settings: { services: ["sms"], sms: { listen: local, short: local, gatewayCode: "001001" } },
  });
  const { status } = await platform.call("POST", "/api/v1/sms/accounts", {
    ...SP,
    ratePerSecond: 100_000,
    maxConnections: 1000,
  });
  assertEquals(status, 201);
  return Object.assign(platform, { metrics: () => Promise.resolve(deps.metrics.render()) });
}

/** A raw connection, and what comes over it. */
class Raw {
  readonly #decoder = new PduDecoder();
  readonly #waiting: Message[] = [];

  private constructor(readonly socket: Deno.TcpConn) {}

  static async open(port: number): Promise<Raw> {
    return new Raw(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** false where the other side has closed. */
  async send(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.socket.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  /** The next message; undefined at the end. */
  async next(): Promise<Message | undefined> {
    const buffer = new Uint8Array(4096);
    while (this.#waiting.length === 0) {
      const count = await this.socket.read(buffer).catch(() => null);
      if (count === null) return undefined;
      for (const pdu of this.#decoder.push(buffer.slice(0, count))) this.#waiting.push(decodeMessage(pdu, 3));
    }
    return this.#waiting.shift();
  }

  async connect(): Promise<void> {
    await this.send(encodeMessage(CONNECT, 3));
    const answer = await this.next();
    assertEquals(answer?.command === "CONNECT_RESP" && answer.Status, 0);
  }
}

Deno.test("a SUBMIT cut at every single octet is answered like a whole one", async () => {
  await using platform = await platformWithProvider();
  const raw = await Raw.open(platform.ports.sms!);
  raw.socket.setNoDelay(true);
  await raw.connect();
  const length = encodeMessage(SUBMIT, 3).length;
  for (let cut = 1; cut < length; cut++) {
    const pdu = encodeMessage({ ...SUBMIT, sequence: 1000 + cut }, 3);
    await raw.send(pdu.subarray(0, cut));
    await raw.send(pdu.subarray(cut));
    const answer = await raw.next();
    if (answer?.command !== "SUBMIT_RESP") throw new Error(`cut at ${cut}: ${answer?.command}`);
    assertEquals([answer.sequence, answer.Result], [1000 + cut, 0]);
  }
  raw.socket.close();
});

Deno.test("thousands of hostile PDUs, before and after CONNECT, and a provider is served all the while", async () => {
  await using platform = await platformWithProvider();
  const port = platform.ports.sms!, random = seededRandom(4);
  const good = await Raw.open(port);
  await good.connect();
  for (let round = 0; round < 300; round++) {
    const raw = await Raw.open(port);
    if (round % 3 > 0) await raw.connect();
    for (let i = 0; i < 20; i++) {
      const seed = encodeMessage(VALID[Math.floor(random.float() * VALID.length)]!, 3);
      const bytes = random.float() < 0.2
        ? random.bytes(Math.floor(random.float() * 300))
        : mutated(seed, random);
      // A Total_Length that fits lets the rest of the nonsense through to the messages.
      if (bytes.length >= 4 && random.float() < 0.7) new DataView(bytes.buffer).setUint32(0, bytes.length);
      if (!await raw.send(bytes)) break;
    }
    raw.socket.close();
    if (round % 10 === 0) {
      await good.send(encodeMessage({ ...SUBMIT, sequence: 5000 + round }, 3));
      const answer = await good.next();
      assertEquals(answer?.command === "SUBMIT_RESP" && [answer.sequence, answer.Result], [5000 + round, 0]);
    }
  }
  good.socket.close();
});

Deno.test("a claim of two gigabytes, and traffic before CONNECT, end the connection at once", async () => {
  await using platform = await platformWithProvider();
  const claim = new Uint8Array(12);
  new DataView(claim.buffer).setUint32(0, 0x7fff_ffff);
  for (
    const [connected, bytes] of [[true, claim], [false, claim], [false, encodeMessage(SUBMIT, 3)]] as const
  ) {
    const raw = await Raw.open(platform.ports.sms!);
    if (connected) await raw.connect();
    await raw.send(bytes);
    assertEquals(await raw.next(), undefined);
    raw.socket.close();
  }
  const metrics = await platform.metrics();
  assertEquals(/gatehouse_sms_faults_total\{fault="before_connect"\} 1/.test(metrics), true, metrics);
});

Deno.test("wrong secrets at speed are answered 3 a few times and then not at all, and who is connected is served", async () => {
  await using platform = await platformWithProvider();
  const port = platform.ports.sms!;
  const good = await Raw.open(port);
  await good.connect();
  const answers: (number | undefined)[] = [];
  for (let wave = 0; wave < 10; wave++) {
    answers.push(
      ...await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const raw = await Raw.open(port);
        const Timestamp = 1122035011 + wave * 50 + i;
        const AuthenticatorSource = authenticatorSource(SP.spId, `guess-${wave}-${i}`, Timestamp);
        await raw.send(encodeMessage({ ...CONNECT, AuthenticatorSource, Timestamp }, 3));
        const answer = await raw.next();
        raw.socket.close();
        return answer?.command === "CONNECT_RESP" ? answer.Status : undefined;
      })),
    );
    await good.send(encodeMessage({ ...SUBMIT, sequence: 9000 + wave }, 3));
    const answer = await good.next();
    assertEquals(answer?.command === "SUBMIT_RESP" && [answer.sequence, answer.Result], [9000 + wave, 0]);
  }
  // Those that were let in before the twenty-first was counted are answered too; then nobody of that address is.
  const answered = answers.filter((status) => status !== undefined);
  assertEquals([new Set(answered), answered.length >= 20, answered.length <= 50], [new Set([3]), true, true]);
  assertEquals(answers.slice(50).filter((status) => status !== undefined), []);
  good.socket.close();
});
