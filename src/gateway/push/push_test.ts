import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeBase64 } from "@std/encoding";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { FramedServer, MemoryNetwork } from "../../net/mod.ts";
import {
  decodeMessagePush,
  encodeFrame,
  encodeMessagePushReply,
  FrameDecoder,
  messageMd5,
  type MessagePush as Message,
} from "../../protocol/smart_gateway/mod.ts";
import {
  AGENT_NAME,
  type AgentMemory,
  AgentMessages,
  MAX_PUSH_BYTES,
  MessagePush,
  PushError,
  type PushOptions,
  type Remembered,
} from "./mod.ts";

const MAC = "64D95420214B", SN = "64D954-D6AEE64D95420214B";
const SERVER = { host: "10.0.0.2", port: 12115 };

/** A message server made of a script, on a network in memory, under a clock that the test moves. */
class Bench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly deps = { clock: this.clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly heard: Message[] = [];
  connections = 0;
  /** The result of a message; undefined: no answer; null: hangs up. */
  answer: (message: Message) => number | undefined | null = () => 0;
  push!: MessagePush;
  #server: FramedServer | undefined;

  private constructor(readonly dir: string) {}

  static async open(options: Partial<PushOptions> = {}): Promise<Bench> {
    const bench = new Bench(await Deno.makeTempDir({ prefix: "gatehouse-push-" }));
    bench.listen();
    await bench.start(options);
    return bench;
  }

  async start(options: Partial<PushOptions> = {}): Promise<void> {
    this.push = await MessagePush.open(this.deps, {
      dir: this.dir,
      mac: MAC,
      sn: SN,
      network: this.network,
      ...options,
    });
  }

