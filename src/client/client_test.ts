import { assert, assertEquals, assertRejects } from "@std/assert";
import { Client, ClientError, type ClientOptions, Problem, RawBody } from "./mod.ts";

type Serve = (request: Request, n: number) => Response | Promise<Response>;

/** A client of a platform that `serve` plays, over real sockets. Pauses take no time, and are noted. */
function setUp(serve: Serve, options: Partial<ClientOptions> = {}) {
  const requests: { method: string; path: string; headers: Headers; body: string }[] = [],
    pauses: number[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    requests.push({
      method: request.method,
      path: pathname + search,
      headers: request.headers,
      body: await request.text(),
    });
    return await serve(request, requests.length - 1);
  });
  const client = new Client({
    url: `http://127.0.0.1:${server.addr.port}`,
    token: "t",
    fetch: cutting,
    sleep: (ms) => Promise.resolve(void pauses.push(ms)),
    ...options,
  });
  return { client, requests, pauses, [Symbol.asyncDispose]: () => server.shutdown() };
}

const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    { code, detail: "no", status, faults: [{ in: "body", path: "$.a", message: "m" }], extra: 1 },
    {
      status,
      headers: { ...headers, "content-type": "application/problem+json", "x-request-id": "request-1" },
    },
  );
/** An answer that the client gets only the beginning of. */
const broken = (text = '{"name', type = "application/json") =>
  new Response(text, { headers: { "content-type": type, "x-cut": "true" } });

/** Cuts what is marked: the body comes in pieces of three bytes, so that lines and characters are cut wherever, and breaks. */
async function cutting(request: Request): Promise<Response> {
  const response = await fetch(request);
  if (!response.headers.has("x-cut")) return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  let at = 0;
  const stream = new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += 3));
      else controller.error(new TypeError("connection reset"));
    },
  });
  return new Response(stream, { headers: response.headers });
}
const group = { name: "north", description: "", filter: null, gateways: 0 };

Deno.test("paths and queries are filled in, and a path can't be left by them", async () => {
  await using up = setUp(() => Response.json({ items: [] }));
  await up.client.call("GET /api/v1/groups/{name}", { params: { name: "a/b?c#d é" } });
  await up.client.call("GET /api/v1/gateways", { query: { online: true, limit: 5, vendor: "A&B" } });
  assertEquals(up.requests.map(({ path }) => path), [
    "/api/v1/groups/a%2Fb%3Fc%23d%20%C3%A9",
    "/api/v1/gateways?online=true&limit=5&vendor=A%26B",
  ]);
  assertEquals(up.requests[0]!.headers.get("authorization"), "Bearer t");
  for (const name of ["", ".", ".."]) {
    await assertRejects(() => up.client.call("GET /api/v1/groups/{name}", { params: { name } }), TypeError);
  }
  assertEquals(up.requests.length, 2);
});

Deno.test("a refusal is a Problem with all that it says, and is not asked again", async () => {
  await using up = setUp(() => problem(409, "name_taken"));
  const error = await assertRejects(
    () => up.client.call("POST /api/v1/groups", { body: { name: "north" } }),
    Problem,
  );
  assertEquals([error.status, error.code, error.message, error.requestId], [
    409,
    "name_taken",
    "no",
    "request-1",
  ]);
  assertEquals([error.faults, error.members], [[{ in: "body", path: "$.a", message: "m" }], { extra: 1 }]);
  assertEquals(up.requests.length, 1);
});

Deno.test("a post whose answer is cut off is sent again with its key, also while the first is still in work", async () => {
  await using up = setUp((_, n) =>
    n === 0
      ? broken()
      : n === 1
      ? problem(409, "idempotency_in_progress", { "retry-after": "1" })
      : Response.json(group, { status: 201, headers: { "idempotency-replayed": "true" } })
  );
  const { body, replayed, status } = await up.client.ask("POST /api/v1/groups", { body: { name: "north" } });
  assertEquals([body.name, replayed, status], ["north", true, 201]);
  const keys = up.requests.map(({ headers }) => headers.get("idempotency-key"));
  assertEquals(new Set(keys).size, 1);
  assertEquals(keys[0]!.length, 36);
  assertEquals(up.requests.map(({ body }) => body), Array(3).fill('{"name":"north"}'));
  assert(up.pauses[0]! >= 100 && up.pauses[0]! <= 200);
  assertEquals(up.pauses[1], 1000);
});

Deno.test("what is not safe to send again is sent once: posts without keys, patches, removals, streams", async () => {
  await using up = setUp(() => broken());
  const { client } = up;
  await assertRejects(
    () => client.call("PATCH /api/v1/groups/{name}", { params: { name: "a" }, body: {} }),
    ClientError,
  );
  const session = { name: "li", password: "correct horse" };
  await assertRejects(() => client.call("POST /api/v1/sessions", { body: session }), ClientError);
  assertEquals(up.requests.length, 2);
  assertEquals(up.requests.map(({ headers }) => headers.get("idempotency-key")), [null, null]);
  await assertRejects(
    () => client.call("GET /api/v1/groups/{name}", { params: { name: "a" } }),
    ClientError,
    "can't be reached",
  );
  assertEquals(up.requests.length, 6);
});

