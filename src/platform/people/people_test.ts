import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { Api, tokenAuthenticator } from "../../control/mod.ts";
import { type Database } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { AuditLog } from "./audit.ts";
import {
  type People,
  peopleMigrations,
  type PeopleSettings,
  type PeopleTables,
  ROLE_NAMES,
  ROLES,
  ROOT,
  startPeople,
} from "./mod.ts";

const DAY_MS = 86_400_000;
const ADMIN_TOKEN = "the-administrators", PASSWORD = "correct horse battery";

const isJson = ({ headers }: Response) =>
  /^application\/(problem\+)?json/.test(headers.get("content-type") ?? "");

/** The API of operators, keys and audit over a real database. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly people: People;
  readonly api: Api;

  private constructor(readonly db: Database<PeopleTables>, settings: PeopleSettings) {
    const deps: Deps = {
      clock: this.clock,
      random: seededRandom(1),
      log: silentLog,
      metrics: new Metrics(),
    };
    this.people = startPeople(deps, db.sql, { scrypt: { n: 16, r: 1, p: 1 }, ...settings });
    this.api = new Api(deps, {
      title: "Test",
      version: "1",
      authenticators: [tokenAuthenticator(ADMIN_TOKEN, ROOT), ...this.people.authenticators],
      audit: (call) => this.people.record(call),
      checkReplies: true,
    });
    this.api.mount("", this.people.routes);
  }

  static async open(settings: PeopleSettings = {}): Promise<Stage> {
    return new Stage(await testDatabase<PeopleTables>(peopleMigrations), settings);
  }

  async call(method: string, path: string, token?: string, body?: unknown, address = "10.0.0.1") {
    const response = await this.api.request(`/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }, { address });
    const text = await response.text();
    // deno-lint-ignore no-explicit-any -- what an answer holds is what each test checks
    return { status: response.status, body: (isJson(response) ? JSON.parse(text) : text) as any };
  }

  /** Adds an operator and signs in. */
  async operator(name: string, role: string, groups: string[] | null = null) {
    const made = await this.call("POST", "/operators", ADMIN_TOKEN, {
      name,
      password: PASSWORD,
      role,
      groups,
    });
    assertEquals(made.status, 201);
    const { body } = await this.call("POST", "/sessions", undefined, { name, password: PASSWORD });
    return { id: made.body.id as string, token: body.token as string };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.people[Symbol.asyncDispose]();
    await this.db[Symbol.asyncDispose]();
  }
}

Deno.test("an operator signs in, has the role's permissions and the groups, and signs out", async () => {
  await using stage = await Stage.open();
  const { token } = await stage.operator("Li.Wei", "support", ["north"]);
  assertMatch(token, /^gho_[\w-]{43}$/);
  const me = await stage.call("GET", "/me", token);
  assertEquals([me.body.name, me.body.groups], ["li.wei", ["north"]]);
  assertEquals(me.body.permissions, [...ROLES.support]);
  assertEquals((await stage.call("GET", "/operators", token)).status, 403);
  assertEquals((await stage.call("DELETE", "/sessions/current", token)).status, 204);
  assertEquals((await stage.call("GET", "/me", token)).status, 401);
});

Deno.test("each role may do what it may and nothing else, on every route of people", async () => {
  await using stage = await Stage.open();
  for (const role of ROLE_NAMES) {
    const { token } = await stage.operator(`one.${role.replace("_", "")}`, role);
    for (const { method, path, auth } of stage.people.routes.routes) {
      if (typeof auth === "string") continue;
      // Ended sessions would fail for another reason.
      if (path === "/api/v1/sessions/current") continue;
      const may = auth.some((permission) => (ROLES[role] as readonly string[]).includes(permission));
      const { status } = await stage.call(method, path.slice("/api/v1".length).replace("{id}", "x"), token);
      assertEquals(status === 403, !may, `${role}: ${method} ${path} gave ${status}`);
    }
  }
});

