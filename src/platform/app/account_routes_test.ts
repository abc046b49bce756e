import { assert, assertEquals, assertMatch } from "@std/assert";
import { PASSWORD, Stage } from "./testing_stage.ts";

Deno.test("a user signs up once under a name, however it is written, and signs in", async () => {
  await using stage = await Stage.open();
  const made = await stage.call("POST", "/users", undefined, { name: "Li.Wei", password: PASSWORD });
  assertEquals([made.status, made.body.name], [201, "li.wei"]);
  assert(!JSON.stringify(made.body).includes("scrypt"));
  const again = await stage.call("POST", "/users", undefined, {
    name: "LI.wei",
    password: "another fine one",
  });
  assertEquals([again.status, again.body.code], [409, "name_taken"]);
  const { status, body } = await stage.signIn("lI.WeI");
  assertEquals(status, 201);
  assertMatch(body.token, /^ghs_[\w-]{43}$/);
  assertMatch(body.refreshToken, /^ghr_[\w-]{43}$/);
  assertEquals(Date.parse(body.expiresAt), stage.clock.now() + 15 * 60_000);
  assertEquals(Date.parse(body.refreshExpiresAt), stage.clock.now() + 30 * 86_400_000);
  assertEquals((await stage.call("GET", "/users/me", body.token)).body, made.body);
});

Deno.test("two sign-ups of one name at the same moment make one user", async () => {
  await using stage = await Stage.open();
  const body = { name: "li", password: PASSWORD };
  const three = { ...body, name: "lii" };
  const both = await Promise.all([1, 2].map(() => stage.call("POST", "/users", undefined, three)));
  assertEquals(both.map(({ status }) => status).sort(), [201, 409]);
  assertEquals((await stage.call("POST", "/users", undefined, body)).status, 400);
});

Deno.test("names and passwords that are not fit are refused with the reason", async () => {
  await using stage = await Stage.open();
  for (const name of ["ab", "-abc", "a b c", "a\u0000bc", "x".repeat(65), "<script>", ""]) {
    const { status, body } = await stage.call("POST", "/users", undefined, { name, password: PASSWORD });
    assertEquals([status, body.code], [400, "invalid_request"], name);
  }
  const weak = await stage.call("POST", "/users", undefined, { name: "li.wei", password: "12345678" });
  assertEquals([weak.status, weak.body.code], [422, "weak_password"]);
  const extra = { name: "li.wei", password: PASSWORD, roles: ["admin"] };
  assertEquals((await stage.call("POST", "/users", undefined, extra)).status, 400);
});

Deno.test("tokens and passwords are in the database as hashes only", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const rows = [];
  for (const table of ["app_user", "app_session", "app_token"]) {
    rows.push(await stage.db.sql.selectFrom(table as "gateway").selectAll().execute());
  }
  const text = JSON.stringify(rows);
  assert(text.includes("scrypt$") && !text.includes(PASSWORD) && !text.includes(token.slice(4)));
});

Deno.test("a token is good until it is signed out or has run out, and expired ones are swept away", async () => {
  await using stage = await Stage.open({ accessMs: 2 * 3_600_000, sessionMs: 2 * 3_600_000 });
  // Its sweeps are not what this is about, and hours of them take their time.
  await stage.presence[Symbol.asyncDispose]();
  const first = await stage.user("li.wei"), second = (await stage.signIn("li.wei")).body.token;
  assertEquals((await stage.call("DELETE", "/sessions/current", first)).status, 204);
  assertEquals((await stage.call("GET", "/users/me", first)).status, 401);
  assertEquals((await stage.call("GET", "/users/me", second)).status, 200);
  const third = (await stage.signIn("li.wei")).body.token;
  assertEquals((await stage.call("DELETE", "/sessions", third)).status, 204);
  for (const token of [second, third]) {
    assertEquals((await stage.call("GET", "/users/me", token)).status, 401);
  }
  const last = (await stage.signIn("li.wei")).body.token;
  await stage.clock.advance(2 * 3_600_000 - 1);
  assertEquals((await stage.call("GET", "/users/me", last)).status, 200);
  await stage.clock.advance(1);
  assertEquals((await stage.call("GET", "/users/me", last)).status, 401);
  await stage.clock.advance(3_600_000);
  assertEquals(await stage.db.sql.selectFrom("app_session" as "gateway").selectAll().execute(), []);
});

Deno.test("signing in on a twenty-first device signs out the oldest", async () => {
  await using stage = await Stage.open();
  const tokens = [await stage.user("li.wei")];
  for (let i = 0; i < 20; i++) {
    await stage.clock.advance(1000);
    tokens.push((await stage.signIn("li.wei")).body.token);
  }
  const statuses = [];
  for (const token of tokens) statuses.push((await stage.call("GET", "/users/me", token)).status);
  assertEquals(statuses, [401, ...Array(20).fill(200)]);
});

Deno.test("wrong passwords lock a name, existing or not, also for the right password, until the wait is over", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  for (const name of ["li.wei", "nobody"]) {
    const codes = [];
    for (let i = 0; i < 7; i++) codes.push((await stage.signIn(name, "wrong horse battery")).body.code);
    assertEquals(codes, [...Array(5).fill("wrong_credentials"), "locked_out", "locked_out"], name);
  }
  const locked = await stage.signIn("li.wei");
  assertEquals([locked.status, locked.headers.get("retry-after")], [429, "60"]);
  await stage.clock.advance(60_000);
  assertEquals((await stage.signIn("li.wei")).status, 201);
});

Deno.test("a burst of guesses at one name is no way around the lock", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, i) => stage.signIn("li.wei", `guess number ${i}`)),
  );
  assertEquals(all.filter(({ status }) => status === 401).length, 5);
});

Deno.test("one address can try only so many sign-ins and sign-ups, another address goes on", async () => {
  await using stage = await Stage.open({ signInsPerMinute: 3, signUpsPerHour: 2 });
  const up = (name: string, address: string) =>
    stage.call("POST", "/users", undefined, { name, password: PASSWORD }, address);
  assertEquals((await up("one", "10.0.0.1")).status, 201);
  assertEquals((await up("two", "10.0.0.1")).status, 201);
  const refused = await up("three", "10.0.0.1");
  assertEquals([refused.status, refused.body.code], [429, "too_many_attempts"]);
  assert(refused.headers.get("retry-after"));
  assertEquals((await up("three", "10.0.0.2")).status, 201);
  const tries = [];
  for (const name of ["a-a", "b-b", "c-c", "d-d"]) tries.push((await stage.signIn(name)).status);
  assertEquals(tries, [401, 401, 401, 429]);
  assertEquals((await stage.signIn("one", PASSWORD, "10.0.0.2")).status, 201);
});
