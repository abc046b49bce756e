import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../../control/mod.ts";
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import { type Database, openDatabase } from "../../storage/mod.ts";
import { Commander, CommandError } from "../commands/mod.ts";
import { problem } from "../../control/mod.ts";
import {
  CommandStore,
  GatewayStore,
  PresenceTable,
  registryMigrations,
  type RegistryTables,
} from "../registry/mod.ts";
import type { ChannelOutcome, PlatformEvents, PlatformRequests, TriggerOutcome } from "../subjects.ts";
import { type App, appMigrations, type AppSettings, startApp } from "./mod.ts";

const MAC = "64D954000001", OTHER = "64D954000002";
const SN = "64D954-S1", LOID = "LOID1";
const RND = "0123456789ABCDEF0123456789ABCDEF", NEXT = "FEDCBA9876543210FEDCBA9876543210";
const PASSWORD = "correct horse battery";

interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any -- what an answer holds is what each test checks
  body: any;
  headers: Headers;
}

/** The app's API over a real database, presence and commander; only the gateway itself is played by the test. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly deps: Deps = {
    clock: this.clock,
    random: seededRandom(1),
    log: silentLog,
    metrics: new Metrics(),
  };
  readonly bus = new LocalBus<PlatformEvents, PlatformRequests>(this.clock, silentLog);
  readonly gateways: GatewayStore;
  readonly presence: PresenceTable;
  triggerOutcome: TriggerOutcome = "accepted";
  answer: () => Promise<ChannelOutcome> | ChannelOutcome = () => ({
    kind: "reply",
    reply: { result: 0, parameter: { CmdType: "X", SequenceId: "1", Status: "0", Percent: "7" } },
  });
  commander!: Commander;
  app!: App;
  api!: Api;

  private constructor(readonly db: Database<RegistryTables>) {
    this.gateways = new GatewayStore(db.sql, this.clock);
    this.presence = new PresenceTable(this.deps, this.gateways, { heartbeatSeconds: 60, onChange: () => {} });
    this.bus.respond("access.trigger", () => Promise.resolve(this.triggerOutcome));
    this.bus.respond("channel.exchange", () => Promise.resolve(this.answer()));
  }

  static async open(settings: Partial<AppSettings> = {}): Promise<Stage> {
    const migrations = { ...registryMigrations, ...appMigrations };
    const stage = new Stage(await openDatabase<RegistryTables>("sqlite::memory:", migrations));
    stage.commander = await Commander.start(stage.deps, {
      store: new CommandStore(stage.db.sql),
      bus: stage.bus,
      packageOf: () => Promise.resolve(undefined),
    });
    const { deps, gateways, presence, commander } = stage;
    stage.app = startApp({ ...deps, gateways, presence }, { sql: stage.db.sql, commander }, {
      scrypt: { n: 16, r: 1, p: 1 },
      signInsPerMinute: 1000,
      ...settings,
    });
    stage.api = new Api(deps, {
      title: "Test",
      version: "1",
      authenticators: [tokenAuthenticator("the-administrators", ADMIN), stage.app.authenticator],
      checkReplies: true,
      mapError: (error) =>
        error instanceof CommandError ? problem(429, error.code, error.message) : undefined,
    });
    stage.api.mount("", stage.app.routes);
    await gateways.preset([
      { mac: MAC, sn: SN, loid: LOID, vendor: "Maker" },
      { mac: OTHER, sn: "64D954-S2", loid: "LOID2" },
    ]);
    stage.register(MAC, SN, LOID);
    return stage;
  }

  /** The gateway has registered at access. */
  register(mac: string, sn: string, loid: string, devRnd = RND, previousDevRnd?: string): void {
    this.presence.register({ mac, sn, loid, hostname: "100.64.0.9", port: 9, devRnd, previousDevRnd });
  }

  async call(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    address = "10.0.0.1",
  ): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await this.api.request(`/app/v1${path}`, init, { address });
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  }

  signIn(name: string, password = PASSWORD, address?: string): Promise<Answer> {
    return this.call("POST", "/sessions", undefined, { name, password }, address);
  }

  /** Signs up and in; the token. */
  async user(name: string): Promise<string> {
    assertEquals((await this.call("POST", "/users", undefined, { name, password: PASSWORD })).status, 201);
    return (await this.signIn(name)).body.token;
  }

  bind(token: string, sn = bindingSn(RND, SN), loid = LOID): Promise<Answer> {
    return this.call("POST", "/bindings", token, { sn, loid });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    const stopping = this.commander[Symbol.asyncDispose]();
    await this.clock.advance(10_000);
    await stopping;
    await this.presence[Symbol.asyncDispose]();
    await this.db[Symbol.asyncDispose]();
    assertEquals(this.clock.pendingTimers, 0);
  }
}

