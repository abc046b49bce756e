import { assert, assertEquals, assertRejects } from "@std/assert";
import { silentLog, systemClock } from "../base/mod.ts";
import { NetError } from "./errors.ts";
import { openUdp } from "./udp.ts";
import { openUdpOnThread } from "./udp_thread.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const deps = { clock: systemClock, log: silentLog };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("a socket on a thread of its own hears and answers, in order, from where it is bound", async () => {
  await using service = await openUdpOnThread(LOOPBACK, deps);
  await using peer = openUdp(LOOPBACK, deps);
  service.onDatagram((bytes, from) => void service.send(bytes.slice(), from));
  const heard: string[] = [], all = Promise.withResolvers<void>();
  peer.onDatagram((bytes, from) => {
    assertEquals(from.port, service.address.port);
    if (heard.push(text(bytes)) === 200) all.resolve();
  });
  for (let i = 0; i < 200; i++) peer.send(new TextEncoder().encode(String(i)), service.address);
  await all.promise;
  assertEquals(heard, Array.from({ length: 200 }, (_, i) => String(i)));
  assertEquals([service.counts.received, service.counts.sent], [200, 200]);
});

Deno.test("while the program is busy, what comes is kept that the kernel would have dropped", async () => {
  const MANY = 5000;
  await using service = await openUdpOnThread(LOOPBACK, deps);
  const done = new SharedArrayBuffer(4), flag = new Int32Array(done);
  // Sends while this thread stands still: a few at a time, so that what is measured is who empties the kernel's buffer.
  const script = `self.onmessage = async ({ data: { port, many, done } }) => {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    for (let i = 0; i < many; i++) {
      await socket.send(new Uint8Array(100), { transport: "udp", hostname: "127.0.0.1", port });
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    socket.close();
    Atomics.store(new Int32Array(done), 0, 1);
    Atomics.notify(new Int32Array(done), 0);
    self.close();
  };`;
  const sender = new Worker(`data:application/javascript,${encodeURIComponent(script)}`, { type: "module" });
  sender.postMessage({ port: service.address.port, many: MANY, done });
  assertEquals(Atomics.wait(flag, 0, 0, 60_000), "ok"); // nothing else happens on this thread
  const held = Promise.withResolvers<void>();
  let heard = 0;
  service.onDatagram(() => void (++heard === MANY / 2 && held.resolve()));
  // The kernel's own buffer holds some 280 of them.
  await held.promise;
  assert(heard >= MANY / 2);
});

Deno.test("a port that is taken, and an address that is none of ours, are told", async () => {
  await using first = await openUdpOnThread(LOOPBACK, deps);
  const taken = await assertRejects(() => openUdpOnThread(first.address, deps), NetError);
  assertEquals(taken.code, "address_in_use");
  await assertRejects(() => openUdpOnThread({ host: "192.0.2.1", port: 0 }, deps), NetError);
});

Deno.test("what cannot be sent is counted, and the socket goes on", async () => {
  await using service = await openUdpOnThread(LOOPBACK, deps);
  await using peer = openUdp(LOOPBACK, deps);
  assertEquals(service.send(new Uint8Array(1), { host: "no address", port: 1 }), false);
  service.send(new Uint8Array(65_536), peer.address); // longer than any datagram
  const heard = Promise.withResolvers<string>();
  peer.onDatagram((bytes) => heard.resolve(text(bytes)));
  service.send(new TextEncoder().encode("still here"), peer.address);
  assertEquals(await heard.promise, "still here");
});

Deno.test("closing twice does nothing, and nothing is left behind", async () => {
  const socket = await openUdpOnThread(LOOPBACK, deps);
  socket.close();
  socket.close();
  await socket[Symbol.asyncDispose]();
  assertEquals(socket.send(new Uint8Array(1), LOOPBACK), false);
});
