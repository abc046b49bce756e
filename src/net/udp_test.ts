import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeClock, silentLog, systemClock } from "../base/mod.ts";
import type { DatagramSocket } from "./datagram.ts";
import { NetError } from "./errors.ts";
import { openUdp, type RawDatagrams, UdpSocket } from "./udp.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const deps = { clock: systemClock, log: silentLog };

/** Resolves with a copy of the next datagram. */
function next(socket: DatagramSocket): Promise<{ text: string; port: number }> {
  return new Promise((resolve) =>
    socket.onDatagram((bytes, from) => resolve({ text: new TextDecoder().decode(bytes), port: from.port }))
  );
}

Deno.test("two sockets talk over loopback", async () => {
  await using a = openUdp(LOOPBACK, deps);
  await using b = openUdp(LOOPBACK, deps);
  b.onDatagram((bytes, from) => void b.send(bytes.slice(), from));
  const answer = next(a);
  assert(a.send(new TextEncoder().encode("hello"), b.address));
  assertEquals(await answer, { text: "hello", port: b.address.port });
});

Deno.test("a datagram longer than the limit is dropped and counted, one of just the limit is taken", async () => {
  await using a = openUdp(LOOPBACK, deps);
  await using b = openUdp(LOOPBACK, deps, { maxBytes: 8 });
  const received = next(b);
  a.send(new Uint8Array(9), b.address);
  a.send(new TextEncoder().encode("12345678"), b.address);
  assertEquals((await received).text, "12345678");
  assertEquals(b.counts.oversize, 1);
  assertEquals(b.counts.received, 1);
});

Deno.test("datagrams leave in the order they were sent", async () => {
  await using a = openUdp(LOOPBACK, deps);
  await using b = openUdp(LOOPBACK, deps);
  const seen: number[] = [];
  const all = Promise.withResolvers<void>();
  b.onDatagram((bytes) => seen.push(bytes[0]!) === 50 && all.resolve());
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  for (const i of numbers) a.send(new Uint8Array([i]), b.address);
  await all.promise;
  assertEquals(seen, numbers);
});

Deno.test("a handler that throws does not stop the socket", async () => {
  await using a = openUdp(LOOPBACK, deps);
  await using b = openUdp(LOOPBACK, deps);
  const third = Promise.withResolvers<void>();
  let seen = 0;
  b.onDatagram(() => {
    if (++seen === 3) return third.resolve();
    throw new Error("on purpose");
  });
  for (let i = 0; i < 3; i++) a.send(new Uint8Array(1), b.address);
  await third.promise;
  assertEquals(b.counts.handlerErrors, 2);
});

Deno.test("sends to a closed port, to nowhere and of impossible length do not stop the socket", async () => {
  await using a = openUdp(LOOPBACK, deps);
  const gone = openUdp(LOOPBACK, deps);
  const dead = gone.address;
  await gone[Symbol.asyncDispose]();
  await using b = openUdp(LOOPBACK, deps);
  for (let i = 0; i < 3; i++) a.send(new Uint8Array(1), dead);
  assert(!a.send(new Uint8Array(1), { host: "example.invalid", port: 1 }));
  a.send(new Uint8Array(70_000), b.address);
  a.send(new Uint8Array(1), { host: "127.0.0.1", port: 0 });
  const answer = next(a);
  b.send(new TextEncoder().encode("still there?"), a.address);
  assertEquals((await answer).text, "still there?");
  assertEquals(a.counts.sendErrors, 3);
  assertEquals(a.counts.sent, 3);
});

/** A raw socket whose receives and sends the test settles itself. */
class RawStandIn implements RawDatagrams {
  readonly addr: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: 9 };
  receives: PromiseWithResolvers<[Uint8Array<ArrayBuffer>, Deno.Addr]>[] = [];
  sends: PromiseWithResolvers<number>[] = [];
  receive() {
    const settled = Promise.withResolvers<[Uint8Array<ArrayBuffer>, Deno.Addr]>();
    this.receives.push(settled);
    return settled.promise;
  }
  send() {
    const settled = Promise.withResolvers<number>();
    this.sends.push(settled);
    return settled.promise;
  }
  close() {
    this.receives.at(-1)!.reject(new Deno.errors.BadResource("closed"));
  }
}

Deno.test("a socket that keeps failing is tried again with longer and longer pauses", async () => {
  const clock = new FakeClock();
  const raw = new RawStandIn();
  const socket = new UdpSocket(raw, { clock, log: silentLog });
  let received = 0;
  socket.onDatagram(() => received++);
  for (let i = 0; i < 12; i++) {
    raw.receives.at(-1)!.reject(new Deno.errors.ConnectionRefused("port unreachable"));
    await clock.advance(0);
    const pause = clock.nextTimerIn ?? 0;
    assertEquals(pause, Math.min(1000, 2 ** i - 1));
    await clock.advance(pause);
    assertEquals(raw.receives.length, i + 2);
  }
  raw.receives.at(-1)!.resolve([new Uint8Array(1), raw.addr]);
  await clock.advance(0);
  assertEquals([received, socket.counts.receiveErrors], [1, 12]);
  await socket[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("closing ends a pause between failing receives", async () => {
  const clock = new FakeClock();
  const raw = new RawStandIn();
  const socket = new UdpSocket(raw, { clock, log: silentLog });
  for (let i = 0; i < 2; i++) {
    raw.receives.at(-1)!.reject(new Error("broken"));
    await clock.advance(0);
  }
  assertEquals(clock.pendingTimers, 1);
  await socket[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("sends that wait for the system are bounded, and receiving goes on meanwhile", async () => {
  const raw = new RawStandIn();
  const socket = new UdpSocket(raw, deps, { maxPendingSends: 2 });
  const to = { host: "127.0.0.1", port: 1 };
  assertEquals([1, 2, 3].map(() => socket.send(new Uint8Array(1), to)), [true, true, false]);
  assertEquals([raw.sends.length, socket.counts.sendDrops], [1, 1]);
  const received = next(socket);
  raw.receives[0]!.resolve([new Uint8Array([65]) as Uint8Array<ArrayBuffer>, raw.addr]);
  assertEquals((await received).text, "A");
  raw.sends[0]!.resolve(1);
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 0));
  assertEquals(raw.sends.length, 2);
  assert(socket.send(new Uint8Array(1), to));
  await socket[Symbol.asyncDispose]();
  assert(!socket.send(new Uint8Array(1), to));
});

Deno.test("a port that is taken is an error that says so", async () => {
  await using a = openUdp(LOOPBACK, deps);
  const error = assertThrows(() => openUdp(a.address, deps), NetError, `127.0.0.1:${a.address.port}`);
  assertEquals(error.code, "address_in_use");
});

Deno.test("a flood does not keep timers and other sockets from their turn", async () => {
  await using target = openUdp(LOOPBACK, deps);
  await using flooder = openUdp(LOOPBACK, deps);
  await using other = openUdp(LOOPBACK, deps);
  await using quiet = openUdp(LOOPBACK, deps);
  let flooding = true;
  target.onDatagram(() => {
    // Each datagram brings two more: the target never runs dry.
    if (flooding) { for (let i = 0; i < 2; i++) flooder.send(new Uint8Array(64), target.address); }
  });
  for (let i = 0; i < 50; i++) flooder.send(new Uint8Array(64), target.address);
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve) => systemClock.setTimer(resolve, 1));
    const answer = next(other);
    assert(quiet.send(new Uint8Array(1), other.address));
    await answer;
  }
  flooding = false;
  assert(target.counts.received > 50);
});