Deno.test("a user signs up once under a name, however it is written, and signs in", async () => {
  await using stage = await Stage.open();
  const made = await stage.call("POST", "/users", undefined, { name: "Li.Wei", password: PASSWORD });
  assertEquals([made.status, made.body.name], [201, "li.wei"]);
  assert(!JSON.stringify(made.body).includes("scrypt"));
  const again = await stage.call("POST", "/users", undefined, {
    name: "LI.wei",
    password: "another fine one",
  });
  assertEquals([again.status, again.body.code], [409, "name_taken"]);
  const { status, body } = await stage.signIn("lI.WeI");
  assertEquals(status, 201);
  assertMatch(body.token, /^ghs_[\w-]{43}$/);
  assertEquals(Date.parse(body.expiresAt), stage.clock.now() + 30 * 86_400_000);
  assertEquals((await stage.call("GET", "/users/me", body.token)).body, made.body);
});

Deno.test("two sign-ups of one name at the same moment make one user", async () => {
  await using stage = await Stage.open();
  const body = { name: "li", password: PASSWORD };
  const three = { ...body, name: "lii" };
  const both = await Promise.all([1, 2].map(() => stage.call("POST", "/users", undefined, three)));
  assertEquals(both.map(({ status }) => status).sort(), [201, 409]);
  assertEquals((await stage.call("POST", "/users", undefined, body)).status, 400);
});

Deno.test("names and passwords that are not fit are refused with the reason", async () => {
  await using stage = await Stage.open();
  for (const name of ["ab", "-abc", "a b c", "a\u0000bc", "x".repeat(65), "<script>", ""]) {
    const { status, body } = await stage.call("POST", "/users", undefined, { name, password: PASSWORD });
    assertEquals([status, body.code], [400, "invalid_request"], name);
  }
  const weak = await stage.call("POST", "/users", undefined, { name: "li.wei", password: "12345678" });
  assertEquals([weak.status, weak.body.code], [422, "weak_password"]);
  const extra = { name: "li.wei", password: PASSWORD, roles: ["admin"] };
  assertEquals((await stage.call("POST", "/users", undefined, extra)).status, 400);
});

Deno.test("tokens and passwords are in the database as hashes only", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  const rows = [];
  for (const table of ["app_user", "app_session"]) {
    rows.push(await stage.db.sql.selectFrom(table as "gateway").selectAll().execute());
  }
  const text = JSON.stringify(rows);
  assert(text.includes("scrypt$") && !text.includes(PASSWORD) && !text.includes(token.slice(4)));
});

