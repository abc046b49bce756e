import { assert, assertEquals } from "@std/assert";
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import { LOID, MAC, NEXT, OTHER, PASSWORD, RND, SN, Stage } from "./testing_stage.ts";

const OTHER_RND = "00112233445566778899AABBCCDDEEFF";

Deno.test("the proof from the LAN binds the gateway, in any case of its digits, and once bound stays", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const bound = await stage.bind(token, bindingSn(RND, SN).toLowerCase());
  assertEquals([bound.status, bound.body.mac], [201, MAC]);
  await stage.clock.advance(1000);
  const again = await stage.bind(token);
  assertEquals([again.status, again.body], [200, bound.body]);
  assertEquals((await stage.call("GET", "/bindings", token)).body, { items: [bound.body] });
  const { items } = (await stage.call("GET", "/gateways", token)).body;
  assertEquals(items.map((g: { mac: string; online: boolean }) => [g.mac, g.online]), [[MAC, true]]);
  assert(!JSON.stringify(items).includes(SN) && !JSON.stringify(items).includes(RND));
});

Deno.test("no wrong proof binds: another DevRND, SN or LOID, a plain SN, a gateway that never registered", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const codes = new Set();
  for (
    const [sn, loid] of [
      [bindingSn(NEXT, SN), LOID],
      [bindingSn(RND, "64D954-S2"), LOID],
      [bindingSn(RND, SN), "LOID2"],
      [bindingSn(RND, SN), "NONE"],
      [bindingSn("", SN), LOID],
      [bindingSn("", "64D954-S2"), "LOID2"],
      [RND, LOID],
    ] as const
  ) {
    const { status, body } = await stage.bind(token, sn, loid);
    codes.add(`${status} ${body.code} ${body.detail}`);
  }
  // One answer for all: nothing tells which part was wrong or what exists.
  assertEquals(codes.size, 1);
  assertEquals((await stage.bind(token, SN, LOID)).status, 400);
  assertEquals((await stage.call("GET", "/bindings", token)).body, { items: [] });
});

Deno.test("of several gateways that share a LOID the one that is proved is bound", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const twins = ["A", "B", "C"].map((tail) => ({
    mac: `64D95400010${tail}`,
    sn: `64D954-T${tail}`,
    loid: "TWINS",
  }));
  await stage.gateways.preset(twins);
  for (const { mac, sn, loid } of twins) stage.register(mac, sn, loid, NEXT);
  assertEquals((await stage.bind(token, bindingSn(NEXT, "64D954-TB"), "TWINS")).body.mac, "64D95400010B");
});

Deno.test("the DevRND of the last handshake counts, and the one before it, but none older", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const oldest = "00000000000000000000000000000000";
  stage.register(MAC, SN, LOID, NEXT, RND);
  assertEquals((await stage.bind(token, bindingSn(oldest, SN))).status, 403);
  assertEquals((await stage.bind(token, bindingSn(RND, SN))).status, 201);
  assertEquals((await stage.bind(token, bindingSn(NEXT, SN))).status, 200);
});

Deno.test("a gateway known only from the database is proved by what is kept there", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.gateways.update(OTHER, { dev_rnd: NEXT });
  assertEquals((await stage.bind(token, bindingSn(NEXT, "64D954-S2"), "LOID2")).status, 201);
});

Deno.test("wrong proofs lock their user, and a LOID that is guessed at by many", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const wrong = bindingSn(NEXT, SN), statuses = [];
  for (let i = 0; i < 12; i++) statuses.push((await stage.bind(token, wrong, `GUESS${i}`)).status);
  assertEquals(statuses, [...Array(10).fill(403), 429, 429]);
  const refused = await stage.bind(token);
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "60"]);
  await stage.clock.advance(60_000);
  assertEquals((await stage.bind(token)).status, 201);
  const crowd = [];
  for (let i = 0; i < 11; i++) crowd.push(await stage.user(`user-${i}`));
  const tried = [];
  for (const one of crowd) tried.push((await stage.bind(one, wrong, "LOID2")).status);
  assertEquals(tried, [...Array(10).fill(403), 429]);
});

Deno.test("a gateway has one owner until it is given up", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  assertEquals((await stage.bind(li)).status, 201);
  const refused = await stage.bind(wang);
  assertEquals([refused.status, refused.body.code], [409, "already_bound"]);
  assertEquals((await stage.call("DELETE", `/bindings/${MAC}`, wang)).status, 404);
  assertEquals((await stage.call("DELETE", `/bindings/${MAC}`, li)).status, 204);
  assertEquals((await stage.call("GET", `/gateways/${MAC}`, li)).status, 404);
  stage.register(MAC, SN, LOID, NEXT, RND);
  assertEquals((await stage.bind(wang, bindingSn(NEXT, SN))).status, 201);
  assertEquals((await stage.bind(li)).status, 409);
});

Deno.test("a user can own only so many gateways", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const many = Array.from({ length: 33 }, (_, i) => ({
    mac: `64D9540002${i.toString(16).toUpperCase().padStart(2, "0")}`,
    sn: `64D954-M${i}`,
    loid: `MANY${i}`,
  }));
  await stage.gateways.preset(many);
  const statuses = [];
  for (const { mac, sn, loid } of many) {
    stage.register(mac, sn, loid);
    statuses.push((await stage.bind(token, bindingSn(RND, sn), loid)).status);
  }
  assertEquals(statuses, [...Array(32).fill(201), 409]);
});

