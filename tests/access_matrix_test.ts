/**
 * Every route times everybody who may come: who is let in is computed from what the OpenAPI document says of each
 * operation (`x-permissions`, `x-unconfined`), and asked of a real server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_SERVICES } from "../src/platform/mod.ts";
import { ALL_PERMISSIONS, ROLE_NAMES, ROLES } from "../src/platform/people/mod.ts";
import { type Document, fitting, type Operation, operationsOf } from "./support/openapi.ts";
import { ADMIN_TOKEN, realDeps, type TestPlatform, testPlatform } from "./support/platform.ts";

const PASSWORD = "correct horse battery";
const [OWN, OTHER] = ["64D954000001", "64D954000002"] as const;
/** Routes whose parts run only where somebody asks for them belong to the matrix too. */
const local = { host: "127.0.0.1", port: 0 };
const SETTINGS = {
  services: [...DEFAULT_SERVICES, "sms" as const, "gns" as const],
  sms: { listen: local, short: local, peer: local, gns: local, gatewayCode: "001001" },
};
/** Requests at once. */
const AT_ONCE = 16;

interface Somebody {
  readonly name: string;
  readonly token: string | undefined;
  readonly permissions: readonly string[];
  readonly confined?: boolean;
  /** The token is no longer good, or never was. */
  readonly refused?: boolean;
}

async function document(platform: TestPlatform): Promise<Document> {
  return await (await fetch(`${platform.url}/openapi.json`)).json();
}