Deno.test("a disabled operator is out at once, and so is one whose password was changed", async () => {
  await using stage = await Stage.open();
  const { id, token } = await stage.operator("li.wei", "viewer");
  const disabled = await stage.call("PATCH", `/operators/${id}`, ADMIN_TOKEN, { disabled: true });
  assertEquals([disabled.status, disabled.body.disabled], [200, true]);
  assertEquals((await stage.call("GET", "/me", token)).status, 401);
  const credentials = { name: "li.wei", password: PASSWORD };
  assertEquals((await stage.call("POST", "/sessions", undefined, credentials)).status, 401);
  await stage.call("PATCH", `/operators/${id}`, ADMIN_TOKEN, { disabled: false });
  const { body } = await stage.call("POST", "/sessions", undefined, credentials);
  const changed = await stage.call("PUT", "/me/password", body.token, {
    current: PASSWORD,
    password: "another fine one",
  });
  assertEquals(changed.status, 200);
  assertEquals((await stage.call("GET", "/me", body.token)).status, 401);
  assertEquals((await stage.call("GET", "/me", changed.body.token)).status, 200);
  assertEquals((await stage.call("POST", "/sessions", undefined, credentials)).status, 401);
});

Deno.test("guessing a password locks the name for longer and longer, and tells nobody whether it exists", async () => {
  await using stage = await Stage.open();
  await stage.operator("li.wei", "viewer");
  const answers = new Map<string, number[]>();
  for (const name of ["li.wei", "nobody.here"]) {
    for (let i = 0; i < 7; i++) {
      const { status } = await stage.call(
        "POST",
        "/sessions",
        undefined,
        { name, password: "wrong one" },
        `10.0.${i}.1`,
      );
      answers.set(name, [...answers.get(name) ?? [], status]);
    }
  }
  assertEquals(answers.get("li.wei"), [401, 401, 401, 401, 401, 429, 429]);
  assertEquals(answers.get("nobody.here"), answers.get("li.wei"));
});

Deno.test("nobody takes away their own rights, and an administrator may not be locked out by a typing error", async () => {
  await using stage = await Stage.open();
  const { id, token } = await stage.operator("chief", "admin");
  assertEquals((await stage.call("PATCH", `/operators/${id}`, token, { role: "viewer" })).status, 409);
  assertEquals((await stage.call("PATCH", `/operators/${id}`, token, { disabled: true })).status, 409);
  assertEquals((await stage.call("DELETE", `/operators/${id}`, token)).status, 409);
  assertEquals((await stage.call("DELETE", `/operators/${id}`, ADMIN_TOKEN)).status, 204);
  assertEquals((await stage.call("GET", "/me", token)).status, 401);
});

Deno.test("an API key does what it was made for until it ends or is revoked, and never more than its maker", async () => {
  await using stage = await Stage.open();
  const end = new Date(stage.clock.now() + 3_600_000).toISOString();
  const made = await stage.call("POST", "/keys", ADMIN_TOKEN, {
    name: "billing",
    permissions: ["audit:read"],
    expiresAt: end,
  });
  assertEquals(made.status, 201);
  assertMatch(made.body.key, /^ghk_[\w-]{43}$/);
  const { key, id } = made.body;
  assertEquals((await stage.call("GET", "/audit", key)).status, 200);
  assertEquals((await stage.call("GET", "/operators", key)).status, 403);
  const list = await stage.call("GET", "/keys", ADMIN_TOKEN);
  assert(!JSON.stringify(list.body).includes(key));
  await stage.clock.advance(3_600_000);
  assertEquals((await stage.call("GET", "/audit", key)).status, 401);
  const second = await stage.call("POST", "/keys", ADMIN_TOKEN, { name: "x", permissions: ["people:write"] });
  const beyond = await stage.call("POST", "/keys", second.body.key, {
    name: "y",
    permissions: ["audit:read"],
  });
  assertEquals([beyond.status, beyond.body.code], [403, "beyond_own_rights"]);
  assertEquals((await stage.call("DELETE", `/keys/${second.body.id}`, ADMIN_TOKEN)).status, 204);
  assertEquals((await stage.call("GET", "/keys", second.body.key)).status, 401);
  assertEquals((await stage.call("DELETE", `/keys/${id}`, ADMIN_TOKEN)).status, 204);
  const late = {
    name: "z",
    permissions: ["audit:read"],
    expiresAt: new Date(stage.clock.now()).toISOString(),
  };
  assertEquals((await stage.call("POST", "/keys", ADMIN_TOKEN, late)).status, 422);
});