Deno.test("a token is good until it is signed out or has run out, and expired ones are swept away", async () => {
  await using stage = await Stage.open({ sessionMs: 2 * 3_600_000 });
  // Its sweeps are not what this is about, and hours of them take their time.
  await stage.presence[Symbol.asyncDispose]();
  const first = await stage.user("li.wei"), second = (await stage.signIn("li.wei")).body.token;
  assertEquals((await stage.call("DELETE", "/sessions/current", first)).status, 204);
  assertEquals((await stage.call("GET", "/users/me", first)).status, 401);
  assertEquals((await stage.call("GET", "/users/me", second)).status, 200);
  const third = (await stage.signIn("li.wei")).body.token;
  assertEquals((await stage.call("DELETE", "/sessions", third)).status, 204);
  for (const token of [second, third]) {
    assertEquals((await stage.call("GET", "/users/me", token)).status, 401);
  }
  const last = (await stage.signIn("li.wei")).body.token;
  await stage.clock.advance(2 * 3_600_000 - 1);
  assertEquals((await stage.call("GET", "/users/me", last)).status, 200);
  await stage.clock.advance(1);
  assertEquals((await stage.call("GET", "/users/me", last)).status, 401);
  await stage.clock.advance(3_600_000);
  assertEquals(await stage.db.sql.selectFrom("app_session" as "gateway").selectAll().execute(), []);
});

Deno.test("signing in on a twenty-first device signs out the oldest", async () => {
  await using stage = await Stage.open();
  const tokens = [await stage.user("li.wei")];
  for (let i = 0; i < 20; i++) {
    await stage.clock.advance(1000);
    tokens.push((await stage.signIn("li.wei")).body.token);
  }
  const statuses = [];
  for (const token of tokens) statuses.push((await stage.call("GET", "/users/me", token)).status);
  assertEquals(statuses, [401, ...Array(20).fill(200)]);
});

Deno.test("wrong passwords lock a name, existing or not, also for the right password, until the wait is over", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  for (const name of ["li.wei", "nobody"]) {
    const codes = [];
    for (let i = 0; i < 7; i++) codes.push((await stage.signIn(name, "wrong horse battery")).body.code);
    assertEquals(codes, [...Array(5).fill("wrong_credentials"), "locked_out", "locked_out"], name);
  }
  const locked = await stage.signIn("li.wei");
  assertEquals([locked.status, locked.headers.get("retry-after")], [429, "60"]);
  await stage.clock.advance(60_000);
  assertEquals((await stage.signIn("li.wei")).status, 201);
});

Deno.test("a burst of guesses at one name is no way around the lock", async () => {
  await using stage = await Stage.open();
  await stage.user("li.wei");
  const all = await Promise.all(
    Array.from({ length: 30 }, (_, i) => stage.signIn("li.wei", `guess number ${i}`)),
  );
  assertEquals(all.filter(({ status }) => status === 401).length, 5);
});

Deno.test("one address can try only so many sign-ins and sign-ups, another address goes on", async () => {
  await using stage = await Stage.open({ signInsPerMinute: 3, signUpsPerHour: 2 });
  const up = (name: string, address: string) =>
    stage.call("POST", "/users", undefined, { name, password: PASSWORD }, address);
  assertEquals((await up("one", "10.0.0.1")).status, 201);
  assertEquals((await up("two", "10.0.0.1")).status, 201);
  const refused = await up("three", "10.0.0.1");
  assertEquals([refused.status, refused.body.code], [429, "too_many_attempts"]);
  assert(refused.headers.get("retry-after"));
  assertEquals((await up("three", "10.0.0.2")).status, 201);
  const tries = [];
  for (const name of ["a-a", "b-b", "c-c", "d-d"]) tries.push((await stage.signIn(name)).status);
  assertEquals(tries, [401, 401, 401, 429]);
  assertEquals((await stage.signIn("one", PASSWORD, "10.0.0.2")).status, 201);
});

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
  assertEquals((await stage.bind(wang)).status, 201);
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
  assertEquals((await stage.bind(wang, bindingSn(RND, SN), "LOID9")).status, 201);
  await stage.gateways.update(MAC, { loid: LOID });
  assertEquals((await stage.call("GET", "/gateways", li)).body, { items: [] });
  await stage.bind(wang);
  await stage.gateways.remove(MAC);
  assertEquals((await stage.call("GET", "/bindings", wang)).body, { items: [] });
});

