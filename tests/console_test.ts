/**
 * The console's pages, asked for as browsers do without scripts.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";
import { EVIL, MAC, operator, PASSWORD, stage, Visitor } from "./support/visitor.ts";

/** Each page, and what is needed to see it; pages whose addresses depend on rows are in the tests of a browser. */
const PAGES: readonly (readonly [path: string, permission: string | undefined])[] = [
  ["/", "gateways:read"],
  ["/gateways", "gateways:read"],
  ["/gateways?filter=region%3D%3Dnorth&removed=true", "gateways:read"],
  ["/gateways/import", "gateways:write"],
  [`/gateways/${MAC}`, "gateways:read"],
  [`/gateways/${MAC}/run`, "commands:run"],
  [`/gateways/${MAC}/history`, "gateways:read"],
  [`/gateways/${MAC}/parameters`, "gateways:read"],
  [`/gateways/${MAC}/timeline`, "gateways:read"],
  ["/commands", "commands:read"],
  [`/commands?mac=${MAC}&status=queued&kind=post&since=2026-01-01T00:00`, "commands:read"],
  ["/users", "app_users:read"],
  ["/users?search=li", "app_users:read"],
  ["/groups", "gateways:read"],
  ["/groups/north", "gateways:read"],
  ["/alarms", "alarms:read"],
  ["/alarms?state=&severity=critical&rule=rollout-paused", "alarms:read"],
  ["/alarms/rules", "alarms:read"],
  ["/alarms/rules/region-offline", "alarms:write"],
  ["/plugins", "plugins:read"],
  ["/trust", "trust:write"],
  ["/rollouts", "rollouts:read"],
  ["/rollouts/new", "rollouts:write"],
  ["/policies", "policies:read"],
  ["/policies?flows=1", "policies:read"],
  ["/policies/edit", "policies:write"],
  ["/policies/edit?as=json", "policies:write"],
  ["/policies/versions", "policies:read"],
  ["/webhooks", "webhooks:write"],
  ["/people", "people:write"],
  ["/people/keys", "people:write"],
  ["/people/roles", undefined],
  ["/audit", "audit:read"],
  ["/audit/export", "audit:read"],
  ["/account", undefined],
  ["/about", undefined],
  ["/about/backups", "system:write"],
  ["/sms", "sms:read"],
  ["/sms/traffic", "sms:read"],
  ["/sms/messages", "sms:read"],
  ["/sms/accounts", "sms:read"],
  ["/sms/accounts/900001", "sms:read"],
  ["/sms/connections", "sms:read"],
  ["/sms/routes", "sms:read"],
  ["/sms/peers", "sms:read"],
  ["/sms/alarms", "sms:read"],
  ["/name-server", "sms:read"],
];

Deno.test("every page is there in both languages, and no name that was sent in becomes a script", async () => {
  await using p = await stage();
  for (const language of ["en", "zh"] as const) {
    const visitor = await new Visitor(p.url, language).signIn({ token: ADMIN_TOKEN });
    for (const [path] of PAGES) {
      const text = await visitor.page(path);
      if (path === "/audit/export") continue; // a file, and not of HTML
      assertStringIncludes(text, `<html lang="${language === "zh" ? "zh-CN" : "en"}"`, path);
      assert(!text.includes(EVIL), `${path} lets a script through`);
      assert(!/<style|\sstyle=|\son\w+=|<script>/.test(text), `${path} has what the security policy forbids`);
      assert(!text.includes("undefined") && !text.includes("[object"), `${path}: ${text}`);
    }
    assertStringIncludes(await visitor.page("/gateways"), "&lt;script&gt;alert(1)");
  }
});

for (const role of ["admin", "operator", "support", "viewer", "app_service"]) {
  Deno.test(`who is ${role} sees the pages of that role, and their forms do no more than the role may`, async () => {
    await using p = await stage();
    const visitor = await operator(p, role);
    const { body } = await p.call("GET", "/api/v1/roles");
    const { permissions } = (body.roles as { name: string; permissions: string[] }[])
      .find(({ name }) => name === role)!;
    for (const [path, permission] of PAGES) {
      const response = await visitor.get(path), text = await response.text();
      const may = permission === undefined || permissions.includes(permission);
      if (path === "/" && !may) assertEquals(response.status, 303);
      else assertEquals(response.status, may ? 200 : 403, `${path} for ${role}`);
      if (role === "viewer" && path !== "/account") {
        assert(!text.includes('name="do"'), `${path} offers a form to somebody who may only look`);
      }
    }
    // Hiding a form protects nothing: what it would have sent is refused all the same.
    for (
      const [path, permission, fields] of [
        ["/sms/accounts", "sms:write", { do: "add", spId: "900002", secret: "secret-2", spCode: "10690002" }],
        ["/groups", "gateways:write", { do: "make", name: "south" }],
        [`/gateways/${MAC}`, "gateways:write", { do: "tags", tags: "pilot" }],
        ["/policies", "policies:write", { do: "drain", address: "nowhere:1" }],
        ["/rollouts", "rollouts:write", { do: "stop" }],
        ["/webhooks", "webhooks:write", {
          do: "add",
          url: "https://hooks.example/",
          events: "gateway.online",
        }],
        ["/alarms/rules/rollout-paused", "alarms:write", { do: "remove" }],
        ["/users/none", "app_users:write", { do: "lock" }],
        ["/people", "people:write", { do: "add", name: "li.wei", password: PASSWORD, role: "admin" }],
      ] as const
    ) {
      const response = await visitor.post(path, fields);
      await response.body?.cancel();
      assertEquals(response.status === 403, !permissions.includes(permission), `${path} for ${role}`);
    }
  });
}

