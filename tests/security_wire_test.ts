/**
 * Attacks on the ports that gateways speak to: forged heartbeats, amplification, callers that dawdle.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../src/base/mod.ts";
import { realDeps, testPlatform } from "./support/platform.ts";
import { h, identity, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";

const RND = "0123456789ABCDEF0123456789ABCDEF", OTHER_RND = "FEDCBA9876543210FEDCBA9876543210";
const utf8 = new TextEncoder();

/** A UDP socket at another address of this machine, which answers in bytes. */
class Stranger implements Disposable {
  readonly #socket: Deno.DatagramConn;

  constructor(hostname = "127.0.0.2") {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  }

  /** The answer's bytes; undefined where `after`, which is certainly answered, is answered first. */
  async ask(message: string, port: number, after: string): Promise<Uint8Array | undefined> {
    const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
    await this.#socket.send(utf8.encode(message), to);
    await this.#socket.send(utf8.encode(after), to);
    const first = (await this.#socket.receive())[0].slice();
    const text = new TextDecoder().decode(first);
    if (text === UNKNOWN_ANSWER) return undefined;
    await this.#socket.receive();
    return first;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A message that is always answered, and by what. */
const UNKNOWN = JSON.stringify({ RPCMethod: "Nothing" }), UNKNOWN_ANSWER = '{"Result":-1}';

Deno.test("a stranger's heartbeats neither keep a gateway online nor take its triggers away", async () => {
  const clock = new FakeClock(Date.now());
  await using p = await testPlatform({ deps: { ...realDeps(), clock } });
  using udp = new UdpPeer();
  using stranger = new Stranger();
  const me = identity(60), { access } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  assertEquals((await register(udp, access!, me, RND)).Result, 2);
  const beat = JSON.stringify({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" });
  const shown = async () => (await p.call("GET", `/api/v1/gateways/${me.mac}`)).body;
  const before = await shown();
  assertEquals(before["online"], true);
  for (let i = 0; i < 4; i++) {
    await clock.advance(60_000);
    const answer = await stranger.ask(beat, access!, UNKNOWN);
    assertEquals(new TextDecoder().decode(answer), '{"Result":-3}');
  }
  const after = await shown();
  assertEquals([after["online"], after["address"]], [false, before["address"]], "its own silence counts");
  // The gateway itself is back with its next heartbeat, and is the one that is triggered.
  assertEquals((await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, access!)).Result, 0);
  await stranger.ask(beat, access!, UNKNOWN);
  const asked = p.call("POST", `/api/v1/gateways/${me.mac}/commands`, { parameter: { CmdType: "X" } });
  assertEquals((await udp.hear()).RPCMethod, "RequestPlug-in");
  await asked;
});

Deno.test("a port that another host behind the same address took is the gateway's again with its next heartbeat", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  using neighbour = new UdpPeer();
  const me = identity(61), { access } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, access!, me, RND);
  const beat = { RPCMethod: "Hb", MAC: me.mac, FLAG: "0" };
  assertEquals((await neighbour.ask(beat, access!)).Result, 0, "its NAT may give a gateway another port");
  assertEquals((await udp.ask(beat, access!)).Result, 0);
  const asked = p.call("POST", `/api/v1/gateways/${me.mac}/commands`, { parameter: { CmdType: "X" } });
  assertEquals((await udp.hear()).RPCMethod, "RequestPlug-in");
  await asked;
});

Deno.test("an answer to a trigger from anywhere else gives a gateway no other DevRND", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  using stranger = new Stranger();
  const me = identity(62), { access } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, access!, me, RND);
  const asked = p.call("POST", `/api/v1/gateways/${me.mac}/commands`, { parameter: { CmdType: "X" } });
  assertEquals((await udp.hear()).Key, h(RND, me.sn));
  const forged = JSON.stringify({ Result: 0, DevRND: OTHER_RND });
  assertEquals(await stranger.ask(forged, access!, UNKNOWN), undefined, "not even answered");
  assertEquals((await udp.hear()).Key, h(RND, me.sn), "it is still waited for");
  assertEquals(
    await udp.ask({ Result: 0, DevRND: OTHER_RND }, access!),
    { Result: 1 },
    "from itself it is taken",
  );
  await asked;
});

/** All that a fresh socket is answered within a moment. */
async function answersTo(text: string, port: number): Promise<Uint8Array[]> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const heard: Uint8Array[] = [];
  const listening = (async () => {
    for await (const [bytes] of socket) heard.push(bytes);
  })();
  await socket.send(utf8.encode(text), { transport: "udp", hostname: "127.0.0.1", port });
  // What comes later than this is not seen: that can only hide a fault, not make one up.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  socket.close();
  await listening;
  return heard;
}

