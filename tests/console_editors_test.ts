/**
 * The console's larger forms: the editor of the distribution policy, and what short messages go by.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ADMIN_TOKEN } from "./support/platform.ts";
import { EVIL, stage, Visitor } from "./support/visitor.ts";

/** The fields of a page's form of policies, as a browser would send them. */
function fieldsOf(html: string): Record<string, string> {
  const text = (escaped: string) =>
    escaped.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll(
      "&amp;",
      "&",
    );
  const inputs = [
    ...html.matchAll(
      /<input name="([^"]+)"[^>]*? value="([^"]*)"|<input type="hidden" name="([^"]+)" value="([^"]*)"/g,
    ),
  ]
    .map(([, name, value, hidden, constant]) => [name ?? hidden!, text(value ?? constant ?? "")]);
  const areas = [...html.matchAll(/<textarea name="([^"]+)"[^>]*>([^]*?)<\/textarea>/g)]
    .map(([, name, value]) => [name!, text(value!)]);
  return Object.fromEntries([...inputs, ...areas]);
}

Deno.test("a policy is written by forms without scripts: rules added, moved, tried, put; JSON is one button away", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  let page = await visitor.page("/policies/edit");
  const press = async (action: string, typed: Record<string, string> = {}) => {
    const response = await visitor.post("/policies/edit", { ...fieldsOf(page), ...typed, do: action });
    page = await response.text();
    return response.status;
  };
  const own = fieldsOf(page)["rule0-target0-address"]!;
  await press("add");
  assertEquals(await press("addTarget:1", { "rule1-name": EVIL, "rule1-region": "north" }), 200);
  assert(!page.includes(EVIL), "what was typed lets a script through");
  const targets = {
    "rule1-target0-address": "a:1",
    "rule1-target0-weight": "3",
    "rule1-target1-address": "b:1",
  };
  await press("up:1", { ...targets, "rule1-percent": "12,5" });
  assertEquals(fieldsOf(page)["rule0-name"], EVIL);
  assertEquals(await press("put"), 400);
  assertStringIncludes(page, "percent");
  assertEquals(fieldsOf(page)["rule0-percent"], "12,5", "what was typed is kept");
  assertEquals(
    await press("dryRun", {
      "rule0-percent": "12.5",
      script: "export const choose = () => null; // <&>",
    }),
    200,
  );
  assertStringIncludes(page, "of 1 gateways");
  assertEquals(await press("asJson"), 200);
  const written = JSON.parse(fieldsOf(page)["policy"]!);
  assertEquals(written.rules[0].match, { region: "north", percent: 12.5 });
  assertEquals(written.script, "export const choose = () => null; // <&>");
  assertEquals(await press("asRules", { policy: '{"rules":[{"name":"x"}]}' }), 422);
  assertEquals(fieldsOf(page)["policy"], '{"rules":[{"name":"x"}]}');
  page = await visitor.page("/policies/edit");
  await press("add");
  await press("removeTarget:1:0", { "rule1-name": "rest", "rule1-redirect": "d:12112" });
  assertEquals(await press("put", { note: "by forms" }), 303);
  const { body } = await p.call("GET", "/api/v1/distribution/policy");
  assertEquals(body.rules, [
    { name: "this platform", match: {}, targets: [{ address: own, weight: 1 }] },
    { name: "rest", match: {}, targets: [], redirect: "d:12112" },
  ]);
  // Somebody was quicker: the editor that began before them does not undo what they did.
  page = await visitor.page("/policies/edit");
  await p.call("PUT", "/api/v1/distribution/policy", { rules: [] });
  assertEquals(await press("put"), 412);
});

Deno.test("routes, gateways and providers of short messages are made, changed and removed by forms", async () => {
  await using p = await stage();
  const visitor = await new Visitor(p.url).signIn({ token: ADMIN_TOKEN });
  const done = async (path: string, fields: Record<string, string>) => {
    const response = await visitor.post(path, fields), text = await response.text();
    assertEquals(response.status, 303, text);
  };
  await done("/sms/accounts/900001", {
    do: "change",
    spCode: "10690001",
    version: "2.0",
    window: "7",
    attempts: "5",
  });
  const { body } = await p.call("GET", "/api/v1/sms/accounts/900001");
  assertEquals([body.version, body.window, body.times], ["2.0", 7, { attempts: 5 }]);
  await done("/sms/routes", { do: "add", kind: "mt", first: "1390", last: "1395", target: "001002" });
  assertStringIncludes(await visitor.page("/sms/routes"), "1390 – 1395");
  assertStringIncludes(
    await visitor.page("/sms/routes?wayKind=mt&number=13912345678"),
    "13912345678 goes: 001002",
  );
  await done("/sms/peers", { do: "add", code: "001002", secret: "secret-2", address: "", version: "3.0" });
  assertStringIncludes(await visitor.page("/sms/peers"), "001002");
  await done("/name-server", { do: "add", code: "001003", secret: "secret-3", version: "3.0", trusted: "1" });
  assertStringIncludes(await visitor.page("/name-server"), "001003");
  await done("/sms", { do: "simulate", from: "13900000000", to: "10690001", text: "hello" });
  const traffic = await visitor.page("/sms/traffic");
  for (const chart of ["Messages taken a minute", "From phones an hour"]) {
    assertStringIncludes(traffic, chart);
  }
  await done("/sms", {
    ...{ do: "behave", least: "5", most: "9", UNDELIV: "12.5", silent: "", refused: "1" },
    ...{ refusedStat: "MB:0008", busy: "no" },
  });
  assertEquals((await p.call("GET", "/api/v1/sms/simulator")).body, {
    latencyMs: [5, 9],
    outcomes: { UNDELIV: 0.125 },
    silent: 0,
    refused: { share: 0.01, stat: "MB:0008" },
    busy: false,
  });
  assertStringIncludes(await visitor.page("/sms"), 'value="12.5"');
  await done("/sms", { do: "reset" });
  await done("/sms/peers", { do: "remove", code: "001002" });
  await done("/sms/accounts/900001", { do: "remove" });
  assertEquals((await p.call("GET", "/api/v1/sms/accounts/900001")).status, 404);
});
