import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as v from "valibot";
import { createLog, FakeClock, Metrics, seededRandom, silentLog } from "../base/mod.ts";
import {
  ADMIN,
  Api,
  type AuditedCall,
  pageQuery,
  problem,
  ProblemError,
  Routes,
  tokenAuthenticator,
  waitSeconds,
} from "./mod.ts";

const TOKEN = "a-token-for-tests";
const bearer = { authorization: `Bearer ${TOKEN}` };

function setUp(log = silentLog) {
  const clock = new FakeClock(), metrics = new Metrics();
  const api = new Api({ clock, random: seededRandom(1), log, metrics }, {
    title: "Test",
    version: "1",
    authenticators: [tokenAuthenticator(TOKEN, ADMIN)],
    checkReplies: true,
    mapError: (error) =>
      error instanceof RangeError ? problem(422, "out_of_range", error.message) : undefined,
  });
  const json = (path: string, body: unknown, headers: Record<string, string> = bearer) =>
    api.request(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  return { api, clock, metrics, json };
}

const thing = v.object({ name: v.pipe(v.string(), v.maxLength(5)), size: v.number() });

function withThings() {
  const setup = setUp();
  setup.api.route({
    method: "POST",
    path: "/things/{id}",
    summary: "Makes a thing",
    auth: ["admin"],
    params: v.object({ id: v.pipe(v.string(), v.regex(/^[a-z]+$/)) }),
    query: v.object({ wait: waitSeconds(), ...pageQuery() }),
    body: { json: v.object({ list: v.array(thing), extra: v.optional(v.record(v.string(), v.unknown())) }) },
    responses: {
      200: { description: "Made", schema: v.object({ id: v.string(), n: v.number(), wait: v.number() }) },
    },
  }).handle(({ params, query, body }) => ({
    status: 200,
    body: { id: params.id, n: body.list.length, wait: query.wait },
  }));
  return setup;
}

Deno.test("a handler gets path, query and body as their schemas make them", async () => {
  const { json } = withThings();
  const response = await json("/things/abc?wait=7", { list: [{ name: "a", size: 1 }] });
  assertEquals(response.status, 200);
  assertEquals(await response.json(), { id: "abc", n: 1, wait: 7 });
  assert(response.headers.get("x-request-id"));
});

Deno.test("a request with several faults is told all of them with their JSON paths", async () => {
  const { json } = withThings();
  const response = await json("/things/A1?wait=many&lmit=3", {
    list: [{ name: "a", size: 1 }, { name: "toolong" }],
  });
  assertEquals(response.status, 400);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const shown = await response.json();
  assertEquals(shown.code, "invalid_request");
  assertEquals(shown.instance, "/things/A1");
  assertEquals(
    shown.faults.map((f: { in: string; path: string }) => `${f.in} ${f.path}`),
    ["query $.lmit", "path $.id", "query $.wait", "body $.list[1].name", "body $.list[1].size"],
  );
});

Deno.test("what is missing or unknown is said in plain words", async () => {
  const { json } = withThings();
  const faults = async (body: unknown) => (await (await json("/things/abc", body)).json()).faults;
  assertEquals(await faults({}), [{ in: "body", path: "$.list", message: "is missing" }]);
  assertEquals(await faults({ list: [{ size: 1 }] }), [
    { in: "body", path: "$.list[0].name", message: "is missing" },
  ]);
});

Deno.test("where one thing or a list is taken, faults are those of what was sent", async () => {
  const { api, json } = setUp();
  const one = v.strictObject({ name: v.string() });
  api.route({
    method: "POST",
    path: "/things",
    summary: "Makes one or many",
    auth: ["admin"],
    body: { json: v.union([one, v.array(one)]) },
    responses: { 204: { description: "Made" } },
  }).handle(() => ({ status: 204 }));
  const faults = async (body: unknown) =>
    (await (await json("/things", body)).json()).faults.map((fault: { path: string; message: string }) =>
      `${fault.path} ${fault.message}`
    );
  assertEquals(await faults({ nme: "a" }), ["$.name is missing", "$.nme Unknown key"]);
  assertEquals(await faults([{ name: "a" }, {}]), ["$[1].name is missing"]);
  assertEquals(await faults(7), ["$ Invalid type: Expected (Object | Array) but received 7"]);
});

Deno.test("a body that may be left out may be left out of a post that does not say so", async () => {
  const { api, json } = setUp();
  const routes = { method: "POST", summary: "Starts it", auth: ["admin"] } as const;
  const said = v.object({ reason: v.optional(v.string()) });
  const responses = { 200: { description: "Done", schema: v.object({ said: v.boolean() }) } };
  api.route({ ...routes, path: "/start", body: { json: said, optional: true }, responses })
    .handle(({ body }) => ({ status: 200, body: { said: body !== undefined } }));
  api.route({ ...routes, path: "/must", body: { json: said }, responses })
    .handle(() => ({ status: 200, body: { said: true } }));
  const started = await api.request("/start", {
    method: "POST",
    headers: bearer,
    body: new ReadableStream({
      start: (controller) => controller.close(),
    }),
  });
  assertEquals([started.status, await started.json()], [200, { said: false }]);
  const refused = await (await json("/must", "")).json();
  assertEquals([refused.code, refused.detail], ["invalid_json", "a body is needed: JSON"]);
});

Deno.test("a huge list of wrong elements gives a small answer", async () => {
  const { json } = withThings();
  const response = await json("/things/abc", { list: Array(200_000).fill(1) });
  assertEquals(response.status, 400);
  assert((await response.text()).length < 2000);
  const middle = await json("/things/abc", { list: Array(1000).fill(1) });
  const shown = await middle.json();
  assertEquals(shown.faults.length, 50);
  assertEquals(shown.faultsOmitted, 950);
});

Deno.test("an unknown path answers 404, a known one with another method 405 with Allow", async () => {
  const { api } = withThings();
  const none = await api.request("/nothing");
  assertEquals([none.status, (await none.json()).code], [404, "not_found"]);
  const wrong = await api.request("/things/abc", { method: "DELETE" });
  assertEquals([wrong.status, (await wrong.json()).code], [405, "method_not_allowed"]);
  assertEquals(wrong.headers.get("allow"), "OPTIONS, POST");
  const options = await api.request("/openapi.json", { method: "OPTIONS" });
  assertEquals([options.status, options.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  const head = await api.request("/openapi.json", { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
});

Deno.test("a body in another media type answers 415 and names what is taken", async () => {
  const { api } = withThings();
  const response = await api.request("/things/abc", {
    method: "POST",
    body: "<x/>",
    headers: { ...bearer, "content-type": "text/xml" },
  });
  assertEquals([response.status, response.headers.get("accept")], [415, "application/json"]);
});

Deno.test("one route takes JSON, text and streams, told apart for the handler", async () => {
  const { api } = setUp();
  api.route({
    method: "POST",
    path: "/in",
    summary: "Takes anything",
    auth: "public",
    body: {
      json: v.object({ a: v.number() }),
      text: ["text/csv"],
      stream: ["application/octet-stream"],
      optional: true,
    },
    responses: { 200: { description: "What it was", schema: v.string() } },
  }).handle(async ({ body }) => {
    if (body === undefined) return { status: 200, body: "nothing" };
    if (!("kind" in body)) return { status: 200, body: `json ${body.a}` };
    if (body.kind === "text") return { status: 200, body: `text ${body.text}` };
    let size = 0;
    for await (const chunk of body.stream) size += chunk.length;
    return { status: 200, body: `stream ${size}` };
  });
  const send = async (body: string | null, type?: string) =>
    await (await api.request("/in", { method: "POST", body, headers: type ? { "content-type": type } : {} }))
      .json();
  assertEquals(await send('{"a":1}', "application/json; charset=utf-8"), "json 1");
  assertEquals(await send("x,y", "text/csv"), "text x,y");
  assertEquals(await send("12345", "application/octet-stream"), "stream 5");
  assertEquals(await send(null), "nothing");
});

Deno.test("an unexpected error shows a request id and nothing of the inside, which goes to the log", async () => {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    clock: { now: () => 0 },
    write: (l) => lines.push(l),
  });
  const { api } = setUp(log);
  const spec = { method: "GET", summary: "Fails", auth: "public", responses: {} } as const;
  api.route({ ...spec, path: "/boom" }).handle(() => {
    throw new Error("secret inside");
  });
  api.route({ ...spec, path: "/range" }).handle(() => {
    throw new RangeError("too far");
  });
  api.route({ ...spec, path: "/busy" }).handle(() => {
    throw problem(503, "busy", "later", { retryAfterSeconds: 2.5 });
  });
  const boom = await api.request("/boom", { headers: { "x-request-id": "my-request-1" } });
  const text = await boom.text();
  assertEquals(boom.status, 500);
  assertEquals(boom.headers.get("x-request-id"), "my-request-1");
  assert(!text.includes("secret"));
  assertStringIncludes(text, "my-request-1");
  assert(lines.some((line) => line.includes("secret inside") && line.includes("my-request-1")));
  const range = await api.request("/range");
  assertEquals([range.status, (await range.json()).code], [422, "out_of_range"]);
  const busy = await api.request("/busy");
  assertEquals([busy.status, busy.headers.get("retry-after")], [503, "3"]);
});

Deno.test("a request id that could forge a log line is replaced", async () => {
  const { api } = setUp();
  const response = await api.request("/openapi.json", { headers: { "x-request-id": "a b=c level=ERROR" } });
  assert(/^[0-9a-f-]{36}$/.test(response.headers.get("x-request-id")!));
});

Deno.test("a reply that breaks its documented schema is a 500 where replies are checked", async () => {
  const { api } = setUp();
  api.route({
    method: "GET",
    path: "/x",
    summary: "Lies",
    auth: "public",
    responses: { 200: { description: "A short name", schema: v.pipe(v.string(), v.maxLength(3)) } },
  }).handle(() => ({ status: 200, body: "too long" }));
  assertEquals((await api.request("/x")).status, 500);
});

Deno.test("routes mount under a prefix, and declaring one twice is refused", async () => {
  const { api } = setUp();
  const spec = {
    method: "GET",
    path: "/a/{id}",
    summary: "A",
    auth: "public",
    responses: { 204: { description: "" } },
  } as const;
  const sub = new Routes();
  sub.route(spec).handle(() => ({ status: 204 }));
  api.mount("/v1", sub);
  assertEquals((await api.request("/v1/a/7")).status, 204);
  let refused: unknown;
  try {
    sub.route({ ...spec, path: "/a/{name}" }).handle(() => ({ status: 204 }));
  } catch (error) {
    refused = error;
  }
  assert(refused instanceof TypeError);
});

Deno.test("a raw part answers under its path, but not in place of a declared route", async () => {
  const { api } = withThings();
  api.raw("/*", (request) => new Response(`page ${new URL(request.url).pathname}`));
  assertEquals(await (await api.request("/console/x")).text(), "page /console/x");
  assertEquals((await api.request("/things/abc", { method: "PUT" })).status, 405);
  assertEquals((await api.request("/openapi.json")).headers.get("content-type"), "application/json");
});

Deno.test("requests are counted by route pattern, so that made-up paths and methods add no series", async () => {
  const { api, metrics, json } = withThings();
  await json("/things/abc", { list: [] });
  const before = metrics.render().split("\n").length;
  for (let i = 0; i < 50; i++) {
    await api.request(`/made-up-${i}`);
    await json(`/things/abc${"x".repeat(i)}`, { list: [] });
  }
  await api.request("/", { method: "BREW" });
  await api.request("/", { method: "STEAM" });
  const text = metrics.render();
  assertStringIncludes(
    text,
    'gatehouse_http_requests_total{method="POST",route="/things/{id}",status="200"} 51',
  );
  assert(text.split("\n").length - before < 60);
  assert(!text.includes("made-up") && !text.includes("BREW"));
});

Deno.test("the OpenAPI document describes parameters, bodies, answers and rights from the same schemas", async () => {
  const { api } = withThings();
  const document = await (await api.request("/openapi.json")).json();
  assertEquals(document.openapi, "3.1.0");
  const operation = document.paths["/things/{id}"].post;
  assertEquals(operation.security, [{ bearer: [] }]);
  assertEquals(operation["x-permissions"], ["admin"]);
  assertEquals(operation.parameters[0], {
    name: "id",
    in: "path",
    required: true,
    schema: { type: "string", pattern: "^[a-z]+$" },
  });
  const wait = operation.parameters.find((p: { name: string }) => p.name === "wait");
  assertEquals([wait.required, wait.schema], [false, {
    type: "integer",
    minimum: 0,
    maximum: 60,
    default: 0,
  }]);
  const body = operation.requestBody.content["application/json"].schema;
  assertEquals(body.properties.list.items.properties.name.maxLength, 5);
  assertEquals(body.required, ["list"]);
  assertEquals(Object.keys(operation.responses), [
    "200",
    "400",
    "401",
    "403",
    "408",
    "413",
    "415",
    "429",
    "500",
    "503",
  ]);
});

Deno.test("problem errors keep code and status for those who catch them", () => {
  const error = problem(409, "taken", "it is taken");
  assert(error instanceof ProblemError);
  assertEquals([error.status, error.code, error.message], [409, "taken", "it is taken"]);
});

Deno.test("the audit hears of every change by somebody known, of how it ended, and of nothing else", async () => {
  const heard: AuditedCall[] = [];
  const api = new Api({
    clock: new FakeClock(),
    random: seededRandom(1),
    log: silentLog,
    metrics: new Metrics(),
  }, {
    title: "Test",
    version: "1",
    authenticators: [tokenAuthenticator("a-good-token", ADMIN)],
    audit: (call) => {
      heard.push(call);
      return Promise.reject(new Error("the audit is away"));
    },
  });
  const spec = { summary: "x", auth: ["admin"], responses: { 204: { description: "" } } } as const;
  api.route({ ...spec, method: "PUT", path: "/things/{id}" }).handle(({ changed }) => {
    changed({ size: 1 }, { size: 2 });
    return { status: 204 };
  });
  api.route({ ...spec, method: "POST", path: "/refused" }).handle(() => {
    throw problem(409, "no", "no");
  });
  api.route({ ...spec, method: "GET", path: "/read" }).handle(() => ({ status: 204 }));
  api.route({ ...spec, method: "GET", path: "/secret", audited: true }).handle(() => ({ status: 204 }));
  api.route({ ...spec, method: "POST", path: "/open", auth: "public" }).handle(() => ({ status: 204 }));
  const init = { headers: { authorization: "Bearer a-good-token" } };
  for (
    const [method, path] of ["PUT /things/7", "POST /refused", "GET /read", "GET /secret", "POST /open"]
      .map((line) => line.split(" ") as [string, string])
  ) {
    await (await api.request(path, { ...init, method }, { address: "10.0.0.1" })).body?.cancel();
  }
  assertEquals((await api.request("/things/7", { method: "PUT" })).status, 401);
  assertEquals(
    heard.map(({ principal, method, route, path, status, address, change }) => [
      principal.id,
      method,
      route,
      path,
      status,
      address,
      change,
    ]),
    [
      ["admin", "PUT", "/things/{id}", "/things/7", 204, "10.0.0.1", {
        before: { size: 1 },
        after: { size: 2 },
      }],
      ["admin", "POST", "/refused", "/refused", 409, "10.0.0.1", undefined],
      ["admin", "GET", "/secret", "/secret", 204, "10.0.0.1", undefined],
    ],
  );
});
