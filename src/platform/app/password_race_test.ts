import { assertEquals } from "@std/assert";
import { SessionStore } from "./sessions.ts";
import { PASSWORD, Stage } from "./testing_stage.ts";

const NEW = "another fine one", THIEF = "a thief's fine one";

/** Has `work` done between the look at the password and the session that follows from it. */
function between(work: () => Promise<unknown>): void {
  const { create } = SessionStore.prototype;
  SessionStore.prototype.create = async function (...given) {
    SessionStore.prototype.create = create;
    await work();
    return await create.apply(this, given);
  };
}

Deno.test("who signs in with a password that is being changed is signed out with the others", async () => {
  await using stage = await Stage.open();
  const owner = await stage.user("li.wei");
  between(async () => {
    const body = { password: PASSWORD, newPassword: NEW };
    assertEquals((await stage.call("PUT", "/users/me/password", owner, body)).status, 204);
  });
  const { status, body } = await stage.signIn("li.wei");
  assertEquals([status, body.code], [401, "wrong_credentials"]);
  const { body: sessions } = await stage.call("GET", "/sessions", owner);
  assertEquals(sessions.items.length, 1);
});

Deno.test("of two who change a password at once with the one before only one does", async () => {
  await using stage = await Stage.open();
  const owner = await stage.user("li.wei"), thief = (await stage.signIn("li.wei")).body.token;
  const both = await Promise.all(
    [[owner, NEW], [thief, THIEF]].map(([token, newPassword]) =>
      stage.call("PUT", "/users/me/password", token, { password: PASSWORD, newPassword })
    ),
  );
  const refused = both.map(({ status }) => status).sort();
  // Whoever is second finds the password wrong, or is no longer signed in.
  assertEquals([refused[0], refused[1] === 401 || refused[1] === 403], [204, true]);
});