Deno.test("who is told to wait a moment waits, who is told to wait for long is told so", async () => {
  let wait = "3";
  await using up = setUp((_, n) =>
    n === 0 || wait !== "3" ? problem(429, "rate_limited", { "retry-after": wait }) : Response.json(group)
  );
  const ask = () => up.client.call("GET /api/v1/groups/{name}", { params: { name: "north" } });
  assertEquals((await ask()).name, "north");
  assertEquals(up.pauses, [3000]);
  wait = "60";
  assertEquals((await assertRejects(ask, Problem)).retryAfter, 60);
  assertEquals(up.requests.length, 3);
});

Deno.test("what is none of the platform's answers is told as such", async () => {
  await using up = setUp(
    (_, n) =>
      n === 0
        ? new Response("<html>", { status: 404 })
        : new Response("{", { headers: { "content-type": "application/json" } }),
    { attempts: 1 },
  );
  for (let n = 0; n < 2; n++) {
    const error = await assertRejects(
      () => up.client.call("GET /api/v1/groups/{name}", { params: { name: "a" } }),
      ClientError,
    );
    assertEquals(error.code, "not_an_answer");
  }
});

Deno.test("an answer that does not come, or does not end, is given up in time", async () => {
  const stop = Promise.withResolvers<Response>();
  await using up = setUp(
    (_, n) =>
      n === 0 ? stop.promise : new Response(new ReadableStream({ pull: () => stop.promise.then(() => {}) }), {
        headers: { "content-type": "application/json" },
      }),
    { timeoutMs: 50, attempts: 1 },
  );
  for (let n = 0; n < 2; n++) {
    const error = await assertRejects(() => up.client.call("GET /api/v1/about"), ClientError);
    assertEquals(error.code, "timeout");
  }
  stop.resolve(new Response());
});

Deno.test("no token goes to where an answer leads", async () => {
  let strangers = 0;
  await using other = setUp(() => (strangers++, Response.json({})));
  await using up = setUp(
    () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
    {
      attempts: 1,
    },
  );
  await assertRejects(() => up.client.call("GET /api/v1/about"), ClientError);
  assertEquals([strangers, other.requests.length], [0, 0]);
});

Deno.test("a list is read page after page", async () => {
  await using up = setUp((_, n) =>
    Response.json({ items: [{ mac: `M${n}` }], ...(n < 2 ? { next: `c${n}` } : {}) })
  );
  const macs: string[] = [];
  for await (const { mac } of up.client.all("GET /api/v1/gateways", { query: { limit: 1 } })) macs.push(mac);
  assertEquals(macs, ["M0", "M1", "M2"]);
  assertEquals(up.requests.map(({ path }) => path.split("?")[1]), [
    "limit=1",
    "limit=1&cursor=c0",
    "limit=1&cursor=c1",
  ]);
});

Deno.test("a stream that breaks off goes on behind its last event, and ends where it is said", async () => {
  const type = "text/event-stream";
  const events = (text: string) => new Response(text, { headers: { "content-type": type } });
  await using up = setUp((_, n) =>
    [
      () =>
        broken(
          ': hi\n\nid: 1\nevent: message\ndata: {"a":"é"}\n\nid: 2\r\ndata: {"b":\r\ndata: 2}\r\n\r\n',
          type,
        ),
      () => events('event: end\ndata: {"reason":"lagged"}\n\n'),
      () => problem(503, "too_many_streams", { "retry-after": "2" }),
      () => events('id: 3\ndata: 3\n\nevent: end\ndata: {"reason":"finished"}\n\n'),
    ][n]!()
  );
  const seen: unknown[] = [];
  for await (const { id, event, data } of up.client.events("GET /api/v1/messages/stream")) {
    seen.push([id, event, data]);
  }
  assertEquals(seen, [["1", "message", { a: "é" }], ["2", "message", { b: 2 }], ["3", "message", 3]]);
  assertEquals(up.requests.map(({ headers }) => headers.get("last-event-id")), [null, "2", "2", "2"]);
});

Deno.test("a stream is refused, given up, or broken off for good where it has to be", async () => {
  await using up = setUp((_, n) =>
    n === 0 ? problem(403, "forbidden") : n === 1
      ? new Response(`data: "${"x".repeat(5_000_000)}"\n\n`, {
        headers: { "content-type": "text/event-stream" },
      })
      : n === 2
      ? new Response('event: end\ndata: {"reason":"unauthorized"}\n\n')
      : broken()
  );
  const read = async (signal?: AbortSignal) => {
    for await (const _ of up.client.events("GET /api/v1/messages/stream", {}, signal ? { signal } : {})) {
      assert(false);
    }
  };
  assertEquals((await assertRejects(read, Problem)).code, "forbidden");
  assertEquals((await assertRejects(read, ClientError)).code, "too_large");
  assertEquals((await assertRejects(read, Problem)).status, 401);
  assertEquals((await assertRejects(read, ClientError)).code, "unreachable");
  await assertRejects(() => read(AbortSignal.abort(new Error("mine"))), Error, "mine");
});

Deno.test("a body that is no JSON goes as it is", async () => {
  await using up = setUp(() => Response.json({ created: 0, taken: [], faults: [] }));
  await up.client.call("POST /api/v1/gateways", { body: new RawBody("text/csv", "mac,sn\n") });
  assertEquals([up.requests[0]!.headers.get("content-type"), up.requests[0]!.body], ["text/csv", "mac,sn\n"]);
});
