/**
 * Distribution policies as operators use them: trying, changing, draining, going back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

const PATH = "/api/v1/distribution";

Deno.test("a policy is tried on the whole fleet, put into force, drained, and taken back", async () => {
  await using platform = await testPlatform();
  const gateways = Array.from({ length: 2500 }, (_, n) => ({
    mac: (0x64d954000000 + n * 7919).toString(16).toUpperCase().padStart(12, "0"),
    sn: `64D954-${n}`,
    loid: `L${n}`,
    region: n % 2 ? "north" : "south",
  }));
  await platform.call("POST", "/api/v1/gateways", gateways);
  const two = {
    rules: [
      { name: "north", match: { region: "north" }, targets: [{ address: "a:1" }, { address: "b:1" }] },
      { name: "rest", targets: [{ address: "a:1" }] },
    ],
  };
  const tried = (await platform.call("POST", `${PATH}/dry-run`, two)).body as {
    gateways: number;
    moved: number;
    flows: { rule: string; to: string; gateways: number }[];
  };
  assertEquals([tried.gateways, tried.moved, tried.flows.length], [2500, 2500, 3]);
  assertEquals(tried.flows[0], { rule: "rest", to: "a:1", gateways: 1250 });
  const toB = tried.flows.find(({ to }) => to === "b:1")!.gateways;
  assert(toB > 500 && toB < 750, `${toB} of 1,250 to one of two`);
  assertEquals(
    (await platform.call("GET", `${PATH}/policy/versions`)).body["items"],
    [],
    "trying changes nothing",
  );

  assertEquals((await platform.call("PUT", `${PATH}/policy?note=two%20places`, two)).status, 200);
  const drained = await platform.call("POST", `${PATH}/drain`, { address: "b:1" });
  assertEquals(drained.status, 200);
  const after = (await platform.call("POST", `${PATH}/dry-run`)).body as typeof tried;
  assertEquals(after.flows.map(({ to, gateways }) => [to, gateways]), [["a:1", 1250], ["a:1", 1250]]);
  assertEquals(
    (await platform.call("POST", `${PATH}/drain`, { address: "a:1" })).body["code"],
    "no_target_left",
  );
  assertEquals(
    (await platform.call("POST", `${PATH}/drain`, { address: "z:1" })).body["code"],
    "unknown_address",
  );

  assertEquals((await platform.call("POST", `${PATH}/policy/versions/1/restore`)).status, 200);
  const again = (await platform.call("POST", `${PATH}/dry-run`, undefined)).body as typeof tried;
  assertEquals(again.flows.find(({ to }) => to === "b:1")?.gateways, toB);
  const versions = (await platform.call("GET", `${PATH}/policy/versions`)).body["items"] as {
    note: string;
  }[];
  assertEquals(versions.map(({ note }) => note), ["version 1 again", "drained b:1", "two places"]);
});

Deno.test("whoever edits an older policy than the one in force is told so", async () => {
  await using platform = await testPlatform();
  const put = async (etag: string, redirect: string) => {
    const response = await fetch(`${platform.url}${PATH}/policy`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        "content-type": "application/json",
        "if-match": etag,
      },
      body: JSON.stringify({ rules: [{ name: "r", redirect }] }),
    });
    await response.body?.cancel();
    return [response.status, response.headers.get("etag")];
  };
  assertEquals(await put('"0"', "a:1"), [200, '"1"']);
  assertEquals(await put('"0"', "b:1"), [412, null]);
  assertEquals(await put('"1"', "b:1"), [200, '"2"']);
  assertEquals(await put("nonsense", "b:1"), [412, null]);
});

Deno.test("a policy's script is tried on the fleet, put into force, asked, and taken back with its version", async () => {
  await using p = await testPlatform();
  const gateways = Array.from({ length: 300 }, (_, n) => ({
    mac: (0x64d954000000 + n).toString(16).toUpperCase(),
    sn: `64D954-${n}`,
    loid: `L${n}`,
    region: n % 3 === 0 ? "north" : "south",
  }));
  await p.call("POST", "/api/v1/gateways", gateways);
  const rules = [{ name: "all", targets: [{ address: "a:1" }, { address: "b:1" }] }];
  await p.call("PUT", `${PATH}/policy`, { rules: [{ name: "all", targets: [{ address: "a:1" }] }] });
  const script = `export function choose({ region }) { return region === "north" ? "b:1" : null; }`;
  const tried = await p.call("POST", `${PATH}/dry-run`, { rules, script });
  assertEquals(tried.status, 200, JSON.stringify(tried.body));
  const flows = tried.body["flows"] as { rule: string; to: string; gateways: number }[];
  assertEquals(flows.find(({ rule }) => rule === "script"), { rule: "script", to: "b:1", gateways: 100 });

  for (const bad of ["export const choose = 1;", "syntax error", "for (;;);"]) {
    for (const [method, path] of [["PUT", "policy"], ["POST", "dry-run"]] as const) {
      const { status, body } = await p.call(method, `${PATH}/${path}`, { rules, script: bad });
      assertEquals([status, body["code"]], [422, "script_failed"], `${method} ${bad}`);
    }
  }
  const endless = await p.call("POST", `${PATH}/dry-run`, {
    rules,
    script: "export function choose() { for (;;); }",
  });
  assertEquals([endless.status, endless.body["code"]], [422, "script_failed"]);
  assertEquals((await p.call("PUT", `${PATH}/policy`, { rules, script: "x".repeat(65_537) })).status, 400);

  // A script of one's own runs only for who may put it into force.
  const { body: { key } } = await p.call("POST", "/api/v1/keys", {
    name: "reader",
    permissions: ["policies:read"],
  });
  const as = (body: unknown) =>
    fetch(`${p.url}${PATH}/dry-run`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    }).then(async (response) => [response.status, (await response.json()).code]);
  assertEquals(await as({ rules, script }), [403, "forbidden"]);
  assertEquals((await as({ rules }))[0], 200);

  assertEquals((await p.call("PUT", `${PATH}/policy`, { rules, script })).status, 200);
  const preview = async (region: string) =>
    (await p.call("GET", `${PATH}/preview?mac=64D954000001&region=${region}`)).body["rule"];
  assertEquals([await preview("north"), await preview("south")], ["script", "all"]);
  assertEquals((await as({ rules, script }))[0], 200, "the one in force may be tried by who may look");
  // Draining keeps the script, which then may not send there any more.
  const drained = await p.call("POST", `${PATH}/drain`, { address: "b:1" });
  assertEquals(drained.body["script"], script);
  assertEquals(await preview("north"), "all");
  const restored = await p.call("POST", `${PATH}/policy/versions/1/restore`);
  assertEquals(restored.body["script"], undefined);
});