Deno.test("nobody reaches a gateway that is not theirs, by any route or method, and learns nothing of it", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  stage.bus.publish("channel.opened", { mac: MAC });
  const post = { parameter: { CmdType: "X" } };
  const { id } = (await stage.call("POST", `/gateways/${MAC}/post`, li, post)).body;
  const tries: [string, string, unknown?][] = [
    ["DELETE", "/bindings/{mac}"],
    ["GET", "/gateways/{mac}"],
    ["POST", "/gateways/{mac}/connect"],
    ["GET", "/gateways/{mac}/connection"],
    ["POST", "/gateways/{mac}/post", post],
    ["GET", `/gateways/{mac}/posts/${id}`],
  ];
  const declared = stage.app.routes.routes.filter(({ path }) => path.includes("{mac}"));
  assertEquals(tries.length, declared.length, "a route over {mac} is missing here");
  for (const [method, path, body] of tries) {
    const answers = [];
    for (const mac of [MAC, OTHER, "FFFFFFFFFFFF"]) {
      const answer = await stage.call(method, path.replace("{mac}", mac), wang, body);
      answers.push([answer.status, answer.body.code, answer.body.detail.replace(mac, "")]);
    }
    assertEquals(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1, `${method} ${path}`);
    assertEquals(answers[0]![0], 404, `${method} ${path}`);
    for (const token of [undefined, "ghs_made-up", "the-administrators"]) {
      const { status } = await stage.call(method, path.replace("{mac}", MAC), token, body);
      assertEquals(status, token === "the-administrators" ? 403 : 401, `${method} ${path} ${token}`);
    }
  }
  assertEquals((await stage.call("GET", "/gateways", wang)).body, { items: [] });
});

Deno.test("a post of one owner is not shown to the next one", async () => {
  await using stage = await Stage.open();
  const li = await stage.user("li.wei"), wang = await stage.user("wang.fang");
  await stage.bind(li);
  stage.bus.publish("channel.opened", { mac: MAC });
  const { id } =
    (await stage.call("POST", `/gateways/${MAC}/post`, li, { parameter: { CmdType: "X" } })).body;
  assertEquals((await stage.call("GET", `/gateways/${MAC}/posts/${id}`, li)).status, 200);
  await stage.call("DELETE", `/bindings/${MAC}`, li);
  await stage.bind(wang);
  const refused = await stage.call("GET", `/gateways/${MAC}/posts/${id}`, wang);
  assertEquals([refused.status, refused.body.code], [404, "post_not_found"]);
});

Deno.test("connecting is polled every second for ten, then every five, and given up after a minute", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const state = async () => (await stage.call("GET", `/gateways/${MAC}/connection`, token)).body;
  assertEquals(await state(), { state: "idle" });
  const asked = await stage.call("POST", `/gateways/${MAC}/connect`, token);
  assertEquals([asked.status, asked.body], [202, { state: "connecting", retryAfterMs: 1000 }]);
  assertEquals(asked.headers.get("retry-after"), "1");
  const polls: number[] = [];
  let elapsed = 0;
  for (let shown = asked.body; shown.retryAfterMs !== undefined; shown = await state()) {
    polls.push(shown.retryAfterMs);
    // The gateway goes on beating.
    await stage.clock.advance(shown.retryAfterMs);
    elapsed += shown.retryAfterMs;
    stage.presence.beat(MAC, "100.64.0.9", 9);
  }
  assertEquals(polls, [...Array(10).fill(1000), ...Array(10).fill(5000)]);
  assertEquals(elapsed, 60_000);
  const failed = await state();
  assertEquals([failed.state, failed.reason.code], ["failed", "timed_out"]);
  assertEquals((await stage.call("POST", `/gateways/${MAC}/connect`, token)).body.state, "connecting");
  stage.bus.publish("channel.opened", { mac: MAC });
  assertEquals(await state(), { state: "connected" });
  assertEquals((await stage.call("POST", `/gateways/${MAC}/connect`, token)).body, { state: "connected" });
});

