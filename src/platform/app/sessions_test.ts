import { assertEquals, assertNotEquals } from "@std/assert";
import { PASSWORD, Stage } from "./testing_stage.ts";

const renew = (stage: Stage, refreshToken: string) =>
  stage.call("POST", "/sessions/refresh", undefined, { refreshToken });
const good = async (stage: Stage, token: string) => (await stage.call("GET", "/users/me", token)).status;

Deno.test("an access token is short, and a refresh token gives new ones for as long as it is used", async () => {
  await using stage = await Stage.open();
  await stage.presence[Symbol.asyncDispose]();
  await stage.user("li.wei");
  let { body } = await stage.signIn("li.wei");
  const { id } = body;
  await stage.clock.advance(15 * 60_000);
  assertEquals(await good(stage, body.token), 401);
  for (let day = 0; day < 3; day++) {
    const next = await renew(stage, body.refreshToken);
    assertEquals([next.status, next.body.id], [200, id]);
    assertNotEquals(next.body.refreshToken, body.refreshToken);
    body = next.body;
    assertEquals(await good(stage, body.token), 200);
    stage.clock.jump(29 * 86_400_000);
  }
  stage.clock.jump(86_400_000);
  const late = await renew(stage, body.refreshToken);
  assertEquals([late.status, late.body.code], [401, "invalid_token"]);
  for (const made of ["ghr_made-up", body.token, "", "x".repeat(256)]) {
    assertEquals((await renew(stage, made)).body.code, "invalid_token", made);
  }
});

Deno.test("a session that is renewed for ever ends after its longest time", async () => {
  await using stage = await Stage.open({ sessionMs: 86_400_000, maxSessionMs: 2 * 86_400_000 });
  await stage.user("li.wei");
  let { body } = await stage.signIn("li.wei");
  const statuses = [];
  for (let i = 0; i < 4; i++) {
    stage.clock.jump(0.7 * 86_400_000);
    const next = await renew(stage, body.refreshToken);
    statuses.push(next.status);
    if (next.status === 200) body = next.body;
  }
  assertEquals(statuses, [200, 200, 401, 401]);
});

Deno.test("a refresh token that is shown again after its successor was used signs the device out, and no other", async () => {
  for (const how of ["access", "refresh"]) {
    await using stage = await Stage.open();
    const other = await stage.user("li.wei");
    const first = (await stage.signIn("li.wei")).body;
    const second = (await renew(stage, first.refreshToken)).body;
    const newest = how === "refresh" ? (await renew(stage, second.refreshToken)).body : second;
    assertEquals(await good(stage, newest.token), 200);
    const stolen = await renew(stage, first.refreshToken);
    assertEquals([stolen.status, stolen.body.code], [401, "token_reused"], how);
    for (const token of [first.token, second.token, newest.token]) {
      assertEquals(await good(stage, token), 401);
    }
    assertEquals((await renew(stage, newest.refreshToken)).body.code, "invalid_token");
    assertEquals(await good(stage, other), 200);
  }
});

Deno.test("a phone that never got its new tokens renews again, and the lost ones are void", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  const first = (await stage.signIn("li.wei")).body;
  const lost = (await renew(stage, first.refreshToken)).body;
  const again = await renew(stage, first.refreshToken);
  assertEquals(again.status, 200);
  const third = await renew(stage, first.refreshToken);
  assertEquals(third.status, 200);
  assertEquals(await good(stage, lost.token), 401);
  assertEquals(await good(stage, again.body.token), 401);
  assertEquals(await good(stage, third.body.token), 200);
  // Whoever has the lost ones is not the phone.
  assertEquals((await renew(stage, lost.refreshToken)).body.code, "token_reused");
  assertEquals(await good(stage, third.body.token), 401);
});

Deno.test("of renewals at the same time with one token only one gives tokens that hold", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  const { refreshToken } = (await stage.signIn("li.wei")).body;
  const all = await Promise.all(Array.from({ length: 5 }, () => renew(stage, refreshToken)));
  const statuses = [];
  for (const { body } of all) statuses.push(await good(stage, body.token));
  assertEquals(statuses.filter((status) => status === 200).length, 1);
});

Deno.test("a user sees the own devices, signs single ones out, and nobody else's", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  const phone = (await stage.call("POST", "/sessions", undefined, {
    name: "li.wei",
    password: PASSWORD,
    device: "Li's phone",
  })).body;
  const { items } = (await stage.call("GET", "/sessions", phone.token)).body;
  assertEquals(items.map((one: { device: string; current: boolean }) => [one.device, one.current]), [
    ["Li's phone", true],
    ["", false],
  ]);
  assertEquals((await stage.call("DELETE", `/sessions/${phone.id}`, wang)).status, 404);
  assertEquals(await good(stage, phone.token), 200);
  assertEquals((await stage.call("DELETE", `/sessions/${phone.id}`, li)).status, 204);
  assertEquals(await good(stage, phone.token), 401);
  assertEquals((await renew(stage, phone.refreshToken)).status, 401);
});

Deno.test("a new password needs the old one, is no weak one, and signs out all other devices", async () => {
  await using stage = await Stage.open();
  const here = await stage.user("li.wei"), there = (await stage.signIn("li.wei")).body;
  const change = (password: string, newPassword: string) =>
    stage.call("PUT", "/users/me/password", here, { password, newPassword });
  assertEquals((await change("not this one", "violet walrus 77")).body.code, "wrong_password");
  assertEquals((await change(PASSWORD, "12345678")).body.code, "weak_password");
  assertEquals(await good(stage, there.token), 200);
  assertEquals((await change(PASSWORD, "violet walrus 77")).status, 204);
  assertEquals([await good(stage, here), await good(stage, there.token)], [200, 401]);
  assertEquals((await renew(stage, there.refreshToken)).status, 401);
  assertEquals((await stage.signIn("li.wei")).status, 401);
  assertEquals((await stage.signIn("li.wei", "violet walrus 77")).status, 201);
  // Guessing at the old one is guessing at a sign-in.
  const codes = [];
  for (let i = 0; i < 6; i++) codes.push((await change("not this one", "violet walrus 78")).body.code);
  assertEquals(codes, [...Array(5).fill("wrong_password"), "locked_out"]);
});