Deno.test("the page about the platform links to what machines read", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const text = await visitor.page("/about");
  for (const path of ["/metrics", "/openapi.json"]) {
    assertStringIncludes(text, `href="${path}"`);
    assert((await visitor.page(path)).length > 1000);
  }
});

Deno.test("a form that comes from another page than ours changes nothing", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const fields = { do: "make", name: "south" };
  for (
    const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: p.url, "sec-fetch-site": "cross-site" },
      { origin: p.url, "sec-fetch-site": "same-site" },
    ] as Record<string, string>[]
  ) {
    const response = await visitor.post("/groups", fields, headers);
    await response.body?.cancel();
    assertEquals(response.status, 403, JSON.stringify(headers));
  }
  assertEquals((await p.call("GET", "/api/v1/groups/south")).status, 404);
  const good = await visitor.post("/groups", fields);
  assertEquals([good.status, good.headers.get("location")], [303, "/groups/south?done=1"]);
});

Deno.test("what is refused is told above its form, which keeps what was typed but no secret", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const secret = "a\u00e9";
  const response = await visitor.post("/sms/accounts", {
    do: "add",
    spId: "900009",
    secret,
    spCode: '10<"690',
    serviceIds: "one, two",
  });
  const text = await response.text();
  assertEquals(response.status, 400);
  assertMatch(text, /role="alert">.*\$\.secret.*\$\.spCode/s);
  assertStringIncludes(text, 'value="10&lt;&quot;690"');
  assertStringIncludes(text, 'value="one, two"');
  assert(!text.includes(secret));
  const unknown = await visitor.post("/sms/accounts", { do: "constructor" });
  await unknown.body?.cancel();
  assertEquals(unknown.status, 400);
});

Deno.test("what is refused is told in Chinese, with the API's own sentence below it", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url, "zh").signIn({ token: ADMIN_TOKEN });
  const told = async (path: string, fields: Record<string, string> | FormData) =>
    await (await visitor.post(path, fields)).text();
  const taken = { name: "wang.wei", password: PASSWORD, role: "viewer" };
  assertEquals((await p.call("POST", "/api/v1/operators", taken)).status, 201);
  const twice = await told("/people", { do: "add", ...taken });
  assertStringIncludes(twice, "该名称已被使用");
  assertStringIncludes(twice, "the name &quot;wang.wei&quot; is taken");
  const filter = await (await visitor.get("/gateways?filter=region%3Dnorth")).text();
  assertStringIncludes(filter, "筛选条件有误");
  assertStringIncludes(filter, 'value="region=north"'); // to be put right
  assertStringIncludes(await visitor.page("/alarms/rules"), "某区域大量网关离线");
  const table = new FormData();
  table.set("do", "import");
  table.set("file", new File(["mac,sn,loid\n64D954000009,64D954-A9,\n"], "a.csv", { type: "text/csv" }));
  assertStringIncludes(await told("/gateways/import", table), "loid: 缺少此项");
});

Deno.test("a provider that is there keeps its secret when another is added under its name", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  // Not its headers: each answer has a number of its own.
  const account = async () => {
    const { status, body } = await p.call("GET", "/api/v1/sms/accounts/900001");
    return { status, body };
  };
  const before = await account();
  const fields = { do: "add", spId: "900001", secret: "another-1", spCode: "10690002" };
  const response = await visitor.post("/sms/accounts", fields);
  assertEquals(response.status, 409);
  assertStringIncludes(await response.text(), "there is a provider &quot;900001&quot; already");
  assertEquals(await account(), before);
});

Deno.test("a session that has ended leads to the sign-in page and back to where one was", async () => {
  await using p = await stage();
  const visitor = await operator(p, "viewer");
  await visitor.page("/gateways");
  const out = await visitor.post("/sign-out", {});
  await out.body?.cancel();
  // The cookie is kept on purpose: it is good for nothing any more.
  const again = await visitor.get("/gateways?region=north");
  await again.body?.cancel();
  assertEquals([again.status, again.headers.get("location")], [
    303,
    `/sign-in?to=${encodeURIComponent("/gateways?region=north")}`,
  ]);
  const form = await visitor.post("/groups", { do: "make", name: "south" });
  await form.body?.cancel();
  assertEquals([form.status, form.headers.get("location")], [303, "/sign-in"]);
});

Deno.test("an operator changes the own password and goes on with the new session", async () => {
  await using p = await stage();
  const visitor = await operator(p, "viewer");
  const wrong = await visitor.post("/account", {
    do: "change",
    current: "no",
    password: "quite another one",
  });
  await wrong.body?.cancel();
  assert(wrong.status >= 400);
  const fields = { do: "change", current: PASSWORD, password: "quite another one" };
  const changed = await visitor.post("/account", fields);
  assertEquals([changed.status, changed.headers.get("location")], [303, "/account?done=1"]);
  const old = visitor.cookie;
  visitor.cookie = changed.headers.getSetCookie()[0]!.split(";")[0]!;
  assert(visitor.cookie !== old);
  assertStringIncludes(await visitor.page("/account?done=1"), 'role="status"');
  visitor.cookie = old;
  const ended = await visitor.get("/account");
  await ended.body?.cancel();
  assertEquals(ended.status, 303);
});

Deno.test("pages about short messages are only where the service runs", async () => {
  await using p = await testPlatform();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const text = await visitor.page("/");
  assert(!text.includes('href="/sms"') && !text.includes('href="/name-server"'));
  const response = await visitor.get("/sms");
  await response.body?.cancel();
  assertEquals(response.status, 404);
});