Deno.test("no datagram gets more than one answer, or one more than twice as long as itself, from whoever it comes", async () => {
  await using p = await testPlatform();
  const { access, distribution } = p.ports as Record<string, number>;
  let count = 100;
  const known: ReturnType<typeof identity>[] = [];
  const mac = () => {
    known.push(identity(++count));
    return known.at(-1)!.mac;
  };
  const maker = { Vendor: "", Model: "", FirmwareVer: "", HardwareVer: "" };
  const boot = () => ({ MAC: mac(), IPAddr: "1.2.3.4", PlatformID: "OTHER" });
  const more = { DevRND: RND, LOID: "L", Card: "", OsVer: "", AppVer: "" };
  const messages = () => [
    { RPCMethod: "Hb", MAC: mac(), FLAG: "0" },
    { RPCMethod: "Hb", MAC: mac() },
    { RPCMethod: "Hb" },
    { RPCMethod: "?" },
    { RPCMethod: "" },
    { Result: 0 },
    { Result: 0, DevRND: RND },
    { RPCMethod: "BootFirst", ...maker, ...boot() },
    { RPCMethod: "BootFirst", ...boot() },
    { RPCMethod: "BootFirst", MAC: mac() },
    { RPCMethod: "RegisterFirst", CheckSN: h("a"), MAC: mac() },
    { RPCMethod: "RegisterFirst", CheckSN: "" },
    { RPCMethod: "Boot", ...maker, ...boot(), ...more },
    { RPCMethod: "Boot", ...boot(), ...more },
    { RPCMethod: "Boot", MAC: mac(), DevRND: RND },
    { RPCMethod: "Boot", MAC: mac() },
    { RPCMethod: "Register", MAC: mac(), CheckSN: h("a"), UserID: h("b"), pppoename: "", flag: "0" },
    { RPCMethod: "Register", MAC: mac() },
    { RPCMethod: "RequestPlug-in", Key: h("a"), ServerAddr: "a", ServerPort: 1 },
    {},
  ];
  const texts = [access!, distribution!].map((port) =>
    [port, [...messages().map((message) => JSON.stringify(message)), "", "{", "x".repeat(1400)]] as const
  );
  await p.call("POST", "/api/v1/gateways", known);
  let answered = 0, worst = 0;
  await Promise.all(texts.flatMap(([port, all]) =>
    all.map(async (text) => {
      const answers = await answersTo(text, port), length = utf8.encode(text).length;
      answered += answers.length;
      assert(answers.length <= 1, `${text} was answered ${answers.length} times`);
      for (const answer of answers) {
        worst = Math.max(worst, answer.length / length);
        assert(answer.length <= 2 * length, `${text} got ${new TextDecoder().decode(answer)}`);
      }
    })
  ));
  assert(answered >= 10, `${answered} were answered`);
  // Only where the sender left out what a gateway says of itself, and only for a MAC that is preset.
  assert(worst < 2, `the worst answer is ${worst} times as long as its question`);
});

/** What a dawdler sends in a given second, and how many seconds he may go on. */
const DAWDLES:
  readonly (readonly [what: string, octet: (second: number) => number | undefined, most: number])[] = [
    // The length of a frame of 4 KiB, and then of its content.
    ["an octet of a frame now and then", (second) => [0, 0, 16, 0][second] ?? 0x20, 20],
    ["nothing at all", () => undefined, 600],
  ];

for (const [what, octet, most] of DAWDLES) {
  Deno.test(`a caller that sends ${what} is closed in time, at every TCP port of the platform`, async () => {
    const clock = new FakeClock(Date.now());
    await using p = await testPlatform({ deps: { ...realDeps(), clock } });
    for (const port of ["distribution", "plugin_center", "push"]) {
      using peer = await TcpPeer.connect(p.ports[port]!);
      let closed = false;
      const end = peer.hear().then(() => closed = true);
      let seconds = 0;
      for (; !closed && seconds < most; seconds++) {
        const byte = octet(seconds);
        if (byte !== undefined) await peer.conn.write(new Uint8Array([byte])).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 2));
        await clock.advance(1000);
      }
      // What was closed may need another moment to be seen here.
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 5000))]);
      assert(closed, `${port}: still open after ${seconds} s`);
    }
  });
}

Deno.test("a place at the plug-in centre is not kept by messages that are no sign-in", async () => {
  await using p = await testPlatform();
  const me = identity(64);
  await p.call("POST", "/api/v1/gateways", me);
  for (
    const message of [
      { RPCMethod: "Heartbeat", IPAddr: "1.2.3.4", MAC: me.mac },
      {
        RPCMethod: "Boot",
        Vendor: "M",
        Model: "M",
        FirmwareVer: "1",
        HardwareVer: "1",
        MAC: me.mac,
        IPAddr: "1.2.3.4",
        LOID: me.loid,
        Card: "",
      },
    ]
  ) {
    using peer = await TcpPeer.connect(p.ports["plugin_center"]!);
    let answers = 0;
    while (await peer.ask(message).catch(() => undefined)) if (++answers > 100) break;
    assert(answers < 20, `${answers} answers to ${message.RPCMethod}`);
  }
});

Deno.test("an answer to an earlier challenge opens no plug-in channel, on the same connection or another", async () => {
  await using p = await testPlatform();
  const me = identity(65);
  await p.call("POST", "/api/v1/gateways", me);
  const boot = {
    RPCMethod: "Boot",
    Vendor: "M",
    Model: "M",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: me.mac,
    IPAddr: "1.2.3.4",
    LOID: me.loid,
    Card: "",
  };
  using first = await TcpPeer.connect(p.ports["plugin_center"]!);
  const old = (await first.ask(boot))!["ChallengeCode"];
  const replay = { RPCMethod: "Register", CheckSN: h(String(old), me.sn) };
  using other = await TcpPeer.connect(p.ports["plugin_center"]!);
  await other.ask(boot);
  assertEquals((await other.ask(replay))?.Result, -1);
  assertEquals(await other.hear(), undefined);
  await first.ask(boot);
  assertEquals((await first.ask(replay))?.Result, -1);
  assertEquals(await first.hear(), undefined);
});
