/**
 * Finding many gateways: filters, groups, tags, histories, removal, and people who see only their own groups.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ask } from "./support/ask.ts";
import { ADMIN_TOKEN, type TestPlatform, testPlatform } from "./support/platform.ts";

const PASSWORD = "correct horse battery";
const mac = (n: number) => `64D95400${n.toString(16).toUpperCase().padStart(4, "0")}`;

/** Twenty gateways: even ones in the north. */
async function preset(platform: TestPlatform) {
  const gateways = Array.from({ length: 20 }, (_, n) => ({
    mac: mac(n),
    sn: `64D954-S${n}`,
    loid: `LOID${n}`,
    vendor: "ZTE",
    model: n < 10 ? "F450" : "F650",
    region: n % 2 === 0 ? "north" : "south",
  }));
  assertEquals((await platform.call("POST", "/api/v1/gateways", gateways)).body["created"], 20);
}

/** Calls as somebody else than the administrator. */
const as = (platform: TestPlatform, token: string, method: string, path: string, body?: unknown) =>
  ask(platform.url, method, path, body, token);

// deno-lint-ignore no-explicit-any -- as above
const macs = (body: any) => body.items.map((item: { mac: string }) => item.mac);

Deno.test("gateways are found by filter, by group and by tag, and a group with a filter follows what it finds", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  const find = async (query: string) => macs((await platform.call("GET", `/api/v1/gateways?${query}`)).body);
  assertEquals((await find(`filter=${encodeURIComponent("region==north;model==F650")}`)).length, 5);
  const wrong = await platform.call("GET", "/api/v1/gateways?filter=colour%3D%3Dred");
  assertEquals([wrong.status, wrong.body["code"]], [422, "invalid_filter"]);
  assertStringIncludes(String(wrong.body["detail"]), "colour");

  await platform.call("POST", "/api/v1/groups", { name: "north", filter: "region==north" });
  await platform.call("POST", "/api/v1/groups", { name: "friends" });
  const members = { add: [mac(1), mac(2), "AAAAAAAAAAAA"] };
  assertEquals((await platform.call("POST", "/api/v1/groups/friends/members", members)).body, {
    added: 2,
    removed: 0,
  });
  assertEquals(await find("group=friends"), [mac(1), mac(2)]);
  assertEquals((await find("group=north")).length, 10);
  await platform.call("PATCH", `/api/v1/gateways/${mac(1)}`, { region: "north" });
  assertEquals((await find("group=north")).length, 11);
  const groups = await platform.call("GET", "/api/v1/groups");
  assertEquals(
    (groups.body["items"] as { name: string; gateways: number }[]).map((
      { name, gateways },
    ) => [name, gateways]),
    [["friends", 2], ["north", 11]],
  );
  assertEquals((await platform.call("POST", "/api/v1/groups/north/members", members)).status, 409);

  const tagged = await platform.call("POST", "/api/v1/tags", { filter: "group==friends", add: ["pilot"] });
  assertEquals(tagged.body, { added: 2, removed: 0 });
  assertEquals(await find("filter=tag%3D%3Dpilot"), [mac(1), mac(2)]);
  await platform.call("PUT", `/api/v1/gateways/${mac(2)}/tags`, { tags: ["vip"] });
  assertEquals((await platform.call("GET", `/api/v1/gateways/${mac(2)}`)).body["tags"], ["vip"]);
  assertEquals((await platform.call("GET", "/api/v1/tags")).body["items"], [
    { tag: "pilot", gateways: 1 },
    { tag: "vip", gateways: 1 },
  ]);
});