Deno.test("a key confined to groups makes no key for others", async () => {
  await using stage = await Stage.open();
  const permissions = ["people:write"];
  const north = await stage.call("POST", "/keys", ADMIN_TOKEN, { name: "n", permissions, groups: ["north"] });
  for (const groups of [null, ["south"], ["north", "south"]]) {
    assertEquals(
      (await stage.call("POST", "/keys", north.body.key, { name: "x", permissions, groups })).status,
      403,
    );
  }
  assertEquals(
    (await stage.call("POST", "/keys", north.body.key, { name: "x", permissions, groups: ["north"] })).status,
    201,
  );
});

Deno.test("the audit tells who changed what, before and after, holds no secrets, and pages", async () => {
  await using stage = await Stage.open();
  const { id } = await stage.operator("li.wei", "viewer");
  await stage.call("PATCH", `/operators/${id}`, ADMIN_TOKEN, {
    role: "operator",
    password: "another fine one",
  });
  const { body } = await stage.call("GET", "/audit?limit=1", ADMIN_TOKEN);
  const [entry] = body.items;
  assertEquals(
    [entry.actor, entry.action, entry.target, entry.status, entry.address],
    ["admin", "PATCH /api/v1/operators/{id}", `/api/v1/operators/${id}`, 200, "10.0.0.1"],
  );
  assertEquals([entry.before.role, entry.after.role, entry.after.password], [
    "viewer",
    "operator",
    "changed",
  ]);
  const older = await stage.call("GET", `/audit?cursor=${body.next}`, ADMIN_TOKEN);
  assertEquals(older.body.items.map((e: { action: string }) => e.action), [
    "session.opened",
    "POST /api/v1/operators",
  ]);
  const rows = JSON.stringify([
    await stage.db.sql.selectFrom("audit").selectAll().execute(),
    await stage.db.sql.selectFrom("operator_session").selectAll().execute(),
  ]);
  assert(!rows.includes(PASSWORD) && !rows.includes("another fine one") && !rows.includes("gho_"));
});

Deno.test("an audit entry that is changed, taken out, put in or cut off shows", async () => {
  await using stage = await Stage.open();
  for (const name of ["a.one", "b.two", "c.three"]) await stage.operator(name, "viewer");
  const intact = (await stage.call("GET", "/audit/verify", ADMIN_TOKEN)).body;
  assertEquals([intact.entries, intact.intact, intact.brokenAt], [6, true, null]);
  const { sql } = stage.db;
  const third = await sql.selectFrom("audit").selectAll().where("seq", "=", 3).executeTakeFirstOrThrow();
  await sql.updateTable("audit").set({ actor: "somebody" }).where("seq", "=", 3).execute();
  assertEquals((await stage.call("GET", "/audit/verify", ADMIN_TOKEN)).body.brokenAt, 3);
  await sql.deleteFrom("audit").where("seq", "=", 3).execute();
  assertEquals((await stage.call("GET", "/audit/verify", ADMIN_TOKEN)).body.brokenAt, 3);
  await sql.insertInto("audit").values(third).execute();
  assertEquals((await stage.call("GET", "/audit/verify", ADMIN_TOKEN)).body.head, intact.head);
  await sql.deleteFrom("audit").where("seq", "=", 6).execute();
  const cut = (await stage.call("GET", "/audit/verify", ADMIN_TOKEN)).body;
  assert(cut.intact && cut.head !== intact.head, "only the head that was kept elsewhere shows this");
});

