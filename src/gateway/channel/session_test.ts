import { assert, assertEquals } from "@std/assert";
import { FakeClock, silentLog } from "../../base/mod.ts";
import { FramedConnection, memoryPair } from "../../net/mod.ts";
import {
  type ChannelMessage,
  type ChannelReply,
  checkSn,
  decodeChannelMessage,
  encodeChannelReply,
  encodeChannelRequest,
  encodeFrame,
  FrameDecoder,
} from "../../protocol/smart_gateway/mod.ts";
import { type RequestHandler, runSession } from "./session.ts";
import { type ChannelTiming, DEFAULT_CHANNEL_TIMING } from "./timing.ts";

const SN = "64D954-D6AEE64D95420214B";
const CHALLENGE = "0123456789ABCDEF0123456789ABCDEF";
const identity = {
  vendor: "V",
  model: "M",
  firmwareVer: "1",
  hardwareVer: "1",
  osVer: "",
  appVer: "",
  mac: "64D95420214B",
  sn: SN,
  loid: "L",
  card: "",
};
const FRAMING = { decoder: () => new FrameDecoder(), encode: (payload: Uint8Array) => encodeFrame(payload) };

/** A session, and the platform's end of its connection. */
class Stage {
  readonly clock = new FakeClock();
  readonly heard: { at: number; message: ChannelMessage }[] = [];
  readonly platform: FramedConnection;
  readonly end: Promise<string>;
  ended: string | undefined;
  opened = 0;
  answer: (message: ChannelMessage) => ChannelReply | undefined = (message) => {
    if (message.method === "Boot") return { result: 0, challengeCode: CHALLENGE };
    return message.method === "Register" || message.method === "Heartbeat" ? { result: 0 } : undefined;
  };

  constructor(
    handle: RequestHandler = () => Promise.resolve({ result: 0 }),
    timing: Partial<ChannelTiming> = {},
  ) {
    const [mine, theirs] = memoryPair({ host: "10.0.0.9", port: 1 }, { host: "10.0.0.2", port: 12114 });
    const { clock } = this;
    const options = { framing: FRAMING, clock, log: silentLog, limits: { idleMs: 0 } };
    this.platform = new FramedConnection(theirs, options);
    this.platform.run((frame) => {
      const message = decodeChannelMessage(frame);
      this.heard.push({ at: clock.monotonic(), message });
      const reply = this.answer(message);
      if (reply) this.platform.send(encodeChannelReply(reply));
    });
    this.end = runSession(new FramedConnection(mine, options), {
      clock,
      log: silentLog,
      identity,
      ipAddr: "10.0.0.9",
      timing: { ...DEFAULT_CHANNEL_TIMING, ...timing },
      handle,
      onOpen: () => this.opened++,
    });
    this.end.then((reason) => this.ended = reason);
  }

  methods(): string[] {
    return this.heard.map(({ message }) => message.method);
  }

  replies(): ChannelReply[] {
    return this.heard.flatMap(({ message }) => message.method === "Reply" ? [message] : []);
  }

  say(text: string): void {
    this.platform.send(new TextEncoder().encode(text));
  }
}

Deno.test("a session begins with Boot and Register, and the check of the SN is right", async () => {
  const stage = new Stage();
  await stage.clock.advance(0);
  assertEquals(stage.methods(), ["Boot", "Register"]);
  assertEquals(stage.heard[1]!.message, { method: "Register", checkSn: checkSn(CHALLENGE, SN) });
  assertEquals(stage.opened, 1);
});

Deno.test("a request that comes in one piece with the answer to Register is served", async () => {
  const stage = new Stage();
  const plain = stage.answer;
  stage.answer = (message) => {
    const reply = plain(message);
    if (message.method !== "Register") return reply;
    // Sent in one turn, the two leave in one write.
    stage.platform.send(encodeChannelReply(reply!));
    stage.say('{"RPCMethod":"ListPlugin","ID":7}');
    return undefined;
  };
  await stage.clock.advance(0);
  assertEquals(stage.replies().map(({ result, id }) => [result, id]), [[0, 7]]);
});

Deno.test("a platform that refuses or stays silent ends the session", async () => {
  for (
    const [method, reply] of [["Boot", { result: -2 }], ["Register", { result: -2 }], [
      "Boot",
      undefined,
    ]] as const
  ) {
    const stage = new Stage();
    const plain = stage.answer;
    stage.answer = (message) => message.method === method ? reply : plain(message);
    await stage.clock.advance(reply ? 0 : 10_000);
    await stage.clock.advance(2_000);
    assertEquals(stage.ended, `${method}: ${reply ? "result -2" : "no answer"}`);
    assertEquals(stage.opened, 0);
  }
});