Deno.test("a gateway whose LOID was changed belongs to nobody, and one whose preset was removed is gone", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  await stage.gateways.update(MAC, { loid: "LOID9" });
  assertEquals((await stage.call("GET", "/gateways", li)).body, { items: [] });
  assertEquals((await stage.call("POST", `/gateways/${MAC}/connect`, li)).status, 404);
  stage.register(MAC, SN, "LOID9", OTHER_RND);
  assertEquals((await stage.bind(wang, bindingSn(OTHER_RND, SN), "LOID9")).status, 201);
  await stage.gateways.update(MAC, { loid: LOID });
  assertEquals((await stage.call("GET", "/gateways", li)).body, { items: [] });
  stage.register(MAC, SN, LOID, NEXT);
  assertEquals((await stage.bind(wang, bindingSn(NEXT, SN))).status, 201);
  await stage.gateways.remove(MAC);
  assertEquals((await stage.call("GET", "/bindings", wang)).body, { items: [] });
});

Deno.test("a proof binds once: shown again it is refused, and the gateway makes a new DevRND", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  await stage.call("DELETE", `/bindings/${MAC}`, li);
  stage.triggered = () => stage.register(MAC, SN, LOID, NEXT, RND);
  for (const token of [wang, li]) {
    const refused = await stage.bind(token);
    assertEquals([refused.status, refused.body.code, refused.headers.get("retry-after")], [
      409,
      "proof_used",
      "1",
    ]);
  }
  assertEquals((await stage.bind(wang, bindingSn(NEXT, SN).toLowerCase())).status, 201);
  await stage.call("DELETE", `/bindings/${MAC}`, wang);
  assertEquals((await stage.bind(wang, bindingSn(NEXT, SN))).body.code, "proof_used");
  // Presetting it anew is no way around.
  await stage.gateways.remove(MAC);
  await stage.gateways.preset([{ mac: MAC, sn: SN, loid: LOID }]);
  stage.register(MAC, SN, LOID, NEXT);
  assertEquals((await stage.bind(li, bindingSn(NEXT, SN))).body.code, "proof_used");
});

Deno.test("a gateway on its channel is taken off it to make a new DevRND, one that is away says so", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei");
  await stage.bind(li);
  await stage.call("DELETE", `/bindings/${MAC}`, li);
  const outcomes = ["already_connected", "accepted", "offline"] as const, closed: string[] = [];
  let asked = 0;
  stage.triggered = () => void (stage.triggerOutcome = outcomes[asked++]!);
  stage.bus.respond("channel.close", ({ mac }) => Promise.resolve(closed.push(mac) > 0));
  assertEquals((await stage.bind(li)).headers.get("retry-after"), "1");
  assertEquals(closed, [MAC]);
  assertEquals((await stage.bind(li)).headers.get("retry-after"), "10");
});

Deno.test("a binding ends by an operator, by a factory reset, and with its user, with all of its members", async () => {
  await using stage = await Stage.open();
  const changes: string[] = [];
  stage.bus.subscribe("binding.changed", ({ mac, bound }) => changes.push(`${mac} ${bound}`));
  const wang = await stage.user("wang.fang");
  let devRnd = 0;
  const bound = async (name: string) => {
    const token = await stage.user(name), rnd = String(++devRnd).padStart(32, "0");
    stage.register(MAC, SN, LOID, rnd);
    assertEquals((await stage.bind(token, bindingSn(rnd, SN))).status, 201);
    const { body: { code } } = await stage.call("POST", `/gateways/${MAC}/invitations`, token, {});
    assertEquals((await stage.call("POST", "/invitations/codes", wang, { code })).status, 200);
    assertEquals((await stage.call("GET", "/gateways", wang)).body.items.length, 1);
    return token;
  };
  const nobodys = async (...tokens: string[]) => {
    for (const token of [...tokens, wang]) {
      assertEquals((await stage.call("GET", "/gateways", token)).body, { items: [] });
    }
    assertEquals(changes.splice(0), [`${MAC} true`, `${MAC} false`]);
  };
  const li = await bound("li.wei");
  const operators = `/api/v1/gateways/${MAC}/binding`;
  assertEquals((await stage.operator("GET", operators)).body.name, "li.wei");
  assertEquals((await stage.operator("DELETE", operators)).status, 204);
  assertEquals((await stage.operator("DELETE", operators)).body.code, "not_bound");
  await nobodys(li);

  const second = await bound("second");
  await stage.gateways.renewed(MAC);
  stage.bus.publish("gateway.reset", { mac: MAC });
  for (let i = 0; i < 5; i++) await stage.clock.advance(0);
  await nobodys(second);

  const third = await bound("third");
  stage.bus.publish("channel.opened", { mac: MAC });
  const post = { parameter: { CmdType: "HG_LOCAL_RECOVERY" } };
  assertEquals((await stage.call("POST", `/gateways/${MAC}/post`, third, post)).body.status, "succeeded");
  await stage.clock.advance(0);
  await nobodys(third);

  const last = await bound("last.one");
  assertEquals((await stage.call("DELETE", "/users/me", last, { password: "not this one" })).status, 403);
  assertEquals((await stage.call("DELETE", "/users/me", last, { password: PASSWORD })).status, 204);
  await nobodys();
  assertEquals((await stage.call("GET", "/gateways", last)).status, 401);
  assertEquals((await stage.signIn("last.one")).body.code, "wrong_credentials");
});
