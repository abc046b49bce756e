import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock, type HostPort, Metrics, silentLog } from "../../base/mod.ts";
import { type ByteStream, MemoryNetwork, NetError } from "../../net/mod.ts";
import {
  decodeCapabilityReply,
  decodeCapabilityRequest,
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
const HTTP_AT: HostPort = { host: "192.168.1.1", port: 8088 };

/** A local port in memory. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly calls: CapabilityCall[] = [];
  answer: (call: CapabilityCall) => Promise<CapabilityAnswer> = () =>
    Promise.resolve({ result: 0, returnParameter: "e30=" });
  readonly server = new LocalServer(AT, {
    http: HTTP_AT,
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

  connect(from = "192.168.1.50", to = AT): Promise<ByteStream> {
    return this.network.connect(to, { from });
  }

  /** Sends an HTTP request; its status and body. */
  async http(text: string, from?: string): Promise<{ status: number; body: string }> {
    const stream = await this.connect(from, HTTP_AT), decoder = new TextDecoder();
    let said = "", end = false;
    const reading = (async () => {
      const buffer = new Uint8Array(65536);
      for (let count; (count = await stream.read(buffer)) !== null;) {
        said += decoder.decode(buffer.subarray(0, count));
      }
    })().catch(() => {}).finally(() => end = true);
    await stream.write(new TextEncoder().encode(text)).catch(() => 0);
    for (let i = 0; !end && i < 100; i++) await this.clock.advance(1);
    stream.close();
    await reading;
    return { status: Number(said.split(" ")[1]), body: said.split("\r\n\r\n")[1] ?? "" };
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

/** An HTTP form with a Post1. */
function form(cmdType: string, fields: Record<string, string> = {}): string {
  const parameter = encodeCapabilityRequest({ cmdType, sequenceId: "00000001", fields });
  const body = `jsonCfg={"RPCMethod":"Post1","ID":"123","Parameter":"${parameter}"}`;
  return `POST /gatewayManage.cmd HTTP/1.1\r\nHost: 192.168.1.1:8088\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

Deno.test("the same Post1 over HTTP gets the same answer, under the same rights", async () => {
  await using stage = new Stage();
  const { status, body } = await stage.http(form("A"));
  assertEquals([status, JSON.parse(body)], [200, { Result: 0, ID: "123", return_Parameter: "e30=" }]);
  assertEquals(stage.calls.map(({ origin, pluginName }) => [origin, pluginName]), [["local", ""]]);
  assertEquals((await stage.http(form("A"), "8.8.8.8")).status, NaN, "not on the LAN");
  assertEquals((await stage.http("GET / HTTP/1.1\r\nHost: 192.168.1.1\r\n\r\n")).status, 404);
  assertEquals((await stage.http(form("A").replace("Post1", "Dance"))).body, '{"Result":-1,"ID":"123"}');
});

Deno.test("five connections are five on both ports together", async () => {
  await using stage = new Stage();
  const five = await Promise.all(
    Array.from({ length: 5 }, (_, i) => stage.connect(undefined, i % 2 ? AT : HTTP_AT)),
  );
  await stage.clock.advance(0);
  assertEquals([stage.server.connections, await stage.talk(post1("A"))], [5, []]);
  assertEquals((await stage.http(form("A"))).status, NaN);
  const [entry] = stage.server.audit.entries(1);
  assertEquals([entry!.outcome, entry!.via, entry!.reason], ["refused", "http", "5 connections are there"]);
  for (const stream of five) stream.close();
});

Deno.test("a request that trickles in, byte by byte, is cut off in time on both ports and takes no place for ever", async () => {
  await using stage = new Stage();
  for (const [to, bytes] of [[AT, post1("A")], [HTTP_AT, new TextEncoder().encode(form("A"))]] as const) {
    const stream = await stage.connect(undefined, to);
    for (let i = 0; i < 11; i++) {
      await stream.write(bytes.subarray(i, i + 1)).catch(() => 0);
      await stage.clock.advance(1_000);
    }
    assertEquals(stage.server.connections, 0);
    const [entry] = stage.server.audit.entries(1);
    assertEquals([entry!.outcome, entry!.reason?.slice(0, 10)], ["dropped", "slow_frame"]);
    stream.close();
  }
  assertEquals(stage.calls.length, 0);
});

Deno.test("an app that does not read its answer is cut off", async () => {
  await using stage = new Stage();
  stage.answer = () => Promise.resolve({ result: 0, returnParameter: "A".repeat(200_000) });
  const stream = await stage.connect();
  await stream.write(post1("A"));
  await stage.clock.advance(12_001);
  assertEquals(stage.server.connections, 0);
  stream.close();
});

Deno.test("the port can be closed, opened and moved, and what is being answered is answered", async () => {
  await using stage = new Stage();
  const answer = Promise.withResolvers<CapabilityAnswer>();
  stage.answer = () => answer.promise;
  const talking = stage.talk(post1("A"));
  await stage.clock.advance(5);
  assertEquals(stage.calls.length, 1);
  const closed = stage.server.close();
  assertEquals(stage.server.isOpen, false);
  answer.resolve({ result: 0, returnParameter: "e30=" });
  assertEquals((await talking).map(({ result }) => result), [0]);
  await stage.clock.advance(5_000);
  await closed;
  await assertRejects(() => stage.connect(), NetError, "refused");
  await assertRejects(() => stage.connect(undefined, HTTP_AT), NetError, "refused");
  assertEquals(stage.server.address, AT);

  stage.server.open();
  assertEquals((await stage.talk(post1("A"))).length, 1);
  stage.server.open({ ...AT, port: 18000 });
  await stage.clock.advance(5_000);
  await assertRejects(() => stage.connect(), NetError, "refused");
  assertEquals(stage.server.address.port, 18000);
  const moved = await stage.connect(undefined, { ...AT, port: 18000 });
  await moved.write(post1("A"));
  await stage.clock.advance(10);
  assertEquals(stage.calls.length, 3);
  moved.close();
  using taken = { listener: stage.network.listen({ ...AT, port: 18001 }), [Symbol.dispose]() {} };
  assertThrows(() => stage.server.open({ ...AT, port: 18001 }), NetError, "in use");
  assertEquals([stage.server.address.port, stage.server.isOpen], [18000, true]);
  taken.listener.close();
});

Deno.test("the audit tells who asked what with which outcome, and no secret", async () => {
  await using stage = new Stage();
  stage.answer = ({ parameter }) => {
    const { cmdType, sequenceId } = decodeCapabilityRequest(parameter);
    return Promise.resolve({
      result: 0,
      returnParameter: encodeCapabilityReply(
        cmdType === "GOOD"
          ? { cmdType, sequenceId, status: "0", fields: { LOID: "SECRET-LOID" } }
          : { cmdType, sequenceId, status: "1", failReason: "NO_RIGHT_ACCESS", fields: {} },
      ),
    });
  };
  await stage.talk(post1("GOOD"));
  await stage.http(form("BAD", { PassWD: "SECRET-WORD" }), "192.168.1.51");
  await stage.talk(encodeFrame(new TextEncoder().encode("[]")));
  await stage.talk(post1("GOOD"), "8.8.8.8");
  const entries = stage.server.audit.entries();
  assertEquals(
    entries.map(({ from, via, outcome, command, reason }) => [from, via, outcome, command, reason]),
    [
      ["8.8.8.8", "tcp", "refused", undefined, "not on the LAN side"],
      ["192.168.1.50", "tcp", "unreadable", undefined, "json"],
      ["192.168.1.51", "http", "failed", "BAD", "NO_RIGHT_ACCESS"],
      ["192.168.1.50", "tcp", "done", "GOOD", undefined],
    ],
  );
  assert(!JSON.stringify(entries).includes("SECRET"));
});

Deno.test("a command that asks for USER and PASSWORD is an attempt too, and its success clears nothing", async () => {
  await using stage = new Stage();
  const outcome = { status: "1", failReason: "LOCAL_AUTH_FAIL" as string };
  stage.answer = ({ parameter }) => {
    const { cmdType, sequenceId } = decodeCapabilityRequest(parameter);
    return Promise.resolve({
      result: 0,
      returnParameter: encodeCapabilityReply(
        outcome.status === "1"
          ? { cmdType, sequenceId, status: "1", failReason: outcome.failReason, fields: {} }
          : { cmdType, sequenceId, status: "0", fields: {} },
      ),
    });
  };
  const guess = async () => {
    const parameter = encodeCapabilityRequest({
      cmdType: "GET_DEVICE_INFO_ALL",
      sequenceId: "00000001",
      fields: { USER: "u", PASSWORD: "p" },
    });
    const bytes = encodeFrame(
      encodePost1({ method: "Post1", id: 1, pluginName: "", version: "", parameter }),
    );
    const reply = decodeCapabilityReply((await stage.talk(bytes))[0]!.returnParameter!);
    return reply.status === "1" ? reply.failReason : "right";
  };
  for (let i = 0; i < 3; i++) assertEquals(await guess(), "LOCAL_AUTH_FAIL");
  outcome.failReason = "BUSY_REQUEST";
  for (let i = 0; i < 9; i++) assertEquals(await guess(), "BUSY_REQUEST", "not a wrong password");
  outcome.status = "0";
  assertEquals(await guess(), "right");
  Object.assign(outcome, { status: "1", failReason: "LOCAL_AUTH_FAIL" });
  assertEquals([await guess(), await guess()], ["LOCAL_AUTH_FAIL", "LOCAL_AUTH_FAIL"]);
  assertEquals(await guess(), "too many wrong passwords: try again in 30 s");
  assertEquals(stage.server.audit.entries(1)[0]!.outcome, "locked");
});

Deno.test("a connection that got its answer takes no place, but they are few that may linger", async () => {
  await using stage = new Stage();
  const lingering: ByteStream[] = [];
  for (let i = 0; i < 25; i++) {
    const stream = await stage.connect();
    lingering.push(stream);
    await stream.write(post1("A")).catch(() => 0);
    await stage.clock.advance(1);
  }
  assertEquals(
    [stage.server.connections, stage.calls.length],
    [0, 20],
    "answered, and not closed by the app",
  );
  await stage.clock.advance(2_100);
  assertEquals((await stage.talk(post1("A"))).length, 1);
  for (const stream of lingering) stream.close();
});
