import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as v from "valibot";
import { FakeClock, Metrics, seededRandom, silentLog, systemClock } from "../base/mod.ts";
import { Api, type HttpService, serveHttp, type ServeOptions, waitSeconds } from "./mod.ts";

/** A server on a free port with a route that waits until the test opens its gate or the caller's signal aborts. */
function setUp(options: ServeOptions = {}, clock = systemClock) {
  const deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const api = new Api(deps, { title: "Test", version: "1", authenticators: [] });
  const entered = queue<AbortSignal>(), aborted = queue<unknown>();
  const gate = Promise.withResolvers<void>();
  const spec = {
    summary: "Waits",
    auth: "public",
    responses: { 200: { description: "", schema: v.string() } },
  } as const;
  api.route({ ...spec, method: "GET", path: "/wait", query: v.object({ wait: waitSeconds() }) }).handle(
    async ({ signal }) => {
      const gone = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => {
        aborted.push(signal.reason);
        gone.reject(signal.reason);
      });
      entered.push(signal);
      await Promise.race([gate.promise, gone.promise]);
      return { status: 200, body: "waited" };
    },
  );
  // Has perhaps made something when it is broken off.
  api.route({ ...spec, method: "POST", path: "/make" }).handle(async ({ signal }) => {
    const gone = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => gone.reject(signal.reason));
    entered.push(signal);
    return await gone.promise;
  });
  // Takes no notice of the signal, as a handler in the middle of its work.
  api.route({ ...spec, method: "GET", path: "/work" }).handle(async ({ request }) => {
    entered.push(request.signal);
    await gate.promise;
    return { status: 200, body: "worked" };
  });
  api.route({ ...spec, method: "POST", path: "/echo", body: { json: v.string() } }).handle(({ body }) => ({
    status: 200,
    body,
  }));
  const server = serveHttp(deps, api, { host: "127.0.0.1", port: 0 }, options);
  return { server, entered, aborted, open: () => gate.resolve(), metrics: deps.metrics };
}

function queue<T>() {
  const items: T[] = [], takers: ((item: T) => void)[] = [];
  return {
    push: (item: T) => {
      const taker = takers.shift();
      if (taker) taker(item);
      else items.push(item);
    },
    next: (): Promise<T> => {
      if (items.length > 0) return Promise.resolve(items.shift()!);
      return new Promise((resolve) => takers.push(resolve));
    },
  };
}

async function echo(server: HttpService, text: string): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  return await (await fetch(`${server.url}/echo`, { method: "POST", headers, body: JSON.stringify(text) }))
    .json();
}

async function raw(server: HttpService, text: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: server.address.host, port: server.address.port });
  await connection.write(new TextEncoder().encode(text));
  return connection;
}