Deno.test("two nodes that write the audit at once make one chain", async () => {
  await using stage = await Stage.open();
  const logs = [1, 2, 3].map(() => new AuditLog(stage.db.sql, stage.clock));
  const entry = {
    actor: "a",
    actor_name: "a",
    action: "x",
    target: "/",
    status: 200,
    address: "",
    request_id: "r",
  };
  await Promise.all(Array.from({ length: 60 }, (_, i) => logs[i % 3]!.add({ ...entry, after: i })));
  const verdict = await stage.people.audit.verify();
  assertEquals([verdict.entries, verdict.intact], [60, true]);
});

Deno.test("the export is the whole log, a line an entry, the oldest first", async () => {
  await using stage = await Stage.open();
  await stage.operator("a.one", "viewer");
  const { status, body } = await stage.call("GET", "/audit/export", ADMIN_TOKEN);
  assertEquals(status, 200);
  const lines = body.trim().split("\n");
  assertEquals(lines.map((line: string) => JSON.parse(line).seq), [1, 2]);
});

Deno.test("old entries of the audit are removed, and what is left is still proved to be whole", async () => {
  await using stage = await Stage.open({ auditDays: 30 });
  const numbers = async () =>
    (await stage.db.sql.selectFrom("audit").select("seq").orderBy("seq").execute()).map(({ seq }) => seq);
  const verify = async () => (await stage.call("GET", "/audit/verify", ADMIN_TOKEN)).body;
  for (const name of ["a.one", "b.two"]) await stage.operator(name, "viewer");
  await stage.clock.advance(20 * DAY_MS);
  await stage.operator("c.three", "viewer");
  assertEquals(await numbers(), [1, 2, 3, 4, 5, 6]);
  const { audit } = stage.people, old = stage.clock.now() - 10 * DAY_MS;
  assertEquals(await audit.forgetBefore(old), 4);
  assertEquals(await numbers(), [5, 6, 7]);
  assertEquals([await audit.forgetBefore(old), await numbers()], [0, [5, 6, 7]]);
  assertEquals([(await verify()).entries, (await verify()).intact], [3, true]);
  const { sql } = stage.db;
  // What somebody takes out besides shows: whether it is the first that is left, or the entry that tells of the cut.
  for (const seq of [5, 7]) {
    const row = await sql.selectFrom("audit").selectAll().where("seq", "=", seq).executeTakeFirstOrThrow();
    await sql.deleteFrom("audit").where("seq", "=", seq).execute();
    assertEquals((await verify()).intact, false, String(seq));
    await sql.insertInto("audit").values(row).execute();
  }
  // Cut off halfway by a crash: written down, but not yet removed.
  await audit.forgetBefore(stage.clock.now() + 1);
  const [first] = await sql.selectFrom("audit").selectAll().orderBy("seq").execute();
  await sql.insertInto("audit").values({ ...first!, seq: 3 }).execute();
  assertEquals((await verify()).intact, true);
  await audit.forgetBefore(old);
  assertEquals((await numbers())[0], 7);
});

Deno.test("an audit is kept for its days by itself, and without a setting for ever", async () => {
  for (const [auditDays, left] of [[0, 2], [1, 2], [undefined, 2]] as const) {
    await using stage = await Stage.open({ auditDays });
    await stage.operator("a.one", "viewer");
    await stage.clock.advance(2 * DAY_MS);
    await stage.people[Symbol.asyncDispose]();
    const rows = await stage.db.sql.selectFrom("audit").selectAll().orderBy("seq").execute();
    assertEquals(rows.length, left);
    assertEquals(rows.at(-1)?.action === "audit.cut", auditDays === 1);
  }
});
