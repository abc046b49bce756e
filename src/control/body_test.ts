import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as v from "valibot";
import { FakeClock, Metrics, seededRandom, silentLog } from "../base/mod.ts";
import { Api, parseJson, ProblemError } from "./mod.ts";

function setUp() {
  const clock = new FakeClock();
  const api = new Api({ clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() }, {
    title: "Test",
    version: "1",
    authenticators: [],
    pace: { graceMs: 1000, bytesPerSecond: 100 },
  });
  const spec = { method: "POST", summary: "Takes", auth: "public" } as const;
  api.route({ ...spec, path: "/json", body: { json: v.unknown(), maxBytes: 1000 }, responses: {} }).handle((
    { body },
  ) => ({
    response: Response.json({ keys: Object.keys(body as object), polluted: ({} as { bad?: unknown }).bad }),
  }));
  api.route({ ...spec, path: "/stream", body: { stream: ["*/*"], maxBytes: 1000 }, responses: {} }).handle(
    async ({ body }) => {
      let size = 0;
      for await (const chunk of body.stream) size += chunk.length;
      return { response: Response.json(size) };
    },
  );
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    api.request(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  return { clock, post };
}

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, (await response.json()).code];
}

/** A body that gives `chunks` one by one, and then nothing: it neither ends nor fails. */
function stalling(...chunks: string[]) {
  const seen = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunks.shift();
      if (next === undefined) return new Promise<void>(() => {});
      controller.enqueue(new TextEncoder().encode(next));
      return Promise.resolve();
    },
    cancel: () => void (seen.cancelled = true),
  });
  return { stream, seen };
}

Deno.test("a body larger than the route's limit is refused, announced or not, whole or streamed", async () => {
  const { post } = setUp();
  const large = JSON.stringify("x".repeat(2000));
  for (const path of ["/json", "/stream"]) {
    assertEquals(await codeOf(await post(path, large, { "content-length": "2002" })), [
      413,
      "body_too_large",
    ]);
    const unannounced = new Blob([large]).stream();
    assertEquals(await codeOf(await post(path, unannounced)), [413, "body_too_large"]);
  }
  assertEquals((await post("/json", JSON.stringify({ a: "x".repeat(900) }))).status, 200);
});

Deno.test("an endless body is dropped at the limit, not collected", async () => {
  const { post } = setUp();
  let given = 0, cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(given += 100)),
    cancel: () => void (cancelled = true),
  });
  const response = await post("/json", endless);
  assertEquals([response.status, response.headers.get("connection")], [413, "close"]);
  assert(cancelled && given < 10_000);
});

Deno.test("a body that stalls or trickles is given up after its time", async () => {
  const { post, clock } = setUp();
  for (const path of ["/json", "/stream"]) {
    const { stream, seen } = stalling('{"a":', "1");
    const answer = post(path, stream);
    await clock.advance(1060);
    assertEquals(await codeOf(await answer), [408, "body_too_slow"]);
    assert(seen.cancelled);
  }
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a body of announced length has its time too, and a false announcement does not pass the limit", async () => {
  const { post, clock } = setUp();
  const { stream } = stalling('{"a":', "1");
  const answer = post("/json", stream, { "content-length": "100" });
  await clock.advance(2000);
  assertEquals(await codeOf(await answer), [408, "body_too_slow"]);
  assertEquals(clock.pendingTimers, 0);
  const large = new Blob([JSON.stringify("x".repeat(2000))]).stream();
  assertEquals(await codeOf(await post("/json", large, { "content-length": "10" })), [413, "body_too_large"]);
});

Deno.test("a body that breaks off is a 400", async () => {
  const { post } = setUp();
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("reset")),
  });
  assertEquals(await codeOf(await post("/json", broken)), [400, "body_incomplete"]);
  const announced = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("reset")),
  });
  assertEquals(await codeOf(await post("/json", announced, { "content-length": "9" })), [
    400,
    "body_incomplete",
  ]);
});

Deno.test("bytes that are no UTF-8 and texts that are no JSON are a 400", async () => {
  const { post } = setUp();
  assertEquals(await codeOf(await post("/json", new Uint8Array([0x22, 0xff, 0x22]))), [
    400,
    "invalid_encoding",
  ]);
  for (const text of ["", "{", "{'a':1}", "NaN", '{"a":1}x', "\u0000"]) {
    assertEquals(await codeOf(await post("/json", text)), [400, "invalid_json"], text);
  }
});

Deno.test("JSON nested deeper than 64 levels is refused before it is parsed, brackets in strings do not count", () => {
  const nest = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  assert(Array.isArray(parseJson(nest(64))));
  for (const levels of [65, 500_000]) {
    const error = assertThrows(() => parseJson(nest(levels)), ProblemError);
    assertEquals([error.status, error.code], [400, "invalid_json"]);
  }
  assertThrows(() => parseJson('{"a":'.repeat(100_000)), ProblemError);
  assertEquals(parseJson(`"${"[".repeat(1000)}"`), "[".repeat(1000));
  assertEquals(parseJson(`["\\"${"[".repeat(100)}", 1]`), [`"${"[".repeat(100)}`, 1]);
});

Deno.test("a key __proto__ is refused wherever and however it is written", async () => {
  const { post } = setUp();
  for (
    const text of [
      '{"__proto__":{"bad":1}}',
      '{"a":[{"b":{"__proto__":{"bad":1}}}]}',
      '{"\\u005f_proto__":{"bad":1}}',
      '{"\\u005F\\u005fproto\\u005f_":{"bad":1}}',
    ]
  ) assertEquals(await codeOf(await post("/json", text)), [400, "invalid_json"], text);
  const harmless = await post(
    "/json",
    '{"text":"__proto__","constructor":{"prototype":{"bad":1}},"\\u00e9":1}',
  );
  assertEquals(await harmless.json(), { keys: ["text", "constructor", "é"] });
});

Deno.test("reading on after a limit was passed fails again instead of giving half a body as whole", async () => {
  const { clock } = setUp();
  const { guardedStream } = await import("./body.ts");
  const request = new Request("http://x", { method: "POST", body: new Blob(["x".repeat(50)]).stream() });
  const { stream } = guardedStream(request, {
    clock,
    maxBytes: 10,
    pace: { graceMs: 1000, bytesPerSecond: 1 },
  });
  const reader = stream.getReader();
  await assertRejects(() => reader.read(), ProblemError);
  await assertRejects(() => reader.read(), ProblemError);
});
