/**
 * ETag, If-Match and If-None-Match on everything that operators edit.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { DEFAULT_SERVICES } from "../src/platform/mod.ts";
import { ADMIN_TOKEN, type TestPlatform, testPlatform } from "./support/platform.ts";

const MAC = "64D95420214B";

/** One thing that can be edited: where it is, how it is made, and two changes to it. */
interface Thing {
  readonly name: string;
  readonly make: (p: TestPlatform) => Promise<string>;
  readonly method: "PATCH" | "PUT";
  readonly changes: readonly [unknown, unknown];
  /** Also removed with DELETE. */
  readonly removed: boolean;
}

const made = async (p: TestPlatform, path: string, body: unknown): Promise<Record<string, unknown>> => {
  const { status, body: answer } = await p.call("POST", path, body);
  assert(status < 300, JSON.stringify(answer));
  return answer;
};
const rule = {
  kind: "offline_share",
  severity: "critical",
  raiseAt: 20,
  clearBelow: 10,
  holdSeconds: 120,
  least: 20,
};
const target = (address: string) => ({
  rules: [{ name: "all", match: {}, targets: [{ address, weight: 1 }] }],
});
const local = { host: "127.0.0.1", port: 0 };

const THINGS: readonly Thing[] = [
  {
    name: "a gateway",
    async make(p) {
      await made(p, "/api/v1/gateways", { mac: MAC, sn: `64D954-${MAC}`, loid: "L1" });
      return `/api/v1/gateways/${MAC}`;
    },
    method: "PATCH",
    changes: [{ region: "north" }, { region: "south" }],
    removed: true,
  },
  {
    name: "a group",
    async make(p) {
      await made(p, "/api/v1/groups", { name: "north" });
      return "/api/v1/groups/north";
    },
    method: "PATCH",
    changes: [{ description: "one" }, { description: "two" }],
    removed: true,
  },
  {
    name: "an operator",
    async make(p) {
      const { id } = await made(p, "/api/v1/operators", {
        name: "li",
        password: "correct horse battery",
        role: "viewer",
      });
      return `/api/v1/operators/${id}`;
    },
    method: "PATCH",
    changes: [{ role: "support" }, { role: "operator" }],
    removed: true,
  },
  {
    name: "a version of a plug-in",
    async make(p) {
      const source = `export const manifest = { name: "com.example.a", version: "1.0",
        apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
        export const commands = { A: () => ({}) };`;
      await made(p, "/api/v1/plugins", new TextEncoder().encode(source));
      return "/api/v1/plugins/com.example.a/1.0";
    },
    method: "PATCH",
    changes: [{ notes: "one" }, { notes: "two", channel: "stable" }],
    removed: true,
  },
  {
    name: "a rule of alarms",
    async make(p) {
      assertEquals((await p.call("PUT", "/api/v1/alarm-rules/mine", rule)).status, 200);
      return "/api/v1/alarm-rules/mine";
    },
    method: "PUT",
    changes: [{ ...rule, raiseAt: 30 }, { ...rule, raiseAt: 40 }],
    removed: true,
  },
  {
    name: "the policy",
    make: () => Promise.resolve("/api/v1/distribution/policy"),
    method: "PUT",
    changes: [target("ops1.example:1"), target("ops2.example:1")],
    removed: false,
  },
  {
    name: "a webhook",
    async make(p) {
      const url = "https://hooks.example/";
      const { id } = await made(p, "/api/v1/webhooks", { url, events: ["gateway.online"] });
      return `/api/v1/webhooks/${id}`;
    },
    method: "PATCH",
    changes: [{ description: "one" }, { events: ["gateway.offline"], enabled: false }],
    removed: true,
  },
  {
    name: "the brakes of a rollout",
    async make(p) {
      await p.call("POST", "/api/v1/gateways", { mac: MAC, sn: `64D954-${MAC}`, loid: "L1" });
      const { id } = await made(p, "/api/v1/rollouts", {
        name: "one",
        action: { kind: "uninstall", plugin: "p" },
        stages: [{ percent: 100 }],
      });
      return `/api/v1/rollouts/${id}`;
    },
    method: "PATCH",
    changes: [{ maxInFlight: 7 }, { stages: [{ errorThreshold: 33 }] }],
    removed: false,
  },
  {
    name: "a provider of short messages",
    async make(p) {
      await made(p, "/api/v1/sms/accounts", { spId: "901234", secret: "secret12", spCode: "1062" });
      return "/api/v1/sms/accounts/901234";
    },
    method: "PATCH",
    changes: [{ window: 5 }, { window: 6 }],
    removed: true,
  },
  {
    name: "a route of short messages",
    async make(p) {
      const { id } = await made(p, "/api/v1/sms/routes", {
        kind: "mt",
        first: "1380000",
        target: "local",
      });
      return `/api/v1/sms/routes/${id}`;
    },
    method: "PUT",
    changes: [
      { kind: "mt", first: "1380001", target: "local" },
      { kind: "mt", first: "1380002", target: "local" },
    ],
    removed: true,
  },
];

