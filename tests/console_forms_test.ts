/**
 * The console's forms, sent as browsers without scripts send them: fleets, alarms, users, backups and webhooks.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";
import { EVIL, MAC, operator, PASSWORD, stage, Visitor } from "./support/visitor.ts";

Deno.test("a rollout that moves gateways is made by a form, and its brakes are changed on its page", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const made = await visitor.post("/rollouts/new", {
    ...{ do: "make", name: "empty ops1", kind: "redistribute", address: "ops2.example:12113", mode: "1" },
    ...{ percent1: "100", success1: "90", errors1: "10" },
  });
  await made.body?.cancel();
  const path = new URL(made.headers.get("location")!, p.url).pathname;
  const text = await visitor.page(path);
  assertStringIncludes(text, "ops2.example:12113");
  assertStringIncludes(text, 'name="perMinute"');
  const changed = await visitor.post(path, { do: "brakes", perMinute: "5", success1: "40" });
  await changed.body?.cancel();
  assertEquals(changed.status, 303);
  const { body } = await p.call("GET", `/api/v1${path}`);
  assertEquals([body.kind, body.parameter, body.perMinute, body.maxInFlight], [
    "redistribute",
    { mode: 1, address: "ops2.example:12113" },
    ...[5, 100],
  ]);
  const [{ successThreshold, errorThreshold }] = body.stages as [Record<string, number>];
  assertEquals([successThreshold, errorThreshold], [40, 10]);
  const wrong = await visitor.post(path, { do: "brakes", perMinute: "0" });
  assertEquals([wrong.status, (await wrong.text()).includes("perMinute")], [400, true]);
});

Deno.test("a rollout of a version that the repository lacks is refused by the form, in both languages", async () => {
  await using p = await stage();
  for (
    const [language, words] of [
      ["en", 'the repository has no plug-in "p" 9.9'],
      ["zh", "插件库中没有要安装的插件版本"],
    ] as const
  ) {
    const visitor = await new Visitor(p.url, language).signIn({ token: ADMIN_TOKEN });
    const refused = await visitor.post("/rollouts/new", {
      ...{ do: "make", name: "umbrella", kind: "install", plugin: "p", version: "9.9" },
      ...{ percent1: "100", success1: "90", errors1: "10" },
    });
    const text = await refused.text();
    assertEquals(refused.status, 422, text.slice(-600));
    assertStringIncludes(text.replaceAll("&quot;", '"'), words);
  }
});

Deno.test("CSV is taken in with a report line by line, and a group is filled and emptied by hand", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const form = new FormData();
  form.set("do", "import");
  form.set(
    "file",
    new File([`mac,sn,loid\n64D954000002,64D954-002,L2\n${MAC},64D954-${MAC},L1\nnone,x,y\n`], "g.csv"),
  );
  const report = await (await visitor.post("/gateways/import", form)).text();
  assertStringIncludes(report, "Newly preset: 1");
  assertStringIncludes(report, "There already, the very same: 1");
  assertStringIncludes(report, "Refused: 1");
  assertMatch(report, /<th scope="row">4<\/th>.*none.*refused<\/td><td>mac: /);
  for (
    const [language, words] of [["en", "another gateway has this LOID too: "], [
      "zh",
      "另有网关使用相同的 LOID:",
    ]] as const
  ) {
    const other = await new Visitor(p.url, language).signIn({ token: ADMIN_TOKEN });
    const form = new FormData(), mac = { en: "64D954000003", zh: "64D954000004" }[language];
    form.set("do", "import");
    form.set("file", new File([`mac,sn,loid\n${mac},64D954-${mac},L2\n`], "g.csv"));
    const text = await (await other.post("/gateways/import", form)).text();
    assertMatch(text, new RegExp(`${mac}.*<td>${words}64D95400000[23]</td>`));
  }
  await (await visitor.post("/groups/north", { do: "putIn", macs: `${MAC}\n64D954000002` })).body?.cancel();
  assertEquals((await p.call("GET", "/api/v1/groups/north")).body.gateways, 2);
  await (await visitor.post("/groups/north", { do: "takeOut", macs: MAC })).body?.cancel();
  assertEquals((await p.call("GET", "/api/v1/groups/north")).body.gateways, 1);
});

Deno.test("alarm rules are made, changed and removed by forms, and none is written over by a new one", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const rule = {
    ...{ kind: "queue_age", description: EVIL, severity: "critical", raiseAt: "60", clearBelow: "30.5" },
    ...{ holdSeconds: "15", least: "1", group: "north", enabled: "1" },
  };
  const post = async (path: string, fields: Record<string, string>) => {
    const response = await visitor.post(path, fields);
    return { status: response.status, text: await response.text() };
  };
  const find = async (id: string) => {
    const { body } = await p.call("GET", "/api/v1/alarm-rules");
    return (body.items as { id: string }[]).find((one) => one.id === id) as
      | Record<string, unknown>
      | undefined;
  };
  assertEquals((await post("/alarms/rules", { do: "make", id: "north-waits", ...rule })).status, 303);
  const made = await find("north-waits");
  assertEquals([made?.["clearBelow"], made?.["group"], made?.["enabled"]], [30.5, "north", true]);
  assertEquals((await post("/alarms/rules", { do: "make", id: "region-offline", ...rule })).status, 409);
  assertEquals((await find("region-offline"))?.["kind"], "offline_share");
  const wrong = await post("/alarms/rules/north-waits", { do: "save", ...rule, clearBelow: "61" });
  assertEquals(wrong.status, 400);
  assertStringIncludes(wrong.text, 'value="61"');
  const { enabled: _, ...off } = rule;
  assertEquals((await post("/alarms/rules/north-waits", { do: "save", ...off })).status, 303);
  assertEquals((await find("north-waits"))?.["enabled"], false);
  assertStringIncludes(await visitor.page("/alarms/rules"), "&lt;script&gt;alert(1)");
  assertEquals((await post("/alarms/rules/north-waits", { do: "remove" })).status, 303);
  assertEquals(await find("north-waits"), undefined);
  assertEquals((await visitor.get("/alarms/rules/north-waits")).status, 404);
});

Deno.test("support finds an app user, locks and unlocks them, and signs their devices out", async () => {
  await using p = await stage();
  const signIn = () =>
    p.call("POST", "/app/v1/sessions", { name: "li.wei", password: PASSWORD, device: EVIL });
  assertEquals((await signIn()).status, 201);
  const visitor = await operator(p, "support");
  const [, id = ""] = /href="\/users\/([^"]+)"/.exec(await visitor.page("/users?search=LI")) ?? [];
  const press = async (fields: Record<string, string>) => {
    const response = await visitor.post(`/users/${id}`, fields);
    await response.body?.cancel();
    return response.status;
  };
  let page = await visitor.page(`/users/${id}`);
  assertStringIncludes(page, "&lt;script&gt;alert(1)");
  assert(!page.includes(EVIL));
  const [, session = ""] = /name="session" value="([^"]+)"/.exec(page) ?? [];
  assertEquals([await press({ do: "signOut", session }), await press({ do: "signOut", session })], [
    303,
    404,
  ]);
  assertEquals((await signIn()).status, 201);
  assertEquals(await press({ do: "lock" }), 303);
  assertEquals((await signIn()).body["code"], "account_locked");
  page = await visitor.page(`/users/${id}`);
  assertStringIncludes(page, "locked");
  assertEquals(await press({ do: "unlock" }), 303);
  assertEquals((await signIn()).status, 201);
  assertEquals(await press({ do: "signOutAll" }), 303);
  assertStringIncludes(await visitor.page(`/users/${id}`), "Nothing here yet.");
});

Deno.test({
  name: "a backup is made, fetched and removed in the console",
  // PostgreSQL's backups are its own tools' business.
  ignore: Deno.env.has("GATEHOUSE_TEST_POSTGRES"),
  async fn() {
    await using p = await stage();
    const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
    const post = async (fields: Record<string, string>) => {
      const response = await visitor.post("/about/backups", fields);
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await post({ do: "make" }), 303);
    const [, id = ""] = /href="\/about\/backups\/([^"]+)"/.exec(await visitor.page("/about/backups")) ?? [];
    const file = await visitor.get(`/about/backups/${id}`);
    assertEquals([file.status, file.headers.get("content-type")], [200, "application/vnd.sqlite3"]);
    assertStringIncludes((await file.text()).slice(0, 16), "SQLite format 3");
    const viewer = await operator(p, "viewer");
    const refused = await viewer.get(`/about/backups/${id}`);
    await refused.body?.cancel();
    assertEquals(refused.status, 403);
    assertEquals(await post({ do: "remove", id }), 303);
    assertEquals((await p.call("GET", "/api/v1/backups")).body.items, []);
    assertEquals(await post({ do: "remove", id }), 404);
  },
});

Deno.test("a webhook is added, tested, changed, given a new secret and removed by forms", async () => {
  const told: string[] = [];
  await using receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      told.push((await request.json()).type);
      return new Response();
    },
  );
  await using p = await testPlatform({ settings: { webhooks: { allow: ["127.0.0.1"] } } });
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const url = `http://127.0.0.1:${receiver.addr.port}/in`;
  const refused = await visitor.post("/webhooks", {
    do: "add",
    url: "http://10.0.0.1/",
    events: "gateway.online",
  });
  assertEquals(refused.status, 422);
  const again = await refused.text();
  assertMatch(again, /role="alert">.*not on the internet/s);
  assertStringIncludes(again, 'value="http://10.0.0.1/"');
  assertMatch(again, /value="gateway.online" checked/);
  const form = new FormData();
  for (const [name, value] of [["do", "add"], ["url", url], ["description", "a test"]] as const) {
    form.set(name, value);
  }
  for (const event of ["gateway.online", "alarm.raised"]) form.append("events", event);
  const added = await (await visitor.post("/webhooks", form)).text();
  const [, secret] = /<pre class="secret"[^>]*>(whsec_[^<]+)<\/pre>/.exec(added)!;
  const { body } = await p.call("GET", "/api/v1/webhooks");
  const [webhook] = body.items as { id: string; events: string[] }[];
  assertEquals(webhook!.events, ["gateway.online", "alarm.raised"]);
  const path = `/webhooks/${webhook!.id}`, api = `/api/v1${path}`;
  const done = async (fields: Record<string, string>, to = `${path}?done=1`) => {
    const response = await visitor.post(path, fields);
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("location")], [303, to]);
  };
  await done({ do: "test" });
  let delivery: Record<string, unknown> = {};
  while (delivery.state !== "delivered") {
    delivery = ((await p.call("GET", `${api}/deliveries`)).body.items as typeof delivery[])[0]!;
  }
  await done({ do: "redeliver", delivery: String(delivery.id) });
  while (told.length < 2) await p.call("GET", api);
  assertEquals(told, ["webhook.test", "webhook.test"]);
  for (const language of ["en", "zh"] as const) {
    const other = await new Visitor(p.url, language).signIn({ token: ADMIN_TOKEN });
    const text = await other.page(path);
    assertStringIncludes(text, String(delivery.event));
    assertStringIncludes(text, { en: "Deliveries", zh: "投递记录" }[language]);
    assert(!text.includes(secret!) && !text.includes("undefined"));
  }
  await done({ do: "change", url, description: "changed", events: "plugin.uploaded", groups: "north" });
  await done({ do: "disable" });
  const changed = (await p.call("GET", api)).body;
  assertEquals([changed.description, changed.events, changed.groups, changed.enabled], [
    "changed",
    ["plugin.uploaded"],
    ["north"],
    false,
  ]);
  await done({ do: "enable" });
  const rotated = await (await visitor.post(path, { do: "rotate" })).text();
  assertMatch(rotated, /<pre class="secret"[^>]*>whsec_/);
  assert(!rotated.includes(secret!));
  await done({ do: "remove" }, "/webhooks?done=1");
  assertEquals((await p.call("GET", api)).status, 404);
});
