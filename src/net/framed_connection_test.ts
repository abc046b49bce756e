import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode, encode, frame, pair, readAll } from "./framed_testing.ts";

Deno.test("frames arrive whole and in order, however the bytes are cut", async () => {
  const { clock, peer, connection } = pair();
  const seen: string[] = [];
  connection.run((bytes) => void seen.push(decode(bytes)));
  const wire = [..."one two three".split(" ")].flatMap((text) => [...frame(text)]);
  for (const byte of wire) {
    await peer.write(new Uint8Array([byte]));
    await clock.advance(0);
  }
  await peer.write(new Uint8Array(wire));
  await clock.advance(0);
  assertEquals(seen, ["one", "two", "three", "one", "two", "three"]);
  connection.close();
});

Deno.test("a frame that trickles in is cut off, and a byte now and then does not help", async () => {
  const { clock, peer, connection } = pair({ limits: { frameMs: 10_000, idleMs: 60_000 } });
  connection.run(() => {});
  await peer.write(new Uint8Array([100]));
  for (let second = 0; second < 9; second++) {
    await clock.advance(1_000);
    await peer.write(new Uint8Array([1]));
  }
  await clock.advance(999);
  assert(connection.open);
  await clock.advance(1);
  assertEquals((await connection.closed).code, "slow_frame");
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("the time for a frame starts anew with each frame", async () => {
  const { clock, peer, connection } = pair({ limits: { frameMs: 10_000 } });
  connection.run(() => {});
  for (let i = 0; i < 5; i++) {
    await peer.write(new Uint8Array([2, 65]));
    await clock.advance(9_000);
    await peer.write(new Uint8Array([66]));
    await clock.advance(0);
  }
  assert(connection.open);
  // A frame's end and the next one's start in one piece.
  await peer.write(new Uint8Array([1, 65, 9]));
  await clock.advance(9_999);
  assert(connection.open);
  await clock.advance(1);
  assertEquals((await connection.closed).code, "slow_frame");
});

Deno.test("a connection without frames is closed as idle, and each frame puts that off", async () => {
  const { clock, peer, connection } = pair({ limits: { idleMs: 1_000 } });
  connection.run(() => {});
  for (let i = 0; i < 3; i++) {
    await clock.advance(999);
    await peer.write(frame("x"));
    await clock.advance(0);
  }
  connection.setIdle(5_000);
  await clock.advance(4_999);
  assert(connection.open);
  await clock.advance(1);
  assertEquals(await connection.closed, { code: "idle", detail: "no frame for 5000 ms" });
});

Deno.test("with an idle limit of 0 a silent connection stays", async () => {
  const { clock, connection } = pair({ limits: { idleMs: 0 } });
  connection.run(() => {});
  await clock.advance(1e9);
  assert(connection.open);
  connection.close();
});

Deno.test("bytes that can't be framed close the connection with the decoder's words", async () => {
  const { clock, peer, connection } = pair();
  const seen: string[] = [];
  connection.run((bytes) => void seen.push(decode(bytes)));
  await peer.write(new Uint8Array([1, 65, 255]));
  await clock.advance(0);
  assertEquals(await connection.closed, { code: "bad_frame", detail: "frame too long: 255" });
  assertEquals(seen, ["A"]);
});

Deno.test("a handler that throws, now or later, closes its connection", async () => {
  for (
    const handler of [() => {
      throw new Error("on purpose");
    }, () => Promise.reject(new Error("on purpose"))]
  ) {
    const { clock, peer, connection } = pair();
    connection.run(handler);
    await peer.write(frame("x"));
    await clock.advance(0);
    assertEquals(await connection.closed, { code: "handler_failed", detail: "on purpose" });
  }
});

Deno.test("while a handler's promise is pending nothing more is read, and no limit runs", async () => {
  const { clock, peer, connection } = pair({ window: 8, limits: { idleMs: 1_000 } });
  let finish = () => {};
  const seen: string[] = [];
  connection.run((bytes) => {
    seen.push(decode(bytes));
    return new Promise((resolve) => finish = resolve);
  });
  await peer.write(frame("1"));
  await clock.advance(0);
  await peer.write(frame("1234567"));
  let more = false;
  peer.write(frame("x")).then(() => more = true);
  await clock.advance(3_600_000);
  assertEquals([seen, more, connection.open], [["1"], false, true]);
  finish();
  await clock.advance(0);
  assertEquals([seen, more], [["1", "1234567"], true]);
  finish();
  await clock.advance(1_000);
  assertEquals(seen.length, 3);
  connection.close();
});

Deno.test("a peer that does not read is cut off once too much waits for it", async () => {
  const { clock, connection } = pair({ window: 10, limits: { maxQueuedBytes: 100 } });
  connection.run(() => {});
  let sent = 0;
  while (connection.send(encode("123456789"))) {
    sent++;
    await clock.advance(0);
  }
  assertEquals(sent, 11);
  assertEquals((await connection.closed).code, "slow_peer");
  assertEquals([connection.queuedBytes, clock.pendingTimers], [0, 0]);
});

Deno.test("a peer that stops reading is cut off after the write limit even if little waits for it", async () => {
  const { clock, connection } = pair({ window: 4, limits: { writeMs: 5_000 } });
  connection.run(() => {});
  connection.send(encode("123456789"));
  await clock.advance(4_999);
  assert(connection.open);
  await clock.advance(1);
  assertEquals(await connection.closed, { code: "slow_peer", detail: "took nothing for 5000 ms" });
});

Deno.test("a slow peer that reads on is served for as long as it takes", async () => {
  const { clock, peer, connection } = pair({ window: 4, limits: { writeMs: 5_000, idleMs: 0 } });
  connection.run(() => {});
  connection.send(encode("0123456789".repeat(4)));
  const buffer = new Uint8Array(4);
  let text = "";
  while (text.length < 41) {
    await clock.advance(4_000);
    text += decode(buffer.subarray(0, (await peer.read(buffer))!));
  }
  assertEquals(text.slice(1), "0123456789".repeat(4));
  await clock.advance(10_000);
  assert(connection.open);
  connection.close();
});

Deno.test("what is sent in one turn goes out in one write", async () => {
  const { clock, peer, connection } = pair();
  for (const text of ["a", "b", "c"]) connection.send(encode(text));
  await clock.advance(0);
  const buffer = new Uint8Array(100);
  assertEquals(await peer.read(buffer), 6);
  connection.close();
});

Deno.test("a peer that goes within a frame, between frames or by a break is told apart", async () => {
  for (
    const [bytes, code] of [[[5, 1], "truncated"], [[1, 65], "peer_closed"], [[], "peer_closed"]] as const
  ) {
    const { clock, peer, connection } = pair();
    connection.run(() => {});
    await peer.write(new Uint8Array(bytes));
    peer.close();
    await clock.advance(0);
    assertEquals((await connection.closed).code, code);
  }
});

Deno.test("a peer that has only finished sending still gets its answer", async () => {
  const { clock, peer, connection } = pair();
  connection.run(async (bytes) => {
    await Promise.resolve();
    connection.send(bytes.slice());
  });
  await peer.write(frame("question"));
  await peer.closeWrite();
  const answer = readAll(peer);
  await clock.advance(0);
  assertEquals(await answer, "\bquestion");
  assertEquals((await connection.closed).code, "peer_closed");
});

Deno.test("ending sends what is queued, throws away what still comes, and waits for the peer", async () => {
  const { clock, peer, connection } = pair();
  const seen: string[] = [];
  connection.run((bytes) => {
    seen.push(decode(bytes));
    connection.send(encode("last"));
    connection.end();
  });
  await peer.write(frame("first"));
  await clock.advance(0);
  await peer.write(frame("ignored"));
  const answer = readAll(peer);
  await clock.advance(0);
  assertEquals(await answer, "\u0004last");
  assert(!connection.send(encode("too late")));
  peer.close();
  await clock.advance(0);
  assertEquals(await connection.closed, { code: "local" });
  assertEquals([seen, clock.pendingTimers], [["first"], 0]);
});

Deno.test("ending does not wait for ever for a peer that stays, nor for one that does not read", async () => {
  for (const window of [1024, 2]) {
    const { clock, peer, connection } = pair({ window, limits: { lingerMs: 2_000, writeMs: 1_000 } });
    connection.run(() => {});
    connection.send(encode("last words"));
    connection.end();
    let closed = false;
    connection.closed.then(() => closed = true);
    for (let i = 0; i < 19; i++) {
      await clock.advance(100);
      if (window > 2) await peer.write(frame("x"));
    }
    assertEquals(closed, window === 2);
    await clock.advance(100);
    assert(closed);
    assertEquals(clock.pendingTimers, 0);
  }
});

Deno.test("frames can be taken in a loop, held back until each is taken, and kept", async () => {
  const { clock, peer, connection } = pair();
  const frames = connection.frames();
  await peer.write(new Uint8Array([...frame("a"), ...frame("b")]));
  const first = await frames.next();
  const second = await frames.next();
  assertEquals([first.value, second.value].map((bytes) => decode(bytes as Uint8Array)), ["a", "b"]);
  const end = frames.next();
  peer.close();
  await clock.advance(0);
  assertEquals(await end, { done: true, value: { code: "peer_closed" } });
});

Deno.test("leaving the loop of frames closes the connection", async () => {
  const { peer, connection } = pair();
  await peer.write(frame("a"));
  for await (const _ of connection.frames()) break;
  assertEquals((await connection.closed).code, "local");
});

Deno.test("a connection is read only once", async () => {
  const { connection } = pair();
  connection.run(() => {});
  assertThrows(() => connection.run(() => {}), TypeError);
  await connection[Symbol.asyncDispose]();
});