function start(): Promise<TestPlatform> {
  return testPlatform({
    settings: {
      services: [...DEFAULT_SERVICES, "sms"],
      sms: { listen: local, short: local, gatewayCode: "001001" },
    },
  });
}

async function ask(
  p: TestPlatform,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
) {
  const response = await fetch(p.url + path, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    // A server that compresses by itself weakens the tag: it is taken back either way.
    etag: response.headers.get("etag")?.replace(/^W\//, ""),
    body: text === "" ? undefined : JSON.parse(text),
  };
}

Deno.test("what operators edit has an ETag, and is not changed or removed where somebody else was quicker", async (t) => {
  await using p = await start();
  for (const { name, make, method, changes: [one, two], removed } of THINGS) {
    await t.step(name, async () => {
      const path = await make(p), first = await ask(p, "GET", path, {});
      assertEquals(first.status, 200, JSON.stringify(first.body));
      const etag = first.etag!;
      assertMatch(etag, /^"[\w.]+"$/);
      const same = await ask(p, "GET", path, { "if-none-match": `"other", ${etag}` });
      assertEquals([same.status, same.body, same.etag], [304, undefined, etag]);

      const changed = await ask(p, method, path, { "if-match": etag }, one);
      assertEquals(changed.status, 200, JSON.stringify(changed.body));
      assertNotEquals(changed.etag, etag);
      const now = await ask(p, "GET", path, { "if-none-match": etag });
      assertEquals([now.status, now.etag], [200, changed.etag]);

      for (const stale of [etag, `W/${etag}`, '"nonsense"', "nonsense", '""']) {
        const refused = await ask(p, method, path, { "if-match": stale }, two);
        assertEquals([refused.status, refused.body.code], [412, "precondition_failed"], stale);
      }
      if (removed) assertEquals((await ask(p, "DELETE", path, { "if-match": etag })).status, 412);
      assertEquals((await ask(p, "GET", path, {})).body, now.body);

      assertEquals((await ask(p, method, path, { "if-match": "*" }, one)).status, 200);
      assertEquals((await ask(p, method, path, {}, two)).status, 200);
      if (!removed) return;
      const last = (await ask(p, "GET", path, {})).etag!;
      assertEquals((await ask(p, "DELETE", path, { "if-match": `"x", ${last}` })).status, 204);
      assert([404, 412].includes((await ask(p, "DELETE", path, { "if-match": last })).status));
    });
  }
});

Deno.test("of many changes at once with one ETag exactly one is made", async (t) => {
  await using p = await start();
  for (const { name, make, method, changes } of THINGS) {
    await t.step(name, async () => {
      const path = await make(p);
      await ask(p, method, path, {}, changes[0]);
      const { etag } = await ask(p, "GET", path, {});
      const racing = await Promise.all(
        Array.from({ length: 8 }, () => ask(p, method, path, { "if-match": etag! }, changes[1])),
      );
      assertEquals(racing.map(({ status }) => status).sort(), [200, ...Array(7).fill(412)]);
    });
  }
});

Deno.test("what a gateway does meanwhile keeps nobody from editing it, but is shown", async () => {
  await using p = await start();
  const path = await THINGS[0]!.make(p), { etag } = await ask(p, "GET", path, {});
  await made(p, "/api/v1/tags", { filter: `mac==${MAC}`, add: ["pilot"] });
  const tagged = await ask(p, "GET", path, { "if-none-match": etag! });
  assertEquals([tagged.status, tagged.body.tags], [200, ["pilot"]]);
  assertEquals((await ask(p, "PATCH", path, { "if-match": etag! }, { region: "north" })).status, 200);
});

Deno.test("a rule is made only where there is none with If-None-Match, and a policy restored or drained only as seen", async () => {
  await using p = await start();
  const path = "/api/v1/alarm-rules/mine";
  assertEquals((await ask(p, "PUT", path, { "if-match": '"x"' }, rule)).status, 412);
  assertEquals((await ask(p, "PUT", path, { "if-match": "*" }, rule)).status, 412);
  const racing = await Promise.all(
    Array.from({ length: 5 }, () => ask(p, "PUT", path, { "if-none-match": "*" }, rule)),
  );
  assertEquals(racing.map(({ status }) => status).sort(), [200, 412, 412, 412, 412]);

  const policy = "/api/v1/distribution/policy", two = { address: "ops1.example:1" };
  const both = {
    rules: [{ name: "all", match: {}, targets: [{ ...two, weight: 1 }, { address: "b:1", weight: 1 }] }],
  };
  const { etag: seen } = await ask(p, "PUT", policy, {}, both);
  const { etag: now } = await ask(p, "PUT", policy, {}, both);
  const restore = `${policy}/versions/${JSON.parse(seen!)}/restore`;
  assertEquals((await ask(p, "POST", restore, { "if-match": seen! })).status, 412);
  assertEquals((await ask(p, "POST", "/api/v1/distribution/drain", { "if-match": seen! }, two)).status, 412);
  const drained = await ask(p, "POST", "/api/v1/distribution/drain", { "if-match": now! }, two);
  assertEquals(drained.status, 200);
  assertEquals((await ask(p, "POST", restore, { "if-match": drained.etag! })).status, 200);
});

Deno.test("nobody approves other brakes than they looked at, where they say what that was", async () => {
  await using p = await start();
  await made(p, "/api/v1/gateways", { mac: MAC, sn: `64D954-${MAC}`, loid: "L1" });
  const { key } = await made(p, "/api/v1/keys", {
    name: "maker",
    permissions: ["rollouts:write", "rollouts:read", "plugins:install"],
  });
  const as = { authorization: `Bearer ${key}` };
  const { body: { id } } = await ask(p, "POST", "/api/v1/rollouts", as, {
    name: "one",
    action: { kind: "uninstall", plugin: "p" },
    needsApproval: true,
    maxInFlight: 1,
  });
  const path = `/api/v1/rollouts/${id}`;
  assertEquals((await ask(p, "POST", `${path}/start`, as)).body.status, "approval");
  const { id: approver } = await made(p, "/api/v1/operators", {
    ...{ name: "ann", password: "correct horse battery", role: "admin" },
  });
  const { token } = await made(p, "/api/v1/sessions", { name: "ann", password: "correct horse battery" });
  const ann = { authorization: `Bearer ${token}` };
  const { etag } = await ask(p, "GET", path, ann);
  assertEquals((await ask(p, "PATCH", path, as, { maxInFlight: 500 })).status, 200);
  const blind = await ask(p, "POST", `${path}/approve`, { ...ann, "if-match": etag! });
  assertEquals([blind.status, blind.body.code], [412, "precondition_failed"]);
  const seen = await ask(p, "GET", path, ann);
  assertEquals([seen.body.status, seen.body.approvedBy], ["approval", null]);
  const approved = await ask(p, "POST", `${path}/approve`, { ...ann, "if-match": seen.etag! });
  assertEquals([approved.body.status, approved.body.approvedBy], ["running", `operator:${approver}`]);
});
