/**
 * Rollouts over HTTP: who may do what with them, and what the audit keeps.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ask } from "./support/ask.ts";
import { type TestPlatform, testPlatform } from "./support/platform.ts";

const PASSWORD = "correct horse battery";
const mac = (n: number) => `64D95400000${n}`;
const POST = { kind: "post", parameter: { CmdType: "X" } };

interface Rollout {
  id: string;
  status: string;
  code?: string;
  detail?: string;
  counts: Record<string, number>;
  // deno-lint-ignore no-explicit-any -- what an answer holds is what each test checks
  [name: string]: any;
}

/** Calls as whoever has `token`. */
const as = (
  platform: TestPlatform,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Rollout }> => ask(`${platform.url}/api/v1`, method, path, body, token);

/** Takes a plug-in "p" into the repository. */
async function upload(platform: TestPlatform, version: string): Promise<void> {
  const source = `export const manifest = { name: "p", version: "${version}", apiVersion: "2026-11-01",
    commands: { A: { right: "remote" } } };
    export const commands = { A: () => ({}) };`;
  const { status, body } = await platform.call("POST", "/api/v1/plugins", new TextEncoder().encode(source));
  assertEquals(status, 201, JSON.stringify(body));
}

async function setUp() {
  const platform = await testPlatform();
  await platform.call(
    "POST",
    "/api/v1/gateways",
    [1, 2, 3].map((n) => ({ mac: mac(n), sn: `64D954-S${n}`, loid: `LOID${n}` })),
  );
  return {
    platform,
    async operator(name: string, role = "admin") {
      await platform.call("POST", "/api/v1/operators", { name, password: PASSWORD, role });
      const { body } = await platform.call("POST", "/api/v1/sessions", { name, password: PASSWORD });
      return String(body["token"]);
    },
    key: async (by: string, permissions: readonly string[]) => {
      const { status, body } = await as(platform, by, "POST", "/keys", { name: "k", permissions });
      assertEquals(status, 201, JSON.stringify(body));
      return String(body["key"]);
    },
    make: async (by: string, more: object = {}) => {
      const { status, body } = await as(platform, by, "POST", "/rollouts", {
        ...{ name: "r", action: POST },
        ...more,
      });
      assertEquals(status, 201, JSON.stringify(body));
      return body.id;
    },
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

Deno.test("nobody approves what they made themselves, be it with a key of theirs or with a key that a key made", async () => {
  await using stage = await setUp();
  const { platform } = stage, ann = await stage.operator("ann"), bob = await stage.operator("bob");
  const all = ["rollouts:write", "rollouts:approve", "commands:run", "people:write"];
  const key = await stage.key(ann, all), keys = await stage.key(key, all), other = await stage.key(bob, all);
  for (const maker of [ann, key, keys]) {
    const id = await stage.make(maker, { needsApproval: true });
    assertEquals((await as(platform, maker, "POST", `/rollouts/${id}/start`)).body.status, "approval");
    for (const approver of [ann, key, keys]) {
      const { status, body } = await as(platform, approver, "POST", `/rollouts/${id}/approve`);
      assertEquals([status, body.code], [409, "rollout_own"]);
    }
    const { body } = await as(platform, maker === key ? other : bob, "POST", `/rollouts/${id}/approve`);
    assertEquals(body.status, "running");
  }
});

Deno.test("whoever may not do it to one gateway lets no rollout do it either: not by start, resume, retry, roll-back, or other brakes", async () => {
  await using stage = await setUp();
  const { platform } = stage, ann = await stage.operator("ann");
  await upload(platform, "1.0");
  const actions = [
    [POST, "commands:run"],
    [{ kind: "install", plugin: "p", version: "1.0" }, "plugins:install"],
    [{ kind: "redistribute", address: "ops2.example:12113" }, "gateways:write"],
  ] as const;
  for (const [action, needed] of actions) {
    const bare = await stage.key(ann, ["rollouts:write", "rollouts:read"]);
    const able = await stage.key(ann, ["rollouts:write", needed]);
    assertEquals((await as(platform, bare, "POST", "/rollouts", { name: "r", action })).status, 403);
    const id = await stage.make(ann, { action, startAt: new Date(Date.now() + 3_600_000).toISOString() });
    const denied = async (method: string, path = "") => {
      const { status, body } = await as(platform, bare, method, `/rollouts/${id}${path}`, {});
      assertEquals([status, body.code], [403, "forbidden"], path);
      assertStringIncludes(body.detail!, needed);
    };
    await denied("POST", "/start");
    assertEquals((await as(platform, able, "POST", `/rollouts/${id}/start`)).body.status, "scheduled");
    // Brakes may be pulled by whoever sees to rollouts.
    assertEquals((await as(platform, bare, "POST", `/rollouts/${id}/pause`)).body.status, "paused");
    for (const act of ["/resume", "/retry", "/rollback"]) await denied("POST", act);
    await denied("PATCH");
    assertEquals((await as(platform, able, "PATCH", `/rollouts/${id}`, { perMinute: 5 })).status, 200);
    assertEquals((await as(platform, bare, "POST", `/rollouts/${id}/abort`)).body.status, "aborted");
  }
});

Deno.test("brakes are edited while a rollout does not run, and the audit has them before and after", async () => {
  await using stage = await setUp();
  const { platform } = stage, ann = await stage.operator("ann");
  const id = await stage.make(ann, {
    stages: [{ name: "pilot", percent: 40 }, { percent: 60 }],
    window: { days: [1], from: "01:00", to: "02:00" },
  });
  const edit = (body: unknown) => as(platform, ann, "PATCH", `/rollouts/${id}`, body);
  const edited = await edit({
    ...{ perMinute: 7, maxInFlight: 2, window: null },
    stages: [{ successThreshold: 50 }, { errorThreshold: 100 }],
  });
  assertEquals([edited.status, edited.body["perMinute"], edited.body["maxInFlight"], edited.body["window"]], [
    ...[200, 7, 2],
    null,
  ]);
  const thresholds = (edited.body["stages"] as { successThreshold: number; errorThreshold: number }[])
    .map(({ successThreshold, errorThreshold }) => [successThreshold, errorThreshold]);
  assertEquals(thresholds, [[50, 10], [90, 100]]);
  const { body: audit } = await as(platform, ann, "GET", "/audit?limit=1");
  const [entry] = audit["items"];
  assertEquals([entry.action, entry.before.perMinute, entry.after.perMinute], [
    "PATCH /api/v1/rollouts/{id}",
    ...[600, 7],
  ]);

  for (
    const wrong of [{ perMinute: 0 }, { maxInFlight: 5001 }, { stages: [{ successThreshold: 101 }] }, {
      name: "x",
    }]
  ) {
    assertEquals((await edit(wrong)).status, 400);
  }
  const stages = await edit({ stages: [{}] });
  assertEquals([stages.status, stages.body.code], [422, "rollout_stages"]);
  assertEquals((await as(platform, ann, "POST", `/rollouts/${id}/start`)).body.status, "running");
  assertEquals((await edit({ perMinute: 8 })).status, 409);
  assertEquals((await as(platform, ann, "PATCH", "/rollouts/none", {})).status, 404);
});

Deno.test("what can't be taken back is refused with a sentence that says why", async () => {
  await using stage = await setUp();
  const { platform } = stage, ann = await stage.operator("ann");
  const actions = [
    [POST, "SETPARAMETERVALUES"],
    [{ kind: "configure", plugin: "p", parameter: { a: "1" } }, "can't be read"],
    [{ kind: "redistribute", address: "ops2.example:12113" }, "no longer here"],
  ] as const;
  for (const [action, why] of actions) {
    const id = await stage.make(ann, { action });
    await as(platform, ann, "POST", `/rollouts/${id}/abort`);
    const { status, body } = await as(platform, ann, "POST", `/rollouts/${id}/rollback`);
    assertEquals([status, body.code], [409, "rollout_irreversible"]);
    assertStringIncludes(body.detail!, why);
  }
  const address = { kind: "redistribute", address: "no port" };
  assertEquals((await as(platform, ann, "POST", "/rollouts", { name: "r", action: address })).status, 400);
});

Deno.test("what waits for a gateway is cancelled when it is removed, or gets another LOID, and is nobody's afterwards", async () => {
  await using stage = await setUp();
  const { platform } = stage, ann = await stage.operator("ann");
  const ask = async (n: number) => {
    const request = { parameter: { CmdType: "X" }, timeoutMs: 600_000 };
    return (await as(platform, ann, "POST", `/gateways/${mac(n)}/commands`, request)).body.id;
  };
  const [removed, reassigned, kept] = [await ask(1), await ask(2), await ask(3)];
  assertEquals((await as(platform, ann, "DELETE", `/gateways/${mac(1)}`)).status, 204);
  assertEquals((await as(platform, ann, "PATCH", `/gateways/${mac(2)}`, { loid: "OTHER" })).status, 200);
  assertEquals(
    (await as(platform, ann, "PATCH", `/gateways/${mac(3)}`, { region: "north", loid: "LOID3" })).status,
    200,
  );
  await as(platform, ann, "POST", "/gateways", { mac: mac(1), sn: "64D954-S1", loid: "NEXT" });
  const end = async (id: string) => {
    const { body } = await as(platform, ann, "GET", `/commands/${id}`);
    return [body.status, body["error"]?.code ?? null];
  };
  assertEquals(await end(removed), ["cancelled", "gateway_removed"]);
  assertEquals(await end(reassigned), ["cancelled", "gateway_reassigned"]);
  assertEquals(await end(kept), ["queued", null]);
});

Deno.test("what the repository lacks is not rolled out: told when it is made, and when it goes where it was removed since", async () => {
  await using stage = await setUp();
  const { platform } = stage, ann = await stage.operator("ann"), bob = await stage.operator("bob");
  await upload(platform, "1.0");
  const action = (plugin: string, version: string) => ({ kind: "install", plugin, version });
  for (const [plugin, version] of [["p", "1.1"], ["q", "1.0"]] as const) {
    const { status, body } = await as(platform, ann, "POST", "/rollouts", {
      name: "r",
      action: action(plugin, version),
    });
    assertEquals([status, body.code], [422, "rollout_plugin"]);
    assertStringIncludes(body.detail!, `the repository has no plug-in "${plugin}" ${version}`);
  }
  const made = (more: object = {}) => stage.make(ann, { action: action("p", "1.0"), ...more });
  const later = { startAt: new Date(Date.now() + 3_600_000).toISOString() };
  const draft = await made(), waiting = await made({ needsApproval: true }), paused = await made(later);
  assertEquals((await as(platform, ann, "POST", `/rollouts/${waiting}/start`)).body.status, "approval");
  assertEquals((await as(platform, ann, "POST", `/rollouts/${paused}/start`)).body.status, "scheduled");
  assertEquals((await as(platform, ann, "POST", `/rollouts/${paused}/pause`)).body.status, "paused");
  assertEquals((await platform.call("DELETE", "/api/v1/plugins/p/1.0")).status, 204);
  const acts = [[draft, "start", "draft"], [waiting, "approve", "approval"], [paused, "resume", "paused"], [
    paused,
    "retry",
    "paused",
  ]] as const;
  for (const [id, act, status] of acts) {
    const refused = await as(platform, bob, "POST", `/rollouts/${id}/${act}`);
    assertEquals([refused.status, refused.body.code], [422, "rollout_plugin"], act);
    assertEquals((await as(platform, ann, "GET", `/rollouts/${id}`)).body.status, status, act);
  }
  await upload(platform, "1.0");
  assertEquals((await as(platform, bob, "POST", `/rollouts/${waiting}/approve`)).body.status, "running");
});
