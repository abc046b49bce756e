import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeClock, systemClock } from "../../base/mod.ts";
import { type Attempt, send, type SenderParts, TRY_MS } from "./sender.ts";
import { Targets } from "./target.ts";

const never = new AbortController().signal;
/** Takes any host for an address of its own. */
const literal = { lookup: (host: string) => Promise.resolve(host) };
const LOCAL: SenderParts = { clock: systemClock, network: literal, targets: new Targets(["127.0.0.0/8"]) };

function receiver(handler: (request: Request) => Response | Promise<Response>) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
}

const post = (url: string, parts = LOCAL, signal = never): Promise<Attempt> =>
  send(parts, url, { "content-type": "application/json", "webhook-id": "m1" }, '{"a":1}', signal);

Deno.test("a receiver gets the body and the headers, and any 2xx is its word that it has them", async () => {
  const got: unknown[] = [];
  await using server = receiver(async (request) => {
    const { pathname, search } = new URL(request.url);
    got.push(request.method, pathname + search, request.headers.get("webhook-id"), await request.text());
    return new Response(null, { status: 204 });
  });
  const { status, error } = await post(`http://127.0.0.1:${server.addr.port}/in?x=1`);
  assertEquals([status, error], [204, undefined]);
  assertEquals(got, ["POST", "/in?x=1", "m1", '{"a":1}']);
});

Deno.test("what is not 2xx counts as failed, and says for how long to stay away", async () => {
  await using server = receiver((request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    const when = { 429: "120", 503: new Date(Date.now() + 60_000).toUTCString(), 500: "soon" }[status];
    return new Response("no", { status, headers: when === undefined ? {} : { "retry-after": when } });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  for (const status of [400, 404, 410, 500]) {
    const attempt = await post(`${url}/${status}`);
    assertEquals([attempt.status, attempt.error, attempt.retryAfterMs], [
      status,
      `HTTP ${status}`,
      undefined,
    ]);
  }
  assertEquals((await post(`${url}/429`)).retryAfterMs, 120_000);
  const { retryAfterMs } = await post(`${url}/503`);
  assert(retryAfterMs! > 50_000 && retryAfterMs! <= 60_000);
});

Deno.test("a redirection is a failure, and where it leads is never asked", async () => {
  let asked = 0;
  await using other = receiver(() => (asked++, new Response()));
  await using server = receiver((request) =>
    new Response(null, {
      status: Number(new URL(request.url).pathname.slice(1)),
      headers: { location: `http://127.0.0.1:${other.addr.port}/` },
    })
  );
  for (const status of [301, 302, 303, 307, 308]) {
    const attempt = await post(`http://127.0.0.1:${server.addr.port}/${status}`);
    assertEquals(attempt.status, status);
    assertMatch(attempt.error!, /redirections are not followed/);
  }
  assertEquals(asked, 0);
});

Deno.test("a body without an end is not read: the receiver's word counts, and its connection is cut", async () => {
  const cut = Promise.withResolvers<void>();
  const chunk = new Uint8Array(65_536);
  await using server = receiver(() =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(chunk),
        cancel: () => cut.resolve(),
      }),
    )
  );
  assertEquals((await post(`http://127.0.0.1:${server.addr.port}/`)).status, 200);
  await cut.promise;
});

Deno.test("a receiver that never answers is left after its time", async () => {
  const asked = Promise.withResolvers<void>(), stop = Promise.withResolvers<Response>();
  await using server = receiver(() => (asked.resolve(), stop.promise));
  const clock = new FakeClock();
  const trying = post(`http://127.0.0.1:${server.addr.port}/`, { ...LOCAL, clock });
  await asked.promise;
  await clock.advance(TRY_MS);
  const { status, error, ms } = await trying;
  assertEquals([status, error, ms], [undefined, "no answer in 15 s", TRY_MS]);
  assertEquals(clock.pendingTimers, 0);
  stop.resolve(new Response());
});

Deno.test("nobody there, no such name, and rubbish for an answer are failures with a reason", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr;
  listener.close();
  const { error: nobody } = await post(`http://127.0.0.1:${port}/in?key=secret`);
  assertMatch(nobody!, /refused/);
  assert(!nobody!.includes("secret"), nobody);
  const network = { lookup: () => Promise.reject(new Error('look up "no.example": not found')) };
  assertEquals(
    (await post("http://no.example/", { ...LOCAL, network })).error,
    'look up "no.example": not found',
  );
  const rubbish = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const connection = await rubbish.accept();
    await connection.read(new Uint8Array(1024));
    await connection.write(new TextEncoder().encode("220 smtp.example ready\r\n\r\n"));
    connection.close();
  })();
  const { status, error } = await post(`http://127.0.0.1:${rubbish.addr.port}/`);
  assertEquals(status, undefined);
  assert(error!.length <= 300);
  await serving;
  rubbish.close();
});

Deno.test("the connection goes to the address that was judged, and none is made to one that was refused", async () => {
  let asked = 0, host = "";
  await using server = receiver((request) => {
    asked++;
    host = request.headers.get("host") ?? "";
    return new Response();
  });
  const { port } = server.addr;
  // A name server that changes its mind: first what is allowed, then the platform's own machine.
  const answers = ["127.0.0.1", "127.0.0.1"];
  const network = { lookup: () => Promise.resolve(answers.shift() ?? "127.0.0.1") };
  const allowed = { ...LOCAL, network, targets: new Targets(["127.0.0.1"]) };
  assertEquals((await post(`http://hooks.example:${port}/`, allowed)).status, 200);
  assertEquals([asked, host, answers.length], [1, `hooks.example:${port}`, 1], "looked up once");
  const closed = { ...allowed, targets: new Targets() };
  for (
    const url of [`http://hooks.example:${port}/`, `http://127.0.0.1:${port}/`, `http://localhost:${port}/`]
  ) {
    const { status, error } = await post(url, closed);
    assertEquals(status, undefined);
    assertMatch(error!, /^127\.0\.0\.1 is not on the internet/);
  }
  assertEquals(asked, 1);
});

Deno.test("whoever stops a try gets its end at once", async () => {
  const asked = Promise.withResolvers<void>(), stop = Promise.withResolvers<Response>();
  await using server = receiver(() => (asked.resolve(), stop.promise));
  const stopping = new AbortController();
  const trying = post(`http://127.0.0.1:${server.addr.port}/`, LOCAL, stopping.signal);
  await asked.promise;
  stopping.abort(new Error("stopped"));
  assertEquals(await trying.catch((error) => error.message), "stopped");
  stop.resolve(new Response());
});
