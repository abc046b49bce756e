import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog, systemClock } from "../base/mod.ts";
import {
  Api,
  type Authenticator,
  type EventReader,
  type EventStreamOptions,
  EventStreams,
  formatEvent,
  type HttpService,
  serveHttp,
} from "./mod.ts";

const KIM = { kind: "user", id: "1", name: "kim", permissions: ["read"] };

/** A route `/events` whose producer the test chooses, behind a token that the test can end. */
function setUp(
  produce: (reader: EventReader) => Promise<void>,
  options: Partial<EventStreamOptions> = {},
  { clock = new FakeClock() as FakeClock | typeof systemClock, allowed = (): boolean => true } = {},
) {
  const deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  let good = true, groups: string[] | undefined;
  const authenticator: Authenticator = {
    authenticate: (token) =>
      good && token.startsWith("kim") ? { ...KIM, id: token, ...(groups && { groups }) } : undefined,
  };
  const api = new Api(deps, { title: "Test", version: "1", authenticators: [authenticator] });
  const streams = new EventStreams(deps, { name: "test", ...options });
  api.route({
    method: "GET",
    path: "/events",
    summary: "Events",
    auth: ["read"],
    responses: { 200: { description: "Events", mediaType: "text/event-stream" } },
  }).handle((call) => streams.open(call, produce, allowed));
  const ask = (headers: Record<string, string> = {}, init: RequestInit = {}) =>
    api.request("/events", { ...init, headers: { authorization: "Bearer kim", ...headers } });
  return { api, deps, streams, ask, endToken: () => good = false, confine: () => groups = ["north"] };
}

const untilEnded = (reader: EventReader) => reader.ended;

