import { assert, assertEquals, assertMatch } from "@std/assert";
import { MAC, Stage } from "./testing_stage.ts";

/** li owns the gateway. */
async function shared() {
  const stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  stage.bus.publish("channel.opened", { mac: MAC });
  const invite = (body: unknown) => stage.call("POST", `/gateways/${MAC}/invitations`, li, body);
  return { stage, li, wang, invite };
}

Deno.test("who is invited by name finds it, accepts it once, and may all but share the gateway or give it up", async () => {
  const { stage, li, wang, invite } = await shared();
  await using _ = stage;
  assertEquals((await invite({ name: "Wang.FANG" })).status, 201);
  const { items } = (await stage.call("GET", "/invitations", wang)).body;
  assertEquals(items.map((one: { from: string; vendor: string }) => [one.from, one.vendor]), [[
    "li.wei",
    "Maker",
  ]]);
  assert(!JSON.stringify(items).includes(MAC), "the MAC is for members");
  const accept = () => stage.call("POST", `/invitations/${items[0].id}/accept`, wang);
  assertEquals((await accept()).body, { mac: MAC });
  assertEquals((await accept()).status, 404);
  const seen = (await stage.call("GET", "/gateways", wang)).body.items;
  assertEquals([seen.length, seen[0].role, seen[0].rights], [1, "member", "use"]);
  assertEquals((await stage.call("GET", "/bindings", wang)).body, { items: [] });
  const post = { parameter: { CmdType: "X" } };
  assertEquals((await stage.call("POST", `/gateways/${MAC}/post`, wang, post)).status, 200);
  assertEquals((await stage.call("GET", `/gateways/${MAC}/messages`, wang)).status, 200);
  const me = (await stage.call("GET", "/users/me", li)).body.id;
  for (
    const [method, path, body] of [
      ["DELETE", `/bindings/${MAC}`],
      ["POST", `/gateways/${MAC}/invitations`, {}],
      ["GET", `/gateways/${MAC}/invitations`],
      ["DELETE", `/gateways/${MAC}/invitations/x`],
      ["PATCH", `/gateways/${MAC}/members/me`, { rights: "use" }],
      ["DELETE", `/gateways/${MAC}/members/${me}`],
    ] as const
  ) {
    const refused = await stage.call(method, path, wang, body);
    assertEquals([refused.status, refused.body.code], [403, "not_owner"], `${method} ${path}`);
  }
});

Deno.test("a post of the owner is not shown to a member, nor the other way round", async () => {
  const { stage, li, wang, invite } = await shared();
  await using _ = stage;
  const { code } = (await invite({})).body;
  await stage.call("POST", "/invitations/codes", wang, { code });
  for (const [one, other] of [[li, wang], [wang, li]] as const) {
    const post = { parameter: { CmdType: "X" } };
    const { id } = (await stage.call("POST", `/gateways/${MAC}/post`, one, post)).body;
    assertEquals((await stage.call("GET", `/gateways/${MAC}/posts/${id}`, one)).status, 200);
    assertEquals((await stage.call("GET", `/gateways/${MAC}/posts/${id}`, other)).status, 404);
  }
});

Deno.test("a member who may only look can't connect or ask, until the owner allows it", async () => {
  const { stage, li, wang, invite } = await shared();
  await using _ = stage;
  const { code } = (await invite({ rights: "view" })).body;
  await stage.call("POST", "/invitations/codes", wang, { code });
  const tries = async () => {
    const post = { parameter: { CmdType: "X" } };
    return [
      (await stage.call("POST", `/gateways/${MAC}/connect`, wang)).status,
      (await stage.call("POST", `/gateways/${MAC}/post`, wang, post)).status,
      (await stage.call("GET", `/gateways/${MAC}`, wang)).status,
    ];
  };
  assertEquals(await tries(), [403, 403, 200]);
  const { items } = (await stage.call("GET", `/gateways/${MAC}/members`, li)).body;
  assertEquals(items.map((one: { name: string; role: string }) => [one.name, one.role]), [
    ["li.wei", "owner"],
    ["wang.fang", "member"],
  ]);
  const path = `/gateways/${MAC}/members/${items[1].userId}`;
  assertEquals((await stage.call("PATCH", path, li, { rights: "use" })).status, 204);
  assertEquals(await tries(), [202, 200, 200]);
  assertEquals((await stage.call("DELETE", path, li)).status, 204);
  assertEquals(await tries(), [404, 404, 404]);
  assertEquals((await stage.call("DELETE", path, li)).body.code, "member_not_found");
});