Deno.test("heartbeats come every 100 seconds", async () => {
  const stage = new Stage();
  await stage.clock.advance(300_000);
  assertEquals(stage.heard.slice(2).map(({ at }) => at), [100_000, 200_000, 300_000]);
});

Deno.test("a heartbeat is sent three times, ten seconds apart, and then the session ends", async () => {
  const stage = new Stage();
  await stage.clock.advance(0);
  stage.answer = () => undefined;
  await stage.clock.advance(129_999);
  assertEquals(stage.heard.slice(2).map(({ at }) => at), [100_000, 110_000, 120_000]);
  assertEquals(stage.ended, undefined);
  await stage.clock.advance(3_000);
  assertEquals(stage.ended, "heartbeats were not answered");
});

Deno.test("one answered try is enough", async () => {
  const stage = new Stage();
  const plain = stage.answer;
  await stage.clock.advance(0);
  stage.answer = () => undefined;
  await stage.clock.advance(115_000);
  stage.answer = plain;
  await stage.clock.advance(200_000);
  assertEquals(stage.ended, undefined);
});

Deno.test("requests run side by side and are answered by their ID, whatever order they end in", async () => {
  const waiting = new Map<unknown, () => void>();
  const stage = new Stage(({ id }) =>
    new Promise((resolve) => waiting.set(id, () => resolve({ result: 0 })))
  );
  await stage.clock.advance(0);
  for (const id of [1, "1", 2]) {
    stage.platform.send(
      encodeChannelRequest({ method: "Post", id, pluginName: "", version: "", parameter: "" }),
    );
  }
  await stage.clock.advance(0);
  for (const id of [2, "1", 1]) {
    waiting.get(id)!();
    await stage.clock.advance(0);
  }
  assertEquals(stage.replies().map(({ id }) => id), [2, "1", 1]);
});

Deno.test("more requests than may be in work are answered -5", async () => {
  const stage = new Stage(() => new Promise(() => {}), { maxInFlight: 2 });
  await stage.clock.advance(0);
  for (let id = 0; id < 4; id++) stage.platform.send(encodeChannelRequest({ method: "ListPlugin", id }));
  await stage.clock.advance(0);
  assertEquals(
    stage.replies(),
    [{ method: "Reply", result: -5, id: 2 }, { method: "Reply", result: -5, id: 3 }] as never,
  );
});

Deno.test("a request before the session is open is refused", async () => {
  let handled = 0;
  const stage = new Stage(() => Promise.resolve({ result: 0, handled: handled++ }));
  stage.answer = () => undefined;
  stage.platform.send(encodeChannelRequest({ method: "ListPlugin", id: 1 }));
  await stage.clock.advance(0);
  assertEquals([stage.replies()[0]!.result, handled], [-1, 0]);
});

Deno.test("Disconnect is answered before the connection ends", async () => {
  const stage = new Stage();
  await stage.clock.advance(0);
  stage.platform.send(encodeChannelRequest({ method: "Disconnect", id: "bye" }));
  await stage.clock.advance(10);
  assertEquals(stage.replies(), [{ method: "Reply", result: 0, id: "bye" }] as never);
  assertEquals((await stage.platform.closed).code, "peer_closed");
  assertEquals(await stage.end, "the platform disconnected");
});

Deno.test("what can't be read is answered only where it was a request, and the session goes on", async () => {
  const stage = new Stage();
  await stage.clock.advance(0);
  stage.say("not json");
  stage.say('{"Result":"x"}');
  stage.say('{"RPCMethod":"Dance","ID":5}');
  stage.say('{"RPCMethod":"Run","ID":"r","Plugin_Name":7,"Version":[]}');
  stage.say('{"RPCMethod":"Boot","MAC":"64D95420214B"}');
  await stage.clock.advance(0);
  assertEquals(
    stage.replies(),
    [{ method: "Reply", result: -1, id: 5 }, { method: "Reply", result: -1, id: "r" }] as never,
  );
  await stage.clock.advance(100_000);
  assertEquals(stage.methods().at(-1), "Heartbeat");
});

Deno.test("a connection that breaks ends the session with its reason, and leaves no timer behind", async () => {
  const stage = new Stage();
  await stage.clock.advance(0);
  stage.platform.close();
  assert(["peer_closed", "reset"].includes((await stage.end).split(":")[0]!));
  assertEquals(stage.clock.pendingTimers, 0);
});

Deno.test("a handler that fails is answered by -1", async () => {
  const stage = new Stage(() => Promise.reject(new Error("bug")));
  await stage.clock.advance(0);
  stage.platform.send(encodeChannelRequest({ method: "ListPlugin", id: 1 }));
  await stage.clock.advance(0);
  assertEquals(stage.replies()[0]!.result, -1);
});