Deno.test("somebody confined to a group sees, changes and asks nothing else", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  await platform.call("POST", "/api/v1/groups", { name: "north", filter: "region==north" });
  const operator = { name: "li.wei", password: PASSWORD, role: "operator", groups: ["north"] };
  assertEquals((await platform.call("POST", "/api/v1/operators", operator)).status, 201);
  const signedIn = await as(platform, ADMIN_TOKEN, "POST", "/api/v1/sessions", {
    name: "li.wei",
    password: PASSWORD,
  });
  const token: string = signedIn.body.token;
  const own = mac(2), other = mac(3);
  const all = await as(platform, token, "GET", "/api/v1/gateways?limit=100");
  assertEquals([all.body.items.length, macs(all.body).includes(other)], [10, false]);
  // A filter of one's own is no way out.
  const wider = await as(
    platform,
    token,
    "GET",
    "/api/v1/gateways?filter=region%3D%3Dsouth,region%3D%3Dnorth",
  );
  assertEquals(wider.body.items.length, 10);

  const asked = await platform.call("POST", `/api/v1/gateways/${other}/commands`, {
    parameter: { CmdType: "X" },
  });
  const id = String(asked.body["id"]);
  for (
    const [method, path, body] of [
      ["GET", `/api/v1/gateways/${other}`],
      ["PATCH", `/api/v1/gateways/${other}`, { region: "north" }],
      ["DELETE", `/api/v1/gateways/${other}`],
      ["POST", `/api/v1/gateways/${other}/restore`],
      ["POST", `/api/v1/gateways/${other}/redistribute`, { mode: 1, address: "host:1" }],
      ["POST", `/api/v1/gateways/${other}/commands`, { parameter: { CmdType: "X" } }],
      ["GET", `/api/v1/gateways/${other}/commands`],
      ["GET", `/api/v1/commands/${id}`],
      ["GET", `/api/v1/commands/${id}/events`],
      ["POST", `/api/v1/commands/${id}/cancel`],
      ["POST", `/api/v1/gateways/${other}/plugins`, { name: "a", version: "1.0" }],
      ["GET", `/api/v1/gateways/${other}/plugins`],
      ["POST", `/api/v1/gateways/${other}/plugins/a/run`],
      ["DELETE", `/api/v1/gateways/${other}/plugins/a`],
      ["PUT", `/api/v1/gateways/${other}/plugins/a/parameters`, {}],
      ["PUT", `/api/v1/gateways/${other}/tags`, { tags: [] }],
      ["GET", `/api/v1/gateways/${other}/history`],
      ["GET", `/api/v1/gateways/${other}/plugins/seen`],
      ["GET", `/api/v1/gateways/${other}/parameters/seen`],
    ] as const
  ) {
    const answer = await as(platform, token, method, path, body);
    assertEquals(answer.status, 404, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  }
  assertEquals((await as(platform, token, "GET", `/api/v1/gateways/${own}`)).status, 200);
  for (
    const [method, path, body] of [
      ["POST", "/api/v1/groups", { name: "mine" }],
      ["PATCH", "/api/v1/groups/north", { filter: "online==true" }],
      ["DELETE", "/api/v1/groups/north"],
      ["POST", "/api/v1/gateways", { mac: "AAAAAAAAAAAA", sn: "AAAAAA-1", loid: "1" }],
    ] as const
  ) {
    assertEquals((await as(platform, token, method, path, body)).status, 403, path);
  }
  const tagged = await as(platform, token, "POST", "/api/v1/tags", { filter: "vendor==ZTE", add: ["mine"] });
  assertEquals(tagged.body.added, 10);
});

Deno.test("a removed gateway is as if it were not there, can be restored, and makes way for a new preset", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  const path = `/api/v1/gateways/${mac(4)}`;
  assertEquals((await platform.call("DELETE", path)).status, 204);
  assertEquals((await platform.call("GET", path)).status, 404);
  assertEquals((await platform.call("DELETE", path)).status, 404);
  assertEquals(macs((await platform.call("GET", "/api/v1/gateways?removed=true")).body), [mac(4)]);
  assertEquals((await platform.call("POST", `${path}/restore`)).status, 200);
  assertEquals((await platform.call("POST", `${path}/restore`)).status, 404);
  const history = (await platform.call("GET", `${path}/history`)).body["items"] as { kind: string }[];
  assertEquals(history.map(({ kind }) => kind), ["restored", "removed"]);
  await platform.call("DELETE", path);
  const again = { mac: mac(4), sn: "64D954-NEW", loid: "NEW" };
  assertEquals((await platform.call("POST", "/api/v1/gateways", again)).status, 201);
  assertEquals((await platform.call("GET", path)).body["sn"], "64D954-NEW");
});