Deno.test("a code is for one person, however it is typed, for a day, and can't be guessed", async () => {
  const { stage, wang, invite } = await shared();
  await using _ = stage;
  const zhao = await stage.user("zhao.min");
  const { code } = (await invite({})).body;
  assertMatch(code, /^[0-9A-HJKMNP-TV-Z]{12}$/);
  const redeem = (token: string, typed: string) =>
    stage.call("POST", "/invitations/codes", token, { code: typed });
  const typed = `${code.slice(0, 4)}-${code.slice(4, 8)} ${code.slice(8)}`.toLowerCase();
  const both = await Promise.all([redeem(wang, typed), redeem(zhao, typed)]);
  assertEquals(both.map(({ status }) => status).sort(), [200, 404]);
  const late = (await invite({})).body.code;
  stage.clock.jump(86_400_000);
  const { token } = (await stage.signIn("zhao.min")).body;
  assertEquals((await redeem(token, late)).status, 404);
  const guesses = [];
  for (let i = 0; i < 12; i++) guesses.push((await redeem(token, `GUESS${i}`)).status);
  assertEquals(guesses.at(-1), 429);
  const row = JSON.stringify(
    await stage.db.sql.selectFrom("app_invitation" as "gateway").selectAll().execute(),
  );
  assert(!row.includes(late));
});

Deno.test("an invitation tells nothing of who exists, can be turned down and taken back, and is one a name", async () => {
  const { stage, li, wang, invite } = await shared();
  await using _ = stage;
  const real = await invite({ name: "wang.fang" }), made = await invite({ name: "nobody.at.all" });
  assertEquals([real.status, Object.keys(real.body)], [made.status, Object.keys(made.body)]);
  await invite({ name: "wang.fang", rights: "view" });
  const list = async () => (await stage.call("GET", `/gateways/${MAC}/invitations`, li)).body.items;
  assertEquals((await list()).length, 2);
  const [offer] = (await stage.call("GET", "/invitations", wang)).body.items;
  assertEquals(offer.rights, "view");
  assertEquals((await stage.call("DELETE", `/invitations/${offer.id}`, li)).status, 404);
  assertEquals((await stage.call("DELETE", `/invitations/${offer.id}`, wang)).status, 204);
  const [left] = await list();
  assertEquals((await stage.call("DELETE", `/gateways/${MAC}/invitations/${left.id}`, li)).status, 204);
  assertEquals(await list(), []);
  // Nobody's invitation can be taken by somebody who learns its id.
  const other = (await invite({ name: "wang.fang" })).body;
  const zhao = await stage.user("zhao.min");
  assertEquals((await stage.call("POST", `/invitations/${other.id}/accept`, zhao)).status, 404);
});

Deno.test("a gateway has so many members and invitations and no more, and an owner can't join", async () => {
  const { stage, li, wang, invite } = await shared();
  await using _ = stage;
  const own = (await invite({})).body.code;
  assertEquals((await stage.call("POST", "/invitations/codes", li, { code: own })).body.code, "own_gateway");
  for (let i = 0; i < 16; i++) {
    const token = await stage.user(`guest-${i}`), { code } = (await invite({})).body;
    assertEquals((await stage.call("POST", "/invitations/codes", token, { code })).status, 200);
  }
  assertEquals(
    (await stage.call("POST", "/invitations/codes", wang, { code: own })).body.code,
    "too_many_members",
  );
  const statuses = [];
  for (let i = 0; i < 17; i++) statuses.push((await invite({})).status);
  assertEquals(statuses, [...Array(15).fill(201), 409, 409]);
});

Deno.test("a member leaves, and a gateway that was removed or has a new LOID is gone for members too", async () => {
  const { stage, wang, invite } = await shared();
  await using _ = stage;
  const join = async () => {
    const { code } = (await invite({})).body;
    assertEquals((await stage.call("POST", "/invitations/codes", wang, { code })).status, 200);
  };
  const seen = async () => (await stage.call("GET", "/gateways", wang)).body.items.length;
  await join();
  assertEquals((await stage.call("DELETE", `/gateways/${MAC}/members/me`, wang)).status, 204);
  assertEquals(await seen(), 0);
  await join();
  await stage.gateways.update(MAC, { loid: "LOID9" });
  assertEquals(await seen(), 0);
  await stage.gateways.update(MAC, { loid: "LOID1" });
  assertEquals(await seen(), 1);
  await stage.gateways.remove(MAC);
  assertEquals(await seen(), 0);
  assertEquals((await stage.call("GET", `/gateways/${MAC}`, wang)).status, 404);
});