/** What comes back until the answer's head is there (a server may go on swallowing a body that it refused). */
async function readHead(connection: Deno.TcpConn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(4096);
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

Deno.test("a server answers at the port it names and is down after its stop", async () => {
  const { server } = setUp();
  assertEquals(await echo(server, "hello"), "hello");
  assertEquals(server.addresses, [`http 127.0.0.1:${server.address.port}`]);
  assertEquals(server.health().status, "up");
  await server[Symbol.asyncDispose]();
  assertEquals(server.health().status, "down");
  await assertRejects(() => fetch(server.url));
  await server[Symbol.asyncDispose]();
});

Deno.test("a port that is taken is an error at start, not later", async () => {
  const { server } = setUp();
  const deps = { clock: systemClock, log: silentLog, metrics: new Metrics() };
  const handler = { fetch: () => Promise.resolve(new Response()) };
  try {
    await assertRejects(
      () => Promise.resolve().then(() => serveHttp(deps, handler, server.address)),
      Deno.errors.AddrInUse,
    );
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("a caller that goes away aborts what waits on its behalf, one that got its answer does not", async () => {
  const { server, entered, aborted, open } = setUp();
  const caller = new AbortController();
  const answer = fetch(`${server.url}/wait`, { signal: caller.signal });
  await entered.next();
  caller.abort();
  await assertRejects(() => answer);
  assert(await aborted.next() instanceof DOMException);
  const second = fetch(`${server.url}/wait?wait=5`);
  const signal = await entered.next();
  open();
  assertEquals(await (await second).json(), "waited");
  await server[Symbol.asyncDispose]();
  // The stop aborts what still waits; this request had ended long before.
  assertEquals(signal.aborted, true);
});

Deno.test("a stop ends long polls at once with 503 and lets work in progress finish", async () => {
  const { server, entered, open } = setUp({ graceMs: 60_000 });
  const poll = fetch(`${server.url}/wait`), work = fetch(`${server.url}/work`);
  await entered.next();
  await entered.next();
  const stopped = server[Symbol.asyncDispose]();
  const ended = await poll;
  assertEquals([ended.status, ended.headers.get("retry-after"), (await ended.json()).code], [
    503,
    "1",
    "stopping",
  ]);
  open();
  assertEquals(await (await work).json(), "worked");
  await stopped;
});

Deno.test("a stop does not say of what it broke off that nothing was taken, so that no balancer repeats it", async () => {
  const { server, entered } = setUp();
  const made = fetch(`${server.url}/make`, { method: "POST" });
  await entered.next();
  const stopped = server[Symbol.asyncDispose](), ended = await made;
  assertEquals([ended.status, (await ended.json()).code], [503, "interrupted"]);
  await stopped;
});

Deno.test("a stop that gives notice answers 503 for so long, though nothing is in work, and closes then", async () => {
  const clock = new FakeClock();
  const { server } = setUp({ noticeMs: 1500 }, clock);
  const stopped = server[Symbol.asyncDispose]();
  for (const ms of [0, 1499]) {
    await clock.advance(ms);
    const answer = await fetch(`${server.url}/echo`, { method: "POST", headers: { connection: "close" } });
    assertEquals([answer.status, (await answer.json()).code], [503, "stopping"]);
  }
  await clock.advance(1);
  await stopped;
  await assertRejects(() => fetch(`${server.url}/echo`, { method: "POST" }));
});

Deno.test("work that outlasts the grace time is cut off, so that a stop always ends", async () => {
  const clock = new FakeClock();
  const { server, entered, open } = setUp({ graceMs: 5000 }, clock);
  const work = assertRejects(() => fetch(`${server.url}/work`));
  await entered.next();
  const stopped = server[Symbol.asyncDispose]();
  await clock.advance(5000);
  await work;
  await stopped;
  open();
});

Deno.test("connections that sit there with half a header do not hold up a stop", async () => {
  const { server } = setUp();
  const half = await raw(
    server,
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Slow: ",
  );
  assertEquals(await echo(server, "served meanwhile"), "served meanwhile");
  await server[Symbol.asyncDispose]();
  half.close();
});

Deno.test("more requests than may be in work are answered 503 with Retry-After, and room comes back", async () => {
  const { server, entered, open, metrics } = setUp({ maxInFlight: 2 });
  const held = [fetch(`${server.url}/work`), fetch(`${server.url}/work`)];
  await entered.next();
  await entered.next();
  const refused = await fetch(`${server.url}/work`);
  assertEquals([refused.status, refused.headers.get("retry-after"), (await refused.json()).code], [
    503,
    "1",
    "overloaded",
  ]);
  assertStringIncludes(metrics.render(), 'gatehouse_http_requests_refused_total{server="http"} 1');
  open();
  for (const answer of held) assertEquals(await (await answer).json(), "worked");
  const later = await fetch(`${server.url}/work`);
  assertEquals(await later.json(), "worked");
  await server[Symbol.asyncDispose]();
});

Deno.test("a huge body, announced or in chunks without end, is cut off over a real socket", async () => {
  const { server } = setUp();
  const announced = await raw(
    server,
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n"',
  );
  assertStringIncludes(await readHead(announced), "HTTP/1.1 413");
  announced.close();
  const chunked = await raw(
    server,
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  const answer = readHead(chunked).catch(() => "");
  const chunk = new TextEncoder().encode(`10000\r\n${"x".repeat(0x10000)}\r\n`);
  let sent = 0;
  try {
    for (; sent < 1000; sent++) await chunked.write(chunk);
  } catch {
    // The server closed: that is the point.
  }
  assert(sent < 1000, "64 MiB went through");
  await answer;
  chunked.close();
  assertEquals(await echo(server, "still there"), "still there");
  await server[Symbol.asyncDispose]();
});

Deno.test("a body that stalls is given up after its time over a real socket", async () => {
  const clock = new FakeClock();
  const { server } = setUp({}, clock);
  const slow = await raw(
    server,
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"x',
  );
  const answer = readHead(slow);
  while (clock.pendingTimers === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await clock.advance(31_000);
  assertStringIncludes(await answer, "HTTP/1.1 408");
  slow.close();
  await server[Symbol.asyncDispose]();
});

Deno.test("what is no HTTP at all is turned away and does no harm", async () => {
  const { server } = setUp();
  for (
    const junk of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET\r\n\r\n",
      '{"RPCMethod":"Boot"}\r\n\r\n',
      `GET /${"a".repeat(500_000)} HTTP/1.1\r\n\r\n`,
    ]
  ) {
    const connection = await raw(server, junk);
    assertStringIncludes(await readHead(connection), "HTTP/1.1 4");
    connection.close();
  }
  assertEquals(await echo(server, "fine"), "fine");
  await server[Symbol.asyncDispose]();
});
