import { assert, assertEquals } from "@std/assert";
import { MAC, Stage } from "./testing_stage.ts";

const USERS = "/api/v1/app-users";

Deno.test("support finds app users by the beginning of their names, a page at a time", async () => {
  await using stage = await Stage.open();
  for (const name of ["li.wei", "li.na", "li_na", "wang.fang"]) await stage.user(name);
  const names = async (query: string) => {
    const { status, body } = await stage.operator("GET", `${USERS}?${query}`);
    assertEquals(status, 200);
    return body.items.map(({ name }: { name: string }) => name);
  };
  assertEquals(await names(""), ["li.na", "li.wei", "li_na", "wang.fang"]);
  assertEquals(await names("search=LI."), ["li.na", "li.wei"]);
  assertEquals(await names("search=li_"), ["li_na"], "what would be a pattern is a character");
  assertEquals(await names("search=%25"), []);
  const { body } = await stage.operator("GET", `${USERS}?search=li&limit=2`);
  assertEquals(await names(`search=li&limit=2&cursor=${body.next}`), ["li_na"]);
});

Deno.test("a user is shown with gateways and devices, without secrets, and is signed out on one device or on all", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei"), other = (await stage.signIn("li.wei")).body;
  await stage.bind(token);
  const [{ id }] = (await stage.operator("GET", USERS)).body.items;
  const { body } = await stage.operator("GET", `${USERS}/${id}`);
  assertEquals(body.gateways.map(({ mac, role }: Record<string, string>) => [mac, role]), [[MAC, "owner"]]);
  assertEquals([body.devices.length, body.lockedAt], [2, null]);
  assert(!/scrypt|gh[sr]_/.test(JSON.stringify(body)));
  const on = (bearer: string) => stage.call("GET", "/users/me", bearer).then(({ status }) => status);
  assertEquals((await stage.operator("DELETE", `${USERS}/${id}/sessions/${other.id}`)).status, 204);
  assertEquals((await stage.operator("DELETE", `${USERS}/${id}/sessions/${other.id}`)).status, 404);
  assertEquals([await on(token), await on(other.token)], [200, 401]);
  assertEquals((await stage.operator("DELETE", `${USERS}/${id}/sessions`)).status, 204);
  assertEquals(await on(token), 401);
  for (const path of ["/nobody", "/nobody/sessions"]) {
    const method = path.endsWith("sessions") ? "DELETE" : "GET";
    assertEquals((await stage.operator(method, USERS + path)).body.code, "user_not_found");
  }
});

Deno.test("who is locked is out at once, can't renew or sign in, and is told so only with the right password", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  const { body: { token, refreshToken } } = await stage.signIn("li.wei");
  const [{ id }] = (await stage.operator("GET", USERS)).body.items;
  const locked = await stage.operator("POST", `${USERS}/${id}/lock`);
  assertEquals([locked.status, locked.body.devices], [200, []]);
  assert(locked.body.lockedAt !== null);
  assertEquals((await stage.call("GET", "/users/me", token)).status, 401);
  assertEquals((await stage.call("POST", "/sessions/refresh", undefined, { refreshToken })).status, 401);
  const refused = await stage.signIn("li.wei");
  assertEquals([refused.status, refused.body.code], [403, "account_locked"]);
  assertEquals((await stage.signIn("li.wei", "not the password")).body.code, "wrong_credentials");
  await stage.clock.advance(60_000);
  assertEquals((await stage.operator("POST", `${USERS}/${id}/lock`)).body.lockedAt, locked.body.lockedAt);
  assertEquals((await stage.operator("POST", `${USERS}/${id}/unlock`)).body.lockedAt, null);
  assertEquals((await stage.signIn("li.wei")).status, 201);
});

Deno.test("a device that signs in at the very moment of the lock gets tokens that are good for nothing", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  const { body } = await stage.signIn("li.wei");
  // As if its session had been written a moment after the lock had ended all others.
  await stage.db.tables<{ app_user: { locked_at: number } }>().updateTable("app_user").set({ locked_at: 1 })
    .execute();
  assertEquals((await stage.call("GET", "/users/me", body.token)).status, 401);
  const { refreshToken } = body;
  assertEquals((await stage.call("POST", "/sessions/refresh", undefined, { refreshToken })).status, 401);
});