async function made(platform: TestPlatform, path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await platform.call("POST", path, body);
  assert(answer.status < 300, `POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function preset(platform: TestPlatform): Promise<void> {
  await made(platform, "/api/v1/gateways", [
    { mac: OWN, sn: "64D954-OWN", loid: "LOID1", region: "north", model: "OwnModel" },
    { mac: OTHER, sn: "64D954-OTHER", loid: "LOID2", region: "south", model: "OtherModel" },
  ]);
  await made(platform, "/api/v1/groups", { name: "north" });
  await made(platform, "/api/v1/groups/north/members", { add: [OWN] });
  await made(platform, "/api/v1/groups", { name: "south", filter: "region==south" });
  await made(platform, "/api/v1/tags", { filter: "region==south", add: ["southern-tag"] });
}

async function operator(platform: TestPlatform, name: string, role: string, groups: string[] | null) {
  await made(platform, "/api/v1/operators", { name, password: PASSWORD, role, groups });
  return String((await made(platform, "/api/v1/sessions", { name, password: PASSWORD }))["token"]);
}

const key = async (platform: TestPlatform, permissions: readonly string[], more: object = {}) =>
  await made(platform, "/api/v1/keys", { name: "matrix", permissions, ...more });

/** Everybody who may come. */
async function everybody(platform: TestPlatform, wait: (ms: number) => Promise<void>): Promise<Somebody[]> {
  const all: Somebody[] = [
    { name: "nobody", token: undefined, permissions: [] },
    { name: "the token of the settings", token: ADMIN_TOKEN, permissions: ALL_PERMISSIONS },
    { name: "a made-up token", token: "ghk_made-up-token", permissions: [], refused: true },
  ];
  for (const role of ROLE_NAMES) {
    const permissions = ROLES[role];
    all.push({ name: role, token: await operator(platform, `${role}.all`, role, null), permissions });
    const token = await operator(platform, `${role}.north`, role, ["north"]);
    all.push({ name: `${role}, confined`, token, permissions, confined: true });
  }
  for (const permission of ALL_PERMISSIONS) {
    const { key: token } = await key(platform, [permission]);
    all.push({ name: `key: ${permission}`, token: String(token), permissions: [permission] });
  }
  await made(platform, "/app/v1/users", { name: "li.wei", password: PASSWORD });
  const { token: user } = await made(platform, "/app/v1/sessions", { name: "li.wei", password: PASSWORD });
  all.push({ name: "app user", token: String(user), permissions: ["user"] });

  const revoked = await key(platform, ALL_PERMISSIONS);
  assertEquals((await platform.call("DELETE", `/api/v1/keys/${revoked["id"]}`)).status, 204);
  all.push({ name: "revoked key", token: String(revoked["key"]), permissions: [], refused: true });
  const expiresAt = new Date(Date.now() + 1000).toISOString();
  const expired = await key(platform, ALL_PERMISSIONS, { expiresAt });
  const disabled = await operator(platform, "gone", "admin", null);
  const { items } = (await platform.call("GET", "/api/v1/operators?limit=100")).body as {
    items: { id: string; name: string }[];
  };
  const { id } = items.find(({ name }) => name === "gone")!;
  assertEquals((await platform.call("PATCH", `/api/v1/operators/${id}`, { disabled: true })).status, 200);
  all.push({ name: "disabled operator", token: disabled, permissions: [], refused: true });
  await wait(Date.parse(expiresAt) - Date.now() + 1);
  all.push({ name: "expired key", token: String(expired["key"]), permissions: [], refused: true });
  return all;
}

/** What the door answers; `in`: it lets them in. */
function expected(operation: Operation, who: Somebody): string {
  const { permissions } = operation;
  if (permissions === undefined) {
    // "optional" looks at a token where there is one; what is public does not.
    return "in";
  }
  if (who.token === undefined) return "401 missing_token";
  if (who.refused) return "401 invalid_token";
  if (!permissions.some((permission) => who.permissions.includes(permission))) return "403 forbidden";
  return operation.unconfined && who.confined ? "403 confined" : "in";
}

/** What the door says: a parameter that no route knows is refused right behind it, so that nothing is done. */
async function knock(platform: TestPlatform, { method, path, body }: Operation, token: string | undefined) {
  const type = body && Object.keys(body.content)[0]!.replace("*/*", "application/octet-stream");
  const response = await fetch(
    `${platform.url}${path.replace(/\{\w+\}/g, "x")}?no-such-parameter=1`,
    {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(type === undefined ? {} : { "content-type": type }),
      },
      ...(body ? { body: "{}" } : {}),
    },
  );
  const text = await response.text();
  const { code } = text === "" ? { code: "" } : JSON.parse(text) as { code: string };
  return response.status === 400 && code === "invalid_request" && text.includes("no-such-parameter")
    ? "in"
    : `${response.status} ${code}`;
}

async function inParallel<T>(jobs: readonly T[], work: (job: T) => Promise<void>): Promise<void> {
  const left = [...jobs];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await work(job);
  }));
}

Deno.test("every route lets in exactly those that its permissions name", async () => {
  await using platform = await testPlatform({ settings: SETTINGS });
  await preset(platform);
  const clock = realDeps().clock;
  const wait = (ms: number) => new Promise<void>((resolve) => clock.setTimer(resolve, ms));
  const operations = operationsOf(await document(platform)), people = await everybody(platform, wait);
  assert(operations.length > 130, `only ${operations.length} operations`);
  const known = new Set<string>([...ALL_PERMISSIONS, "user"]);
  for (const { method, path, permissions, unconfined } of operations) {
    for (const permission of permissions ?? []) {
      assert(known.has(permission), `${method} ${path} asks for "${permission}"`);
    }
    if (path.startsWith("/app/")) assert(!unconfined && (permissions?.join() ?? "user") === "user", path);
    else if (path.startsWith("/api/") && permissions === undefined) {
      assertEquals(`${method} ${path}`, "POST /api/v1/sessions");
    }
  }
  const wrong: string[] = [];
  const jobs = operations.flatMap((operation) => people.map((who) => [operation, who] as const));
  const counts: Record<string, number> = {};
  await inParallel(jobs, async ([operation, who]) => {
    const said = await knock(platform, operation, who.token);
    let due = expected(operation, who);
    // Health is told to everybody, but a token that is shown has to be good.
    if (operation.path === "/healthz" && who.refused) due = "401 invalid_token";
    counts[said] = (counts[said] ?? 0) + 1;
    if (said !== due) {
      wrong.push(`${operation.method} ${operation.path} for ${who.name}: ${said}, not ${due}`);
    }
  });
  assertEquals(wrong, []);
  // Each outcome was there: a door that is always open or shut would not get here.
  assert(
    ["in", "401 missing_token", "401 invalid_token", "403 forbidden", "403 confined"].every((outcome) =>
      counts[outcome]! >= 20
    ),
    JSON.stringify(counts),
  );
});

/** A request that fits the schema, about the gateway that is not one's own. */
function request({ method, path, parameters, body }: Operation, doc: Document, mac: string) {
  const one = (schema: Record<string, unknown>) =>
    fc.sample(fitting(doc, schema), { seed: 7, numRuns: 1 })[0];
  let filled = path;
  const query = new URLSearchParams();
  for (const { name, in: place, schema, required } of parameters) {
    const value = name === "mac" ? mac : name === "version" ? "1.0" : name === "name" ? "some" : one(schema);
    if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(String(value)));
    else if (name === "wait") query.set("wait", "1");
    else if (required) query.set(name, String(value));
  }
  const json = body?.content["application/json"];
  const search = query.size > 0 ? `?${query}` : "";
  return { method, path: filled + search, body: json ? one(json) as Record<string, unknown> : undefined };
}

Deno.test("whoever is confined to a group is told of another's gateway, on every route, what is told of none", async () => {
  await using platform = await testPlatform({ settings: SETTINGS });
  await preset(platform);
  const doc = await document(platform);
  const operations = operationsOf(doc)
    .filter(({ path }) => path.startsWith("/api/") && path.includes("{mac}"));
  assert(operations.length >= 20, `only ${operations.length} operations`);
  const token = await operator(platform, "north", "admin", ["north"]);
  const ask = async (bearer: string, { method, path, body }: ReturnType<typeof request>) => {
    const response = await fetch(platform.url + path, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const stream = response.headers.get("content-type")?.startsWith("text/event-stream");
    const text = stream ? (await response.body?.cancel(), "") : await response.text();
    // deno-lint-ignore no-explicit-any -- answers of every route
    return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as any };
  };
  const absent = "64D95400FFFF";
  for (const operation of operations) {
    const name = `${operation.method} ${operation.path}`;
    const foreign = await ask(token, request(operation, doc, OTHER));
    const none = await ask(token, request(operation, doc, absent));
    assertEquals([foreign.status, foreign.body.code], [404, "gateway_not_found"], name);
    assertEquals([none.status, none.body.code], [404, "gateway_not_found"], name);
    assertEquals(foreign.body.detail.replaceAll(OTHER, "MAC"), none.body.detail.replaceAll(absent, "MAC"));
  }
  // The very same requests find the gateway where they come from somebody who may see it; the last ones remove it.
  const rank = ({ method, path }: Operation) =>
    path.endsWith("/restore") ? 2 : method === "DELETE" && path.endsWith("{mac}") ? 1 : 0;
  for (const operation of operations.toSorted((one, other) => rank(one) - rank(other))) {
    const { status, body } = await ask(ADMIN_TOKEN, request(operation, doc, OTHER));
    const name = `${operation.method} ${operation.path}: ${status} ${JSON.stringify(body).slice(0, 300)}`;
    assert(body.code !== "gateway_not_found" && status !== 400, name);
  }
});

Deno.test("nothing that can be listed tells whoever is confined to a group of another's gateway", async () => {
  await using platform = await testPlatform({ settings: SETTINGS });
  await preset(platform);
  const token = await operator(platform, "north", "admin", ["north"]);
  const command = await platform.call("POST", `/api/v1/gateways/${OTHER}/commands`, {
    parameter: { CmdType: "QUERY_CPU_INFO" },
  });
  assertEquals(command.status, 202);
  const rollout = await made(platform, "/api/v1/rollouts", {
    name: "secret-rollout",
    action: { kind: "uninstall", plugin: "secret-plugin" },
  });
  const get = async (bearer: string, path: string) => {
    const response = await fetch(platform.url + path, { headers: { authorization: `Bearer ${bearer}` } });
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
      await response.body?.cancel();
      return { status: response.status, text: "" };
    }
    return { status: response.status, text: await response.text() };
  };
  const secret =
    /64D954000002|64D954-OTHER|LOID2|OtherModel|southern-tag|"south"|secret-rollout|secret-plugin/;
  const doc = await document(platform);
  let shown = 0;
  for (const { method, path, parameters, unconfined } of operationsOf(doc)) {
    if (method !== "GET" || !path.startsWith("/api/") || path.includes("{")) continue;
    if (parameters.some(({ required }) => required)) continue;
    const [confined, free] = [await get(token, path), await get(ADMIN_TOKEN, path)];
    assertEquals(confined.status, unconfined ? 403 : free.status, path);
    assert(!secret.test(confined.text), `${path}: ${secret.exec(confined.text)}`);
    if (secret.test(free.text)) shown++;
  }
  // So that it is known that these words would have been found.
  assert(shown >= 5, `only ${shown} lists had anything to hide`);
  for (const path of [`commands/${command.body["id"]}`, `rollouts/${rollout["id"]}`]) {
    for (const more of ["", "/events"]) {
      assertEquals((await get(token, `/api/v1/${path}${more}`)).status, 404, path + more);
      assertEquals((await get(ADMIN_TOKEN, `/api/v1/${path}${more}`)).status, 200, path + more);
    }
  }
});

Deno.test("nobody makes or overrules somebody who may do more than they", async () => {
  await using platform = await testPlatform({ settings: SETTINGS });
  await preset(platform);
  const confined = await operator(platform, "north", "admin", ["north"]);
  const { key: people } = await key(platform, ["people:write"]);
  const chief = await made(platform, "/api/v1/operators", {
    name: "chief",
    password: PASSWORD,
    role: "admin",
  });
  const machine = await key(platform, ["gateways:read"]);
  for (const token of [confined, String(people)]) {
    const as = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(platform.url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return [response.status, text === "" ? "" : JSON.parse(text).code];
    };
    const beyond = [403, "beyond_own_rights"];
    const fresh = { name: "fresh", password: PASSWORD, role: "viewer" };
    assertEquals(await as("POST", "/api/v1/operators", fresh), beyond);
    assertEquals(await as("POST", "/api/v1/operators", { ...fresh, groups: ["south"] }), beyond);
    assertEquals(
      await as("PATCH", `/api/v1/operators/${chief["id"]}`, { password: "another good one" }),
      beyond,
    );
    assertEquals(await as("DELETE", `/api/v1/operators/${chief["id"]}`), beyond);
    assertEquals(await as("DELETE", `/api/v1/keys/${machine["id"]}`), beyond);
    assertEquals(await as("POST", "/api/v1/keys", { name: "x", permissions: ["gateways:read"] }), beyond);
  }
  assertEquals(
    (await platform.call("PATCH", `/api/v1/operators/${chief["id"]}`, { role: "viewer" })).status,
    200,
  );
});
