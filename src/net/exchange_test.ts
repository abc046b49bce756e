import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, seededRandom, silentLog, systemClock } from "../base/mod.ts";
import { NetError } from "./errors.ts";
import { DatagramExchange } from "./exchange.ts";
import { MemoryNetwork } from "./memory_network.ts";
import { openUdp } from "./udp.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function setUp(conditions = {}) {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock, random: seededRandom(7), ...conditions });
  const client = network.datagram({ host: "10.0.0.1", port: 0 });
  const server = network.datagram({ host: "10.0.0.2", port: 5000 });
  const exchange = new DatagramExchange(client, clock);
  const others: string[] = [];
  client.onDatagram((bytes, from) => exchange.offer(bytes, from) || others.push(decode(bytes)));
  const seen: string[] = [];
  server.onDatagram((bytes) => seen.push(decode(bytes)));
  return { clock, network, client, server, exchange, others, seen };
}

const request = {
  to: { host: "10.0.0.2", port: 5000 },
  message: encode("ask"),
  match: (bytes: Uint8Array) => decode(bytes).startsWith("answer") ? decode(bytes) : undefined,
  attempts: 2,
  waitMs: 10_000,
};

Deno.test("an answer ends a request and leaves no timer behind", async () => {
  const { clock, server, exchange, others } = setUp();
  server.onDatagram((bytes, from) => {
    server.send(encode("a trigger"), from);
    server.send(encode(`answer to ${decode(bytes)}`), from);
  });
  const answer = exchange.request(request);
  await clock.advance(0);
  assertEquals(await answer, "answer to ask");
  assertEquals([clock.pendingTimers, exchange.pending, others], [0, 0, ["a trigger"]]);
});

Deno.test("an unanswered request is sent again after the spacing, and fails after the last wait", async () => {
  const { clock, exchange, seen } = setUp();
  const answer = assertRejects(
    () =>
      exchange.request({ ...request, message: (n) => encode(`ask ${n}`), attempts: 3, spacingMs: 60_000 }),
    NetError,
    "3 attempts",
  );
  await clock.advance(59_999);
  assertEquals(seen, ["ask 1"]);
  await clock.advance(1);
  assertEquals(seen, ["ask 1", "ask 2"]);
  await clock.advance(60_000);
  assertEquals(seen, ["ask 1", "ask 2", "ask 3"]);
  await clock.advance(9_999);
  assertEquals(exchange.pending, 1);
  await clock.advance(1);
  assertEquals((await answer).code, "timeout");
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("an answer that comes late, between two attempts, counts", async () => {
  const { clock, server, client, exchange } = setUp();
  const answer = exchange.request({ ...request, spacingMs: 60_000 });
  await clock.advance(30_000);
  server.send(encode("answer late"), client.address);
  await clock.advance(0);
  assertEquals(await answer, "answer late");
});

Deno.test("an answer from another address is not taken", async () => {
  const { clock, network, client, exchange, others } = setUp();
  const forger = network.datagram({ host: "10.6.6.6", port: 5000 });
  const answer = assertRejects(() => exchange.request({ ...request, attempts: 1 }), NetError);
  forger.send(encode("answer forged"), client.address);
  await clock.advance(10_000);
  await answer;
  assertEquals(others, ["answer forged"]);
});

Deno.test("requests to one address each take their own answer", async () => {
  const { clock, server, client, exchange } = setUp();
  const ask = (id: string) =>
    exchange.request({
      ...request,
      match: (bytes) => decode(bytes) === `answer ${id}` ? id : undefined,
    });
  const answers = Promise.all([ask("a"), ask("b"), ask("c")]);
  for (const id of ["c", "a", "b"]) server.send(encode(`answer ${id}`), client.address);
  await clock.advance(0);
  assertEquals(await answers, ["a", "b", "c"]);
});

Deno.test("a request through loss, duplicates and delay is answered", async () => {
  const { clock, server, exchange, others } = setUp({ loss: 0.5, duplicates: 0.5, delayMs: [5, 50] });
  server.onDatagram((bytes, from) => void server.send(encode(`answer to ${decode(bytes)}`), from));
  const ask = (id: number) =>
    exchange.request({
      ...request,
      message: encode(String(id)),
      match: (bytes) => decode(bytes) === `answer to ${id}` ? id : undefined,
      attempts: 50,
      waitMs: 100,
    });
  const ids = Array.from({ length: 20 }, (_, id) => id);
  const answers = Promise.all(ids.map(ask));
  await clock.advance(100 * 50);
  assertEquals(await answers, ids);
  assert(others.length > 0, "duplicates come after their request is over, and are the owner's");
});

Deno.test("an aborted request rejects at once with the reason as its cause", async () => {
  const { clock, exchange } = setUp();
  const abort = new AbortController();
  const answer = exchange.request({ ...request, signal: abort.signal });
  abort.abort("enough");
  const error = await assertRejects(() => answer, NetError);
  assertEquals([error.code, error.cause], ["aborted", "enough"]);
  assertEquals([clock.pendingTimers, exchange.pending], [0, 0]);
  const again = await assertRejects(() => exchange.request({ ...request, signal: abort.signal }), NetError);
  assertEquals(again.code, "aborted");
});

Deno.test("closing ends every request, and refuses new ones", async () => {
  const { clock, exchange } = setUp();
  const answers = [1, 2, 3].map(() => assertRejects(() => exchange.request(request), NetError));
  exchange.close();
  for (const error of await Promise.all(answers)) assertEquals(error.code, "closed");
  assertEquals((await assertRejects(() => exchange.request(request), NetError)).code, "closed");
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("more requests than allowed are refused at once", async () => {
  const { clock, client } = setUp();
  const exchange = new DatagramExchange(client, clock, 2);
  const waiting = [1, 2].map(() => assertRejects(() => exchange.request(request), NetError));
  assertEquals((await assertRejects(() => exchange.request(request), NetError)).code, "overflow");
  exchange.close();
  await Promise.all(waiting);
});

Deno.test("a matcher that throws fails its own request only", async () => {
  const { clock, server, client, exchange } = setUp();
  const bad = assertRejects(
    () =>
      exchange.request({
        ...request,
        match: () => {
          throw new RangeError("bad answer");
        },
      }),
    RangeError,
  );
  const good = exchange.request(request);
  server.send(encode("answer"), client.address);
  await clock.advance(0);
  await bad;
  server.send(encode("answer"), client.address);
  await clock.advance(0);
  assertEquals(await good, "answer");
});

Deno.test("a request over real sockets is answered", async () => {
  const deps = { clock: systemClock, log: silentLog };
  await using client = openUdp({ host: "127.0.0.1", port: 0 }, deps);
  await using server = openUdp({ host: "127.0.0.1", port: 0 }, deps);
  const exchange = new DatagramExchange(client, systemClock);
  client.onDatagram((bytes, from) => void exchange.offer(bytes, from));
  let asked = 0;
  server.onDatagram((_, from) => ++asked > 1 && server.send(encode("answer"), from));
  assertEquals(
    await exchange.request({ ...request, to: server.address, waitMs: 50, attempts: 100 }),
    "answer",
  );
  assert(asked >= 2);
});
