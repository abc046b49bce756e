import { assertEquals } from "@std/assert";
import { FakeClock, type HostPort, Metrics, silentLog } from "../../base/mod.ts";
import { type ByteStream, MemoryNetwork } from "../../net/mod.ts";
import {
  decodeCapabilityReply,
  decodePost1Reply,
  encodeCapabilityReply,
  encodeCapabilityRequest,
  encodeFrame,
  encodePost1,
  FrameDecoder,
  type Post1Reply,
} from "../../protocol/smart_gateway/mod.ts";
import type { CapabilityAnswer, CapabilityCall } from "../capability/mod.ts";
import { PasswordLock } from "./password_lock.ts";
import { LocalServer } from "./server.ts";

const AT: HostPort = { host: "192.168.1.1", port: 17998 };

/** A local port in memory. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly calls: CapabilityCall[] = [];
  answer: (call: CapabilityCall) => Promise<CapabilityAnswer> = () =>
    Promise.resolve({ result: 0, returnParameter: "e30=" });
  readonly server = new LocalServer(AT, {
    clock: this.clock,
    log: silentLog,
    metrics: new Metrics(),
    network: this.network,
    lock: new PasswordLock(this.clock),
    interfaces: () => [{ name: "lan0", address: "192.168.1.1", prefix: 24 }],
    dispatch: (call) => {
      this.calls.push(call);
      return this.answer(call);
    },
  });

  connect(from = "192.168.1.50"): Promise<ByteStream> {
    return this.network.connect(AT, { from });
  }

  /** Sends bytes, and reads until the gateway closes. */
  async talk(bytes: Uint8Array, from?: string): Promise<Post1Reply[]> {
    const stream = await this.connect(from);
    let end = false;
    const replies: Post1Reply[] = [];
    const reading = readAll(stream, replies).finally(() => end = true);
    await stream.write(bytes).catch(() => 0);
    for (let i = 0; !end && i < 100; i++) await this.clock.advance(1);
    stream.close();
    await reading;
    return replies;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.server[Symbol.asyncDispose]();
    await this.clock.advance(10_000);
    await stopped;
  }
}

async function readAll(stream: ByteStream, replies: Post1Reply[]): Promise<void> {
  const decoder = new FrameDecoder(), buffer = new Uint8Array(65536);
  try {
    for (let count; (count = await stream.read(buffer)) !== null;) {
      for (const frame of decoder.push(buffer.subarray(0, count))) replies.push(decodePost1Reply(frame));
    }
  } catch {
    // cut off
  }
}

function post1(cmdType: string, id: string | number = 1): Uint8Array {
  const parameter = encodeCapabilityRequest({ cmdType, sequenceId: "00000001", fields: { PassWD: "x" } });
  return encodeFrame(encodePost1({ method: "Post1", id, pluginName: "p", version: "1.0", parameter }));
}

Deno.test("one Post1 is answered under its ID, and then the gateway closes", async () => {
  await using stage = new Stage();
  const twice = new Uint8Array([...post1("A", "one"), ...post1("B", "two")]);
  assertEquals(await stage.talk(twice), [{ result: 0, id: "one", returnParameter: "e30=" }]);
  assertEquals(stage.calls.map(({ origin, pluginName, version }) => [origin, pluginName, version]), [
    ["local", "p", "1.0"],
  ]);
});

Deno.test("peers that are not on the LAN are not served", async () => {
  await using stage = new Stage();
  for (const from of ["8.8.8.8", "192.168.2.50", "10.0.0.1", "100.64.0.1"]) {
    assertEquals(await stage.talk(post1("A"), from), [], from);
  }
  assertEquals((await stage.talk(post1("A"), "127.0.0.1")).length, 1);
  assertEquals(stage.calls.length, 1);
});

Deno.test("a connection that says nothing is closed after 15 seconds, one that dawdles after 10", async () => {
  await using stage = new Stage();
  const silent = await stage.connect(), slow = await stage.connect();
  await slow.write(post1("A").subarray(0, 6));
  await stage.clock.advance(9_999);
  assertEquals(stage.server.connections, 2);
  await stage.clock.advance(1);
  assertEquals(stage.server.connections, 1);
  await stage.clock.advance(5_000);
  assertEquals(stage.server.connections, 0);
  silent.close();
  slow.close();
});

Deno.test("five connections are served, the sixth is refused, and a place that is free is given again", async () => {
  await using stage = new Stage();
  const five = await Promise.all(Array.from({ length: 5 }, () => stage.connect()));
  await stage.clock.advance(0);
  assertEquals(await stage.talk(post1("A")), []);
  five[0]!.close();
  await stage.clock.advance(10);
  assertEquals((await stage.talk(post1("A"))).length, 1);
  for (const stream of five) stream.close();
});

Deno.test("a claim of more than 64 KiB is refused before it is sent", async () => {
  await using stage = new Stage();
  assertEquals(await stage.talk(new Uint8Array([0, 1, 0, 1])), []);
  assertEquals(stage.server.connections, 0);
});

Deno.test("an address that guesses five times is locked out of guessing, longer each time; others are not", async () => {
  await using stage = new Stage();
  const inner = (status: "0" | "1") =>
    encodeCapabilityReply(
      status === "0"
        ? { cmdType: "CHECK_PASSWD_PARAM", sequenceId: "1", status, fields: {} }
        : { cmdType: "CHECK_PASSWD_PARAM", sequenceId: "1", status, failReason: "password err!", fields: {} },
    );
  stage.answer = () => Promise.resolve({ result: 0, returnParameter: inner("1") });
  const reason = async (from?: string) => {
    const [reply] = await stage.talk(post1("CHECK_PASSWD_PARAM"), from);
    const { returnParameter } = reply!;
    const decoded = decodeCapabilityReply(returnParameter!);
    return decoded.status === "1" ? decoded.failReason : "right";
  };
  for (let i = 0; i < 5; i++) assertEquals(await reason(), "password err!");
  assertEquals(await reason(), "too many wrong passwords: try again in 30 s");
  assertEquals(await reason("192.168.1.51"), "password err!");
  assertEquals(stage.calls.length, 6, "those that are locked out are not even asked on");
  await stage.clock.advance(30_000);
  assertEquals(await reason(), "password err!");
  assertEquals(await reason(), "too many wrong passwords: try again in 60 s");
  await stage.clock.advance(60_000);
  stage.answer = () => Promise.resolve({ result: 0, returnParameter: inner("0") });
  assertEquals([await reason(), await reason()], ["right", "right"]);
});
