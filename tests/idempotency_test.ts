/**
 * Posts with an `Idempotency-Key`, over real sockets.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

const MAC = "64D95420214B";

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

function poster(url: string, token = ADMIN_TOKEN) {
  return async (
    path: string,
    key: string | undefined,
    body?: unknown,
    init: RequestInit = {},
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...init,
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text), headers: response.headers };
  };
}

const preset = { mac: MAC, sn: `64D954-${MAC}`, loid: "L1" };
const command = { plugin: "com.example.a", version: "1.0", parameter: { CmdType: "A" } };
const newKey = () => crypto.randomUUID();

Deno.test("a post with a key is done once, answered the same, and put into the audit once", async () => {
  await using p = await testPlatform();
  const post = poster(p.url), key = newKey();
  const first = await post("/api/v1/groups", key, { name: "north" });
  assertEquals([first.status, first.headers.get("idempotency-replayed")], [201, null]);
  // Without the key it fails, so the second answer is the first one's.
  assertEquals((await post("/api/v1/groups", undefined, { name: "north" })).status, 409);
  for (const form of [key, `"${key}"`]) {
    const again = await post("/api/v1/groups", form, { name: "north" });
    assertEquals([again.status, again.body], [first.status, first.body]);
    assertEquals(again.headers.get("idempotency-replayed"), "true");
    assertEquals(again.headers.get("content-type"), first.headers.get("content-type"));
    assertEquals(again.headers.get("location"), first.headers.get("location"));
  }
  const { body } = await p.call("GET", "/api/v1/audit?limit=100");
  const made = (body.items as { action: string; status: number }[]).filter(({ action, status }) =>
    action === "POST /api/v1/groups" && status === 201
  );
  assertEquals(made.length, 1);
  // What was refused is answered the same too.
  const refused = newKey();
  const problem = await post("/api/v1/groups", refused, { name: "north" });
  assertEquals(problem.status, 409);
  assertEquals((await p.call("DELETE", "/api/v1/groups/north")).status, 204);
  assertEquals((await post("/api/v1/groups", refused, { name: "north" })).body, problem.body);
  assertEquals((await post("/api/v1/groups", newKey(), { name: "north" })).status, 201);
});

Deno.test("a key for something else is 422, a key that is none 400, and other callers' keys are theirs", async () => {
  await using p = await testPlatform();
  const post = poster(p.url), key = newKey();
  assertEquals((await post("/api/v1/groups", key, { name: "north" })).status, 201);
  for (
    const [path, body] of [["/api/v1/groups", { name: "south" }], ["/api/v1/tags", {
      name: "north",
    }]] as const
  ) {
    const other = await post(path, key, body);
    if (other.status !== 400) assertEquals([other.status, other.body.code], [422, "idempotency_key_reused"]);
  }
  for (
    const bad of [
      "short",
      "x".repeat(256),
      "with a space",
      "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9",
      '""',
      '"12345678',
    ]
  ) {
    const refused = await post("/api/v1/groups", bad, { name: "other" });
    if (bad === '"12345678') assertEquals(refused.status, 201); // a quote is a visible character as any
    else assertEquals([refused.status, refused.body.code], [400, "invalid_idempotency_key"], bad);
  }
  const machine = await post("/api/v1/keys", undefined, { name: "m", permissions: ["gateways:write"] });
  assertEquals(machine.status, 201);
  const theirs = await poster(p.url, String(machine.body.key))("/api/v1/groups", key, { name: "theirs" });
  assert(theirs.body.code !== "idempotency_key_reused");
});

Deno.test("the phone app's posts take keys too, each user's their own", async () => {
  await using p = await testPlatform();
  const user = async (name: string) => {
    const person = { name, password: "correct horse battery" };
    await (await fetch(`${p.url}/app/v1/users`, form(person))).body?.cancel();
    return String((await (await fetch(`${p.url}/app/v1/sessions`, form(person))).json()).token);
  };
  const form = (body: unknown) => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const [one, two] = [poster(p.url, await user("li.wei")), poster(p.url, await user("wang.fang"))];
  const key = newKey(), binding = { sn: "0".repeat(32), loid: "L1" };
  const first = await one("/app/v1/bindings", key, binding);
  assert(first.status >= 400 && first.status < 500);
  const again = await one("/app/v1/bindings", key, binding);
  assertEquals([again.body, again.headers.get("idempotency-replayed")], [first.body, "true"]);
  assertEquals((await one("/app/v1/bindings", key, { ...binding, loid: "L2" })).status, 422);
  const theirs = await two("/app/v1/bindings", key, { ...binding, loid: "L2" });
  assertEquals([theirs.headers.get("idempotency-replayed"), theirs.body.code], [null, first.body.code]);
});

Deno.test("no key is taken where answers hold secrets, bodies stream, or nobody is known", async () => {
  await using p = await testPlatform();
  const post = poster(p.url);
  const refused = [
    ["/api/v1/keys", { name: "m", permissions: ["gateways:read"] }],
    ["/api/v1/sessions", { name: "li", password: "12345678" }],
    ["/api/v1/plugins", "source"],
    ["/app/v1/sessions", { name: "li", password: "12345678" }],
    ["/app/v1/users", { name: "li", password: "12345678" }],
  ] as const;
  for (const [path, body] of refused) {
    const { status, body: said } = await post(path, newKey(), body);
    assertEquals([status, said.code], [400, "idempotency_key_not_taken"], path);
  }
  assertEquals((await p.call("GET", "/api/v1/keys")).body.items, []);
});

Deno.test("a caller whose connection breaks comes back for the same command", async () => {
  await using p = await testPlatform();
  const post = poster(p.url), key = newKey(), path = `/api/v1/gateways/${MAC}/commands?wait=2`;
  assertEquals((await post("/api/v1/gateways", newKey(), preset)).status, 201);
  const gone = new AbortController();
  const first = post(path, key, command, { signal: gone.signal }).catch(() => "gone");
  const commands = async () =>
    (await p.call("GET", `/api/v1/gateways/${MAC}/commands`)).body.items as Record<string, unknown>[];
  while ((await commands()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const meanwhile = await post(path, key, command);
  assertEquals([meanwhile.status, meanwhile.body.code, meanwhile.headers.get("retry-after")], [
    409,
    "idempotency_in_progress",
    "1",
  ]);
  gone.abort();
  assertEquals(await first, "gone");
  let back = await post(path, key, command);
  for (; back.body.code === "idempotency_in_progress"; back = await post(path, key, command)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const all = await commands();
  assertEquals([back.headers.get("idempotency-replayed"), all.length, back.body.id], ["true", 1, all[0]!.id]);
});

Deno.test("answers outlive a restart, and what the stop cut off is told as unknown, not done again", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-idempotency-" });
  const done = newKey(), cut = newKey(), path = `/api/v1/gateways/${MAC}/commands?wait=60`;
  try {
    {
      await using p = await testPlatform({ dataDir });
      const post = poster(p.url);
      assertEquals((await post("/api/v1/gateways", done, preset)).status, 201);
      const waiting = post(path, cut, command);
      while (((await p.call("GET", "/api/v1/commands")).body.items as unknown[]).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await p.platform[Symbol.asyncDispose]();
      assertEquals((await waiting).status >= 200, true);
    }
    await using p = await testPlatform({ dataDir });
    const post = poster(p.url);
    const replayed = await post("/api/v1/gateways", done, preset);
    assertEquals([replayed.status, replayed.headers.get("idempotency-replayed")], [201, "true"]);
    const again = await post(path, cut, command);
    // Where the stop left time for the answer it is replayed; never is a second command made.
    if (again.headers.get("idempotency-replayed") === null) {
      assertEquals([again.status, again.body.code], [409, "idempotency_outcome_unknown"]);
    }
    assertEquals(((await p.call("GET", "/api/v1/commands")).body.items as unknown[]).length, 1);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