/** Reads a body piece by piece. */
function reading(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    next: async () => (await reader.read()).value,
    async until(part: string) {
      let text = "";
      while (!text.includes(part)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended without "${part}": ${text.slice(-200)}`);
        text += value;
      }
      return text;
    },
    async rest() {
      let text = "";
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value;
      return text;
    },
    cancel: () => reader.cancel(),
  };
}

Deno.test("an event is its id, its kind and one line of JSON, and nothing can break out of it", () => {
  assertEquals(
    formatEvent({ id: "7", event: "message", data: { text: "a\nb\r\u2028" } }),
    'id: 7\nevent: message\ndata: {"text":"a\\nb\\r\u2028"}\n\n',
  );
  assertEquals(formatEvent({ data: undefined }), "data: null\n\n");
  for (const id of ["a\nb", "a\rb", "a\0b"]) assertThrows(() => formatEvent({ id, data: 1 }), TypeError);
  for (const event of ["", "a\nb", "a b"]) assertThrows(() => formatEvent({ event, data: 1 }), TypeError);
});

Deno.test("a stream says what its producer tells, in order, and ends with it", async () => {
  const { ask, streams } = setUp(async (reader) => {
    for (let i = 1; i <= 2; i++) assert(await reader.send({ id: `${i}`, event: "tick", data: { i } }));
  });
  const response = await ask();
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assertStringIncludes(response.headers.get("cache-control")!, "no-store");
  assertEquals(
    await response.text(),
    'retry: 3000\n\nid: 1\nevent: tick\ndata: {"i":1}\n\nid: 2\nevent: tick\ndata: {"i":2}\n\n' +
      'event: end\ndata: {"reason":"finished"}\n\n',
  );
  assertEquals(streams.readers, 0);
});

Deno.test("a producer learns what its reader has seen, but not what nobody could have been given", async () => {
  const seen: (string | undefined)[] = [];
  const { ask } = setUp((reader) => Promise.resolve(void seen.push(reader.lastEventId)));
  for (const id of ["0192-ab", "with space", "x".repeat(257)]) {
    await (await ask({ "last-event-id": id })).text();
  }
  await (await ask()).text();
  assertEquals(seen, ["0192-ab", undefined, undefined, undefined]);
});

Deno.test("a producer that waits for its reader is never ahead of it", async () => {
  let sent = 0;
  const { ask } = setUp(async (reader) => {
    while (await reader.send({ data: "x".repeat(1000) })) sent++;
  });
  const body = reading(await ask());
  await body.next();
  for (let i = 0; i < 100; i++) await body.next();
  assert(sent <= 104, `${sent} sent for 100 read`);
  await body.cancel();
});

for (
  const [what, options, size] of [
    ["events", { maxQueued: 5 }, 1],
    ["characters", { maxQueuedChars: 50_000 }, 10_000],
  ] as const
) {
  Deno.test(`a reader too slow for its producer is told that it lags: too many ${what}`, async () => {
    let pushed = 0;
    const { ask, streams } = setUp((reader) => {
      while (reader.push({ data: "x".repeat(size) })) pushed++;
      return reader.ended;
    }, options);
    const text = await (await ask()).text();
    assertEquals(text.split("\n\n").filter((event) => event.startsWith("data:")).length, pushed);
    assert(pushed >= 4 && pushed <= 6, String(pushed));
    assert(text.endsWith('event: end\ndata: {"reason":"lagged"}\n\n'));
    assertEquals(streams.readers, 0);
  });
}

Deno.test("silence is broken by comments", async () => {
  const clock = new FakeClock();
  const { ask } = setUp(untilEnded, { heartbeatMs: 1000 }, { clock });
  const body = reading(await ask());
  assertEquals(await body.next(), "retry: 3000\n\n");
  for (let i = 0; i < 3; i++) {
    const next = body.next();
    await clock.advance(1000);
    assertEquals(await next, ": still here\n\n");
  }
  await body.cancel();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a reader that takes nothing is cut off, and its producer is let go", async () => {
  const clock = new FakeClock();
  const ended = Promise.withResolvers<void>();
  const { ask, streams } = setUp(
    async (reader) => {
      while (await reader.send({ data: 1 }));
      ended.resolve();
    },
    {},
    { clock },
  );
  const response = await ask();
  await clock.advance(61_000);
  await ended.promise;
  assertEquals([streams.readers, clock.pendingTimers], [0, 0]);
  await response.body!.cancel().catch(() => {});
});

Deno.test("a stream ends when the caller's token does, without what was still waiting", async () => {
  const clock = new FakeClock();
  let reader: EventReader | undefined;
  const { ask, endToken, streams } = setUp((own) => (reader = own).ended, { recheckMs: 1000 }, { clock });
  const body = reading(await ask());
  await body.next();
  await clock.advance(5000);
  assertEquals(reader!.push({ data: "early" }), true);
  endToken();
  // What the test's own decoder reads ahead is out already; the last of many is not.
  for (let i = 0; i < 50; i++) reader!.push({ data: "early" });
  reader!.push({ data: "secret" });
  await clock.advance(1000);
  assertEquals(reader!.push({ data: "secret" }), false);
  const text = await body.rest();
  assert(!text.includes("secret") && text.endsWith('{"reason":"unauthorized"}\n\n'), text);
  assertEquals([streams.readers, clock.pendingTimers], [0, 0]);
});

Deno.test("a stream ends when its reader is confined to other groups than before", async () => {
  const clock = new FakeClock();
  const { ask, confine } = setUp(untilEnded, { recheckMs: 1000, heartbeatMs: 1e6 }, { clock });
  const body = reading(await ask());
  await clock.advance(5000);
  confine();
  await clock.advance(1000);
  assertStringIncludes(await body.rest(), "unauthorized");
});

Deno.test("a stream ends when what the token gave access to does; not while nobody can tell", async () => {
  const clock = new FakeClock();
  let answer: () => boolean = () => true;
  const { ask } = setUp(untilEnded, { recheckMs: 1000, heartbeatMs: 1e6 }, {
    clock,
    allowed: () => answer(),
  });
  const body = reading(await ask());
  await body.next();
  answer = () => {
    throw new Error("the database is away");
  };
  await clock.advance(10_000);
  answer = () => false;
  await clock.advance(1000);
  assertStringIncludes(await body.rest(), "unauthorized");
});

Deno.test("readers are few, and fewer of one caller; who leaves makes room", async () => {
  const { ask, streams } = setUp(untilEnded, { maxReaders: 3, maxPerPrincipal: 2 });
  const bodies = [reading(await ask()), reading(await ask())];
  assertEquals((await ask()).status, 429);
  bodies.push(reading(await ask({ authorization: "Bearer kim2" })));
  const refused = await ask({ authorization: "Bearer kim3" });
  assertEquals([refused.status, (await refused.json()).code], [503, "too_many_streams"]);
  await bodies[0]!.cancel();
  bodies.push(reading(await ask()));
  assertEquals(streams.readers, 3);
  for (const body of bodies) await body.cancel().catch(() => {});
  assertEquals(streams.readers, 0);
});

Deno.test("HEAD opens no stream, and a failing producer ends its own", async () => {
  const { ask, streams } = setUp(() => Promise.reject(new Error("broken")));
  const head = await ask({}, { method: "HEAD" });
  assertEquals([head.status, head.body, streams.readers], [200, null, 0]);
  assertStringIncludes(await (await ask()).text(), '{"reason":"failed"}');
});

/** The same over a socket. */
async function overSocket(
  produce: (reader: EventReader) => Promise<void>,
  options: Partial<EventStreamOptions>,
  test: (server: HttpService, streams: EventStreams) => Promise<void>,
): Promise<void> {
  const { api, deps, streams } = setUp(produce, options, { clock: systemClock });
  const server = serveHttp(deps, api, { host: "127.0.0.1", port: 0 });
  try {
    await test(server, streams);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

const GET = "GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer kim\r\n\r\n";

Deno.test("over a socket, a reader that goes away lets its producer go", async () => {
  const ended = Promise.withResolvers<void>();
  await overSocket(
    async (reader) => {
      await reader.ended;
      ended.resolve();
    },
    { heartbeatMs: 50 },
    async ({ address }, streams) => {
      const connection = await Deno.connect({ hostname: address.host, port: address.port });
      await connection.write(new TextEncoder().encode(GET));
      await connection.read(new Uint8Array(4096));
      connection.close();
      await ended.promise;
      assertEquals(streams.readers, 0);
    },
  );
});

Deno.test("over a socket, a reader that reads nothing fills its queue and no more", async () => {
  const lagged = Promise.withResolvers<number>();
  await overSocket(
    async (reader) => {
      let pushed = 0;
      const event = { data: "x".repeat(50_000) };
      while (reader.push(event)) {
        pushed++;
        await new Promise((resolve) => setTimeout(resolve, 0)); // as long as the socket takes it, it is given
      }
      lagged.resolve(pushed * 50_000);
      await reader.ended;
    },
    { maxQueuedChars: 500_000 },
    async ({ address }) => {
      const connection = await Deno.connect({ hostname: address.host, port: address.port });
      await connection.write(new TextEncoder().encode(GET));
      // What sockets and runtime hold between them is some megabytes.
      assert(await lagged.promise < 64 << 20);
      connection.close();
    },
  );
});

Deno.test("over a socket, the server's stop ends every stream with a goodbye", async () => {
  const texts: Promise<string>[] = [];
  await overSocket(untilEnded, {}, async ({ url }, streams) => {
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${url}/events`, { headers: { authorization: "Bearer kim" } });
      texts.push(response.text());
    }
    assertEquals(streams.readers, 5);
  });
  for (const text of await Promise.all(texts)) assertStringIncludes(text, '{"reason":"stopping"}');
});

Deno.test("over a socket, a token that ended is noticed while the stream goes on", async () => {
  const { api, deps, endToken } = setUp(untilEnded, { recheckMs: 20 }, { clock: systemClock });
  const server = serveHttp(deps, api, { host: "127.0.0.1", port: 0 });
  const response = await fetch(`${server.url}/events`, { headers: { authorization: "Bearer kim" } });
  const body = reading(response);
  await body.until("retry");
  endToken();
  await body.until("unauthorized");
  await body.rest();
  await server[Symbol.asyncDispose]();
});
