import { assert, assertEquals } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../base/mod.ts";
import { type Access, ADMIN, Api, type Authenticator, type Principal, tokenAuthenticator } from "./mod.ts";

const TOKEN = "an-administrators-token";
const USER: Principal = { kind: "user", id: "u1", name: "li", permissions: ["user"] };

function setUp(...more: Authenticator[]) {
  const clock = new FakeClock();
  const api = new Api({ clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() }, {
    title: "Test",
    version: "1",
    authenticators: [tokenAuthenticator(TOKEN, ADMIN), tokenAuthenticator("the-token-of-li", USER), ...more],
  });
  const declare = (path: string, auth: Access) =>
    api.route({ method: "GET", path, summary: path, auth, responses: {} }).handle(({ principal }) => ({
      response: new Response(principal?.name ?? "nobody"),
    }));
  declare("/admin", ["admin"]);
  declare("/both", ["admin", "user"]);
  declare("/public", "public");
  declare("/optional", "optional");
  const get = (path: string, token?: string, address = "10.0.0.1") =>
    api.request(path, token === undefined ? {} : { headers: { authorization: token } }, { address });
  return { clock, get };
}

Deno.test("every kind of access meets every kind of caller as declared", async () => {
  const { get } = setUp();
  const callers = {
    nobody: undefined,
    admin: `Bearer ${TOKEN}`,
    user: "bearer the-token-of-li",
    wrong: "Bearer x",
  };
  const expected: Record<string, Record<keyof typeof callers, number>> = {
    "/admin": { nobody: 401, admin: 200, user: 403, wrong: 401 },
    "/both": { nobody: 401, admin: 200, user: 200, wrong: 401 },
    "/public": { nobody: 200, admin: 200, user: 200, wrong: 200 },
    "/optional": { nobody: 200, admin: 200, user: 200, wrong: 401 },
  };
  for (const [path, row] of Object.entries(expected)) {
    for (const [caller, status] of Object.entries(row)) {
      const response = await get(path, callers[caller as keyof typeof callers]);
      assertEquals(response.status, status, `${caller} at ${path}`);
    }
  }
});

Deno.test("a 401 says how to authenticate and does not tell a missing token from a wrong one by accident", async () => {
  const { get } = setUp();
  const missing = await get("/admin");
  assertEquals(missing.headers.get("www-authenticate"), 'Bearer realm="gatehouse"');
  assertEquals((await missing.json()).code, "missing_token");
  const wrong = await get("/admin", "Bearer nope");
  assertEquals(wrong.headers.get("www-authenticate"), 'Bearer realm="gatehouse", error="invalid_token"');
  assertEquals((await wrong.json()).code, "invalid_token");
});

Deno.test("tokens in other schemes, with spaces, of absurd length or with prefixes of the right one are refused", async () => {
  const { get } = setUp();
  for (
    const header of [
      "",
      "Bearer",
      `Basic ${btoa(`admin:${TOKEN}`)}`,
      `Bearer ${TOKEN} x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Bearer ${TOKEN}a`,
      `Bearer ${"x".repeat(100_000)}`,
      TOKEN,
    ]
  ) {
    assertEquals((await get("/admin", header, header.slice(0, 40))).status, 401, header.slice(0, 60));
  }
});

Deno.test("wrong tokens at speed from one address are told to wait, without being looked at", async () => {
  let looked = 0;
  const { get, clock } = setUp({ authenticate: () => void looked++ });
  await get("/admin", `Bearer ${TOKEN}`);
  for (let i = 0; i < 500; i++) await get("/admin", `Bearer guess-${i}`);
  assert(looked <= 101, `${looked} tokens were looked at`);
  const refused = await get("/admin", "Bearer guess");
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "60"]);
  // A token never seen before can't pass while the address is braked; one that was good, and other addresses, do.
  assertEquals((await get("/both", "Bearer the-token-of-li")).status, 429);
  assertEquals((await get("/admin", `Bearer ${TOKEN}`)).status, 200);
  assertEquals((await get("/both", "Bearer the-token-of-li", "10.0.0.2")).status, 200);
  await clock.advance(60_001);
  assertEquals((await get("/both", "Bearer the-token-of-li")).status, 200);
});

Deno.test("guesses from very many addresses keep the memory bounded and known tokens working", async () => {
  const { get } = setUp();
  await get("/admin", `Bearer ${TOKEN}`);
  for (let i = 0; i < 12_000; i++) await get("/admin", "Bearer guess", `2001:db8:0:${i.toString(16)}::1`);
  // Past the bound, addresses not seen before share one fate: their first wrong token brakes them or is refused.
  const late = await get("/admin", "Bearer guess", "2001:db8:1::1");
  assertEquals(late.status, 401);
  assertEquals((await get("/admin", `Bearer ${TOKEN}`, "2001:db8:1::1")).status, 200);
});

Deno.test("one wrong token sent for ever does not brake the others behind its address", async () => {
  let looked = 0;
  const { get, clock } = setUp({ authenticate: () => void looked++ });
  for (let i = 0; i < 1000; i++) assertEquals((await get("/admin", "Bearer signed-out")).status, 401);
  assertEquals(looked, 1);
  assertEquals((await get("/both", "Bearer the-token-of-li")).status, 200);
  await clock.advance(60_001);
  await get("/admin", "Bearer signed-out");
  assertEquals(looked, 2);
});

Deno.test("changing the address within one IPv6 network is no way around the brake", async () => {
  const { get } = setUp();
  const statuses = new Set();
  for (let i = 0; i < 150; i++) {
    statuses.add((await get("/admin", `Bearer guess-${i}`, `2001:db8::${i.toString(16)}`)).status);
  }
  assertEquals([...statuses], [401, 429]);
});

Deno.test("a token that an authenticator no longer knows is refused at once", async () => {
  let known = true;
  const { get } = setUp({ authenticate: (token) => known && token === "session" ? USER : undefined });
  assertEquals((await get("/both", "Bearer session")).status, 200);
  known = false;
  assertEquals((await get("/both", "Bearer session")).status, 401);
});
