import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, silentLog } from "../../base/mod.ts";
import { FramedServer, MemoryNetwork } from "../../net/mod.ts";
import {
  decodeChannelMessage,
  encodeChannelReply,
  encodeFrame,
  FrameDecoder,
} from "../../protocol/smart_gateway/mod.ts";
import { Channel } from "./channel.ts";
import { DEFAULT_CHANNEL_TIMING } from "./timing.ts";

const CENTER = { host: "10.0.0.4", port: 12114 };

Deno.test("a session that went out from an address that is gone ends at once, and the next call is followed", async () => {
  const clock = new FakeClock(), network = new MemoryNetwork({ clock });
  const server = new FramedServer(network.listen(CENTER), {
    framing: { decoder: () => new FrameDecoder(), encode: (payload) => encodeFrame(payload) },
    clock,
    log: silentLog,
    limits: { idleMs: 0 },
    onConnection: () => (frame, connection) => {
      const { method } = decodeChannelMessage(frame);
      const reply = method === "Boot" ? { result: 0, challengeCode: "A".repeat(32) } : { result: 0 };
      connection.send(encodeChannelReply(reply));
    },
  });
  let own = "127.0.0.1"; // where connections of the memory's network come from
  const channel = new Channel({
    clock,
    network,
    log: silentLog,
    metrics: new Metrics(),
    identity: { mac: "64D95420214B", sn: "64D954-X", loid: "L" } as never,
    timing: DEFAULT_CHANNEL_TIMING,
    ipAddr: () => own,
    handle: () => Promise.resolve({ result: 0 }),
  });
  channel.addressChanged();
  channel.open(CENTER);
  await clock.advance(1);
  channel.addressChanged();
  await clock.advance(1);
  assertEquals(channel.status.state, "open", "its own address is the same");
  own = "10.9.9.9";
  channel.addressChanged();
  await clock.advance(1);
  assertEquals([channel.status.state, channel.status.lastEnd], ["closed", "reset: the own address changed"]);
  own = "127.0.0.1";
  channel.open(CENTER);
  await clock.advance(1);
  assertEquals(channel.status.state, "open");
  const ending = Promise.all([channel[Symbol.asyncDispose](), server.stop()]);
  await clock.advance(10_000);
  await ending;
});