Deno.test("what is exported can be imported again, and no cell is a formula", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  await platform.call("PATCH", `/api/v1/gateways/${mac(0)}`, { region: "=HYPERLINK(1)" });
  await platform.call("PATCH", `/api/v1/gateways/${mac(1)}`, { region: "'=quoted" });
  const response = await fetch(`${platform.url}/api/v1/gateways/export`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  const csv = await response.text();
  assertEquals(csv.trim().split("\r\n").length, 21);
  assert(csv.includes("'=HYPERLINK(1)") && !/[,"]=/.test(csv));
  await using other = await testPlatform();
  const imported = await fetch(`${other.url}/api/v1/gateways`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "text/csv" },
    body: csv,
  });
  assertEquals((await imported.json()).created, 20);
  assertEquals((await other.call("GET", `/api/v1/gateways/${mac(0)}`)).body["region"], "=HYPERLINK(1)");
  assertEquals((await other.call("GET", `/api/v1/gateways/${mac(1)}`)).body["region"], "'=quoted");
  // What was exported says the very same as what is there.
  const again = await fetch(`${other.url}/api/v1/gateways`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "text/csv" },
    body: csv,
  });
  assertEquals((await again.json()).unchanged, 20);
});

Deno.test("every change of a gateway is on the audit with who, before and after", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  await platform.call("PATCH", `/api/v1/gateways/${mac(0)}`, { region: "west" });
  await platform.call("POST", `/api/v1/gateways/${mac(0)}/commands`, {
    parameter: { CmdType: "CHECK_PASSWD_PARAM", PassWD: "very-secret" },
  });
  const { body } = await platform.call("GET", "/api/v1/audit");
  const [asked, changed] = body["items"] as Record<string, Record<string, unknown>>[];
  assertEquals([changed!["actor"], changed!["before"]!["region"], changed!["after"]!["region"]], [
    "admin",
    "north",
    "west",
  ] as unknown[]);
  assertEquals(asked!["after"]!["cmdType"], "CHECK_PASSWD_PARAM");
  assert(!JSON.stringify(body).includes("very-secret"));
  assertEquals((await platform.call("GET", "/api/v1/audit/verify")).body["intact"], true);
});

Deno.test("no change of a gateway makes what an import would refuse", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  const change = async (body: unknown) =>
    (await platform.call("PATCH", `/api/v1/gateways/${mac(0)}`, body)).status;
  for (const name of ["vendor", "model", "region"]) {
    for (const text of ["x".repeat(65), "", " ", "two\nlines", "\u0007"]) {
      assertEquals(await change({ [name]: text }), 400, `${name} ${JSON.stringify(text)}`);
    }
    assertEquals(await change({ [name]: "x".repeat(64) }), 200);
    assertEquals(await change({ [name]: null }), 200);
  }
});

Deno.test("the search finds by the beginning of MAC, SN and LOID, and by a whole tag", async () => {
  await using platform = await testPlatform();
  await preset(platform);
  await platform.call("PUT", `/api/v1/gateways/${mac(3)}/tags`, { tags: ["pilot"] });
  const find = async (search: string) =>
    macs((await platform.call("GET", `/api/v1/gateways?search=${encodeURIComponent(search)}`)).body);
  assertEquals(await find(mac(7).toLowerCase()), [mac(7)]);
  assertEquals(await find("64d954-s12"), [mac(12)]);
  assertEquals(await find("LOID15"), [mac(15)]);
  assertEquals((await find("LOID1")).length, 11);
  assertEquals(await find("pilot"), [mac(3)]);
  assertEquals(await find("pil"), []);
  for (const text of ["%25", "_", "\\"]) {
    assertEquals(
      (await platform.call("GET", `/api/v1/gateways?search=${encodeURIComponent(text)}`)).status,
      400,
    );
  }
  // What nearly all begin with is found as well, page by page.
  const many = Array.from(
    { length: 2500 },
    (_, n) => ({ mac: mac(1000 + n), sn: `64D954-T${n}`, loid: "M" }),
  );
  await platform.call("POST", "/api/v1/gateways", many);
  const page = await platform.call("GET", "/api/v1/gateways?search=64D95400&limit=200");
  assertEquals(macs(page.body).at(-1), mac(1179));
  const next = await platform.call(
    "GET",
    `/api/v1/gateways?search=64D95400&limit=200&cursor=${page.body["next"]}`,
  );
  assertEquals(macs(next.body)[0], mac(1180));
  // Whoever is confined to a group finds nothing else by it.
  await platform.call("POST", "/api/v1/groups", { name: "south", filter: "region==south" });
  const key = await platform.call("POST", "/api/v1/keys", {
    name: "south",
    permissions: ["gateways:read"],
    groups: ["south"],
  });
  const { body } = await as(platform, String(key.body["key"]), "GET", "/api/v1/gateways?search=LOID1");
  assertEquals(macs(body).length, 6);
});