Deno.test("connecting to a gateway that is offline fails at once, and succeeds when it is back in time", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.presence.forget(MAC);
  stage.triggerOutcome = "offline";
  const failed = (await stage.call("POST", `/gateways/${MAC}/connect`, token)).body;
  assertEquals([failed.state, failed.reason.code], ["failed", "gateway_offline"]);
  stage.register(MAC, SN, LOID);
  assertEquals((await stage.call("GET", `/gateways/${MAC}/connection`, token)).body.state, "connecting");
});

Deno.test("a post answers result and decoded reply, and its row names the user", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.bus.publish("channel.opened", { mac: MAC });
  const { status, body } = await stage.call("POST", `/gateways/${MAC}/post`, token, {
    plugin: "system-monitor",
    parameter: { CmdType: "QUERY_CPU_INFO" },
  });
  assertEquals([status, body.status, body.result, body.reply.Percent], [200, "succeeded", 0, "7"]);
  const me = (await stage.call("GET", "/users/me", token)).body;
  const row = await stage.commander.find(body.id);
  assertEquals([row?.actor, row?.plugin, row?.version], [`user:${me.id}`, "system-monitor", "1.0"]);
  stage.answer = () => ({ kind: "reply", reply: { result: -12 } });
  const absent = await stage.call("POST", `/gateways/${MAC}/post`, token, { parameter: { CmdType: "X" } });
  assertEquals([absent.status, absent.body.status, absent.body.result, absent.body.error.code], [
    200,
    "failed",
    -12,
    "plugin_absent",
  ]);
});

Deno.test("a post that the gateway does not answer ends by its time", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.triggerOutcome = "unanswered";
  const asked = stage.call("POST", `/gateways/${MAC}/post`, token, {
    parameter: { CmdType: "X" },
    timeoutMs: 2000,
  });
  await stage.clock.advance(2000);
  const { status, body } = await asked;
  assertEquals([status, body.status, body.error.code], [200, "timed_out", "not_delivered"]);
});

Deno.test("an app that went away while its post was under way finds the answer under its id", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const replied = Promise.withResolvers<ChannelOutcome>();
  stage.answer = () => replied.promise;
  stage.bus.publish("channel.opened", { mac: MAC });
  const gone = new AbortController();
  const request = new Request(`http://localhost/app/v1/gateways/${MAC}/post`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ parameter: { CmdType: "X" } }),
    signal: gone.signal,
  });
  const answer = stage.api.fetch(request);
  await stage.clock.advance(0);
  gone.abort();
  const first = await (await answer).json();
  assertEquals(first.status, "sent");
  replied.resolve({ kind: "reply", reply: { result: 0, parameter: { Status: "0", Late: "yes" } } });
  const later = await stage.call("GET", `/gateways/${MAC}/posts/${first.id}?wait=5`, token);
  assertEquals([later.status, later.body.reply.Late], [200, "yes"]);
});

Deno.test("posts are limited in size, rate and time", async () => {
  await using stage = await Stage.open({ postsPerSecond: 3 });
  const token = await stage.user("li.wei");
  await stage.bind(token);
  stage.bus.publish("channel.opened", { mac: MAC });
  const post = (body: unknown) => stage.call("POST", `/gateways/${MAC}/post`, token, body);
  assertEquals((await post({ parameter: { CmdType: "X", Fill: "x".repeat(70_000) } })).status, 413);
  for (
    const bad of [
      {},
      { parameter: {} },
      { parameter: { CmdType: 7 } },
      { parameter: { CmdType: "X" }, timeoutMs: 3_600_000 },
      { parameter: { CmdType: "X" }, version: "latest" },
      { parameter: { CmdType: "X" }, mac: OTHER },
    ]
  ) assertEquals((await post(bad)).status, 400, JSON.stringify(bad));
  const statuses = [];
  for (let i = 0; i < 5; i++) statuses.push((await post({ parameter: { CmdType: "X" } })).status);
  assertEquals(statuses, [200, 200, 200, 429, 429]);
  await stage.clock.advance(1000);
  assertEquals((await post({ parameter: { CmdType: "X" } })).status, 200);
});