  listen(at = SERVER): void {
    this.#server = new FramedServer(this.network.listen(at), {
      clock: this.clock,
      log: silentLog,
      framing: { decoder: () => new FrameDecoder(), encode: (payload) => encodeFrame(payload) },
      limits: { idleMs: 0 },
      onConnection: () => {
        this.connections++;
        return (frame, connection) => {
          const message = decodeMessagePush(frame);
          this.heard.push(message);
          const result = this.answer(message);
          if (result === null) connection.close();
          else if (result !== undefined) connection.send(encodeMessagePushReply({ result }));
        };
      },
    });
  }

  async unlisten(): Promise<void> {
    await this.#server?.stop(0);
    this.#server = undefined;
  }

  /** Lets things happen until `done`; time goes on by `step` each turn. */
  async until(done: () => boolean, step = 0): Promise<void> {
    for (let i = 0; !done(); i++) {
      if (i > 5000) throw new Error("waited in vain");
      await this.clock.advance(step);
      await new Promise((resolve) => setTimeout(resolve, 1)); // the disk is real
    }
  }

  texts(): string[] {
    return this.heard.map(({ message }) => new TextDecoder().decode(decodeBase64(message)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.push[Symbol.asyncDispose]();
    await this.unlisten();
    await Deno.remove(this.dir, { recursive: true });
  }
}

Deno.test("messages reach the platform in order, as the protocol spells them", async () => {
  await using bench = await Bench.open();
  for (const text of ["one", "two", "三"]) await bench.push.push("com.example.p", text);
  assertEquals(bench.heard, [], "there is no platform yet");
  assertEquals([bench.push.status.state, bench.push.status.waiting], ["waiting", 3]);
  bench.push.target(SERVER);
  await bench.until(() => bench.push.status.state === "idle");
  assertEquals(bench.texts(), ["one", "two", "三"]);
  const first = bench.heard[0]!;
  assertEquals(first, {
    method: "MessagePush",
    pluginName: "com.example.p",
    time: "20260101000000",
    mac: MAC,
    message: "b25l",
    md5: messageMd5("20260101000000", "b25l", MAC, SN),
  });
  assertEquals(bench.connections, 1);
  assertEquals([bench.push.status.delivered, bench.push.status.waiting, bench.push.status.bytes], [3, 0, 0]);
});

Deno.test("a message keeps its time and MD5 however late and often it is sent, and over restarts", async () => {
  await using bench = await Bench.open();
  bench.answer = () => undefined;
  bench.push.target(SERVER);
  await bench.push.push("p", "same");
  await bench.until(() => bench.heard.length >= 3, 5000);
  await bench.push[Symbol.asyncDispose]();
  bench.clock.jump(-86_400_000);
  await bench.start();
  bench.answer = () => 0;
  bench.push.target(SERVER);
  await bench.until(() => bench.push.status.delivered === 1, 1000);
  assert(bench.heard.length >= 4);
  assertEquals(new Set(bench.heard.map(({ md5, time }) => `${md5} ${time}`)).size, 1);
});

Deno.test("the same content twice in a second is two messages, also after a restart and when the clock jumps back", async () => {
  await using bench = await Bench.open();
  bench.push.target(SERVER);
  await Promise.all([1, 2, 3].map(() => bench.push.push("p", "alive")));
  await bench.push.push("q", "alive");
  await bench.until(() => bench.push.status.delivered === 4);
  await bench.push[Symbol.asyncDispose]();
  bench.clock.jump(-1000);
  await bench.start();
  bench.push.target(SERVER);
  await bench.push.push("p", "alive");
  await bench.push.push("p", "alive");
  await bench.until(() => bench.push.status.delivered === 2);
  assertEquals(new Set(bench.heard.map(({ md5 }) => md5)).size, 6);
});

Deno.test("a busy platform is left alone for a while, longer each time, and gets the message in the end", async () => {
  await using bench = await Bench.open();
  const at: number[] = [];
  bench.answer = () => {
    at.push(bench.clock.monotonic());
    return at.length <= 4 ? -5 : 0;
  };
  bench.push.target(SERVER);
  await bench.push.push("p", "one");
  await bench.push.push("p", "two");
  await bench.until(() => bench.push.status.delivered === 2, 100);
  assertEquals(bench.texts(), ["one", "one", "one", "one", "one", "two"]);
  const pauses = at.slice(1, 5).map((time, i) => time - at[i]!);
  pauses.forEach((pause, i) => {
    const longest = 5000 * 2 ** i;
    assert(pause >= longest / 2 && pause <= longest + 1000, `${pause} of ${longest}`);
  });
  assertEquals(bench.push.status.failures, 0);
});

Deno.test("a message that is refused again and again is put aside, and those behind it go on", async () => {
  await using bench = await Bench.open();
  bench.answer = ({ message }) => message === btoa("bad") ? -1 : 0;
  bench.push.target(SERVER);
  for (const text of ["good", "bad", "better"]) await bench.push.push("p", text);
  await bench.until(() => bench.push.status.delivered === 2, 500);
  assertEquals(bench.texts(), ["good", "bad", "bad", "bad", "better"]);
  assertEquals([bench.push.status.refused, bench.push.status.waiting], [1, 0]);
  assert(bench.push.status.lastError?.includes("(-1)"));
  const kept = await Deno.readTextFile(`${bench.dir}/refused.log`);
  assert(kept.includes(btoa("bad")) && kept.includes('"result":-1'));
});

Deno.test("a platform that is away, hangs up or says nothing costs pauses up to five minutes, and no message", async () => {
  await using bench = await Bench.open();
  await bench.unlisten();
  bench.push.target(SERVER);
  await bench.push.push("p", "one");
  let longest = 0;
  const look = () => {
    const { nextTryAt } = bench.push.status;
    if (nextTryAt !== undefined) longest = Math.max(longest, nextTryAt - bench.clock.now());
    return bench.push.status.failures >= 12;
  };
  await bench.until(look, 20_000);
  assert(longest > 150_000 && longest <= 300_000, String(longest));
  bench.answer = () => bench.heard.length < 3 ? null : bench.heard.length < 5 ? undefined : 0;
  bench.listen();
  await bench.until(() => bench.push.status.delivered === 1, 20_000);
  assertEquals(bench.texts(), ["one", "one", "one", "one", "one"]);
});

Deno.test("answers that can't be read, or to nothing, end the connection, not the message", async () => {
  await using bench = await Bench.open();
  await bench.unlisten();
  const server = new FramedServer(bench.network.listen(SERVER), {
    clock: bench.clock,
    log: silentLog,
    framing: { decoder: () => new FrameDecoder(), encode: (payload) => encodeFrame(payload) },
    onConnection: () => (frame, connection) => {
      bench.heard.push(decodeMessagePush(frame));
      const said = ['{"Result":"x"}', "no JSON", "[]", '{"Result":0}'][bench.heard.length - 1] ??
        '{"Result":0}';
      connection.send(new TextEncoder().encode(said));
      // A second answer that nobody asked for must not stand for the next message's.
      if (bench.heard.length === 4) connection.send(new TextEncoder().encode('{"Result":0}'));
    },
  });
  bench.push.target(SERVER);
  await bench.push.push("p", "one");
  await bench.push.push("p", "two");
  await bench.until(() => bench.push.status.delivered === 2, 500);
  assertEquals(new Set(bench.texts()), new Set(["one", "two"]));
  assertEquals(bench.texts().lastIndexOf("one") < bench.texts().indexOf("two"), true);
  await server.stop(0);
});

Deno.test("another message server in a new registration gets what waits; without one nothing is sent", async () => {
  await using bench = await Bench.open({ timing: { spreadMs: 0 } });
  bench.push.target(SERVER);
  await bench.push.push("p", "one");
  await bench.until(() => bench.push.status.delivered === 1);
  bench.push.target(undefined);
  await bench.push.push("p", "two");
  await bench.until(() => bench.push.status.state === "waiting");
  assertEquals(bench.texts(), ["one"]);
  const other = { host: "10.0.0.3", port: 7 };
  bench.listen(other);
  bench.push.target(other);
  await bench.until(() => bench.push.status.delivered === 2);
  assertEquals([bench.connections, bench.push.status.messageServer], [2, other]);
});

Deno.test("a connection that is not used is closed", async () => {
  await using bench = await Bench.open();
  bench.push.target(SERVER);
  await bench.push.push("p", "one");
  // Before it was sent there was nothing to send either.
  await bench.until(() => bench.push.status.delivered === 1 && bench.push.status.state === "idle");
  await bench.clock.advance(61_000);
  await bench.push.push("p", "two");
  await bench.until(() => bench.push.status.delivered === 2);
  assertEquals(bench.connections, 2);
});

Deno.test("too long a message is not taken; the longest is", async () => {
  await using bench = await Bench.open();
  const error = await assertRejects(() => bench.push.push("p", "x".repeat(MAX_PUSH_BYTES + 1)), PushError);
  assertEquals([error.code, error.message], ["too_large", "a message has at most 65536 bytes, not 65537"]);
  await assertRejects(() => bench.push.push("p", "三".repeat(30_000)), PushError);
  await bench.push.push("p", new Uint8Array(MAX_PUSH_BYTES));
  bench.push.target(SERVER);
  await bench.until(() => bench.push.status.delivered === 1);
  assertEquals([bench.push.status.notTaken, bench.push.status.taken], [2, 1]);
});

Deno.test("clocks beyond reason make no message that can't be sent", async () => {
  await using bench = await Bench.open();
  bench.push.target(SERVER);
  for (const jump of [-1e13, 3e14, -2e14]) {
    bench.clock.jump(jump);
    await bench.push.push("p", `at ${jump}`);
  }
  await bench.until(() => bench.push.status.delivered === 3, 100);
  assert(bench.heard.every(({ time }) => /^\d{14}$/.test(time)));
});

Deno.test("a spool that is full says so once, and again when it had room meanwhile", async () => {
  await using bench = await Bench.open({ limits: { maxMessages: 10 } });
  let said = 0, room = 0;
  bench.push.onFull = () => said++;
  bench.push.onRoom = () => room++;
  const fill = () => Promise.allSettled(Array.from({ length: 20 }, (_, i) => bench.push.push("p", `${i}`)));
  await fill();
  await fill();
  assertEquals([said, bench.push.status.waiting], [1, 5]);
  bench.push.target(SERVER);
  await bench.until(() => bench.push.status.state === "idle");
  bench.push.target(undefined);
  assertEquals(room, 1);
  await fill();
  assertEquals(said, 2);
});

/** What a gateway remembers of what it said, as long as the test takes. */
function memory(): AgentMemory {
  let remembered: Remembered = { wanAddress: undefined, alarms: [] };
  return {
    get: () => remembered,
    update: (change) => Promise.resolve(void (remembered = { ...remembered, ...change })),
  };
}

Deno.test("the gateway's own messages say what happened, once each, and a restart repeats nothing and hides nothing", async () => {
  await using bench = await Bench.open();
  const kept = memory(), agent = new AgentMessages(bench.deps, bench.push, kept);
  agent.boot({ appVersion: "1", firmwareVersion: "2" }, "100.64.0.9");
  agent.address("100.64.0.9");
  agent.address("100.64.0.9");
  agent.address("0.0.0.0");
  agent.address("100.64.0.10");
  const broken = { state: "broken", version: "1.0", error: "no" } as const;
  agent.pluginChanged("p", { ...broken, state: "errored" });
  agent.pluginChanged("p", { ...broken, state: "running" });
  agent.pluginChanged("p", broken);
  agent.pluginChanged("p", broken);
  agent.pluginChanged("p", { ...broken, state: "running" });
  agent.pluginChanged("p", broken);
  agent.raise("disk_full", "critical", "text");
  agent.raise("disk_full", "critical", "text");
  agent.clear("memory_low");
  await agent.factoryReset("local");
  const after = new AgentMessages(bench.deps, bench.push, kept);
  after.boot({ appVersion: "1", firmwareVersion: "2" }, "0.0.0.0");
  after.address("100.64.0.11");
  after.raise("disk_full", "critical", "text");
  after.clear("disk_full");
  after.clear("disk_full");
  bench.push.target(SERVER);
  await bench.until(() => bench.push.status.delivered === 10);
  assertEquals(new Set(bench.heard.map(({ pluginName }) => pluginName)), new Set([AGENT_NAME]));
  const said = bench.texts().map((text) => {
    const { bootId, at, ...rest } = JSON.parse(text);
    assert(/^[0-9a-f]{16}$/.test(bootId) && at === "2026-01-01T00:00:00.000Z", text);
    return rest;
  });
  const versions = { appVersion: "1", firmwareVersion: "2" };
  assertEquals(said, [
    { event: "boot", number: 1, ...versions, address: "100.64.0.9" },
    { event: "wan_address", number: 2, address: "100.64.0.10", before: "100.64.0.9" },
    { event: "plugin_broken", number: 3, plugin: "p", version: "1.0", error: "no" },
    { event: "plugin_mended", number: 4, plugin: "p", version: "1.0", state: "running" },
    { event: "plugin_broken", number: 5, plugin: "p", version: "1.0", error: "no" },
    { event: "alarm", number: 6, code: "disk_full", state: "raised", severity: "critical", text: "text" },
    { event: "factory_reset", number: 7, by: "local" },
    { event: "boot", number: 1, ...versions, address: null },
    { event: "wan_address", number: 2, address: "100.64.0.11", before: "100.64.0.10" },
    { event: "alarm", number: 3, code: "disk_full", state: "cleared", severity: "info", text: "" },
  ]);
});

Deno.test("a stop in the middle of anything is quick and loses nothing", async () => {
  for (const answer of [() => undefined, () => -5, () => null, () => 0]) {
    await using bench = await Bench.open();
    bench.answer = answer;
    bench.push.target(SERVER);
    await Promise.all([1, 2, 3].map((n) => bench.push.push("p", `${n}`)));
    await bench.until(() => bench.heard.length > 0);
    await bench.push[Symbol.asyncDispose]();
    await bench.start();
    bench.answer = () => 0;
    bench.push.target(SERVER);
    await bench.until(() => bench.push.status.state === "idle", 100);
    const order = bench.texts();
    assertEquals([...new Set(order)], ["1", "2", "3"]);
  }
});
