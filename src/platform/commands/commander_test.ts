import { assertEquals, assertRejects } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { type Database } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { CommandStore, registryMigrations, type RegistryTables } from "../registry/mod.ts";
import type {
  ChannelOutcome,
  ChannelRequest,
  PlatformEvents,
  PlatformRequests,
  TriggerOutcome,
} from "../subjects.ts";
import { Commander, CommandError, type CommandRequest } from "./mod.ts";

const MAC = "64D954000001";
const POST: CommandRequest = {
  mac: MAC,
  kind: "post",
  plugin: "p",
  version: "1.0",
  parameter: { CmdType: "X" },
  actor: "admin",
  timeoutMs: 60_000,
};

/** A commander over a gateway whose answers the test gives. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly deps: Deps = {
    clock: this.clock,
    random: seededRandom(1),
    log: silentLog,
    metrics: new Metrics(),
  };
  readonly bus = new LocalBus<PlatformEvents, PlatformRequests>(this.clock, silentLog);
  readonly triggers: string[] = [];
  readonly exchanges: ChannelRequest[] = [];
  triggerOutcome: TriggerOutcome = "accepted";
  /** How the gateway answers; by default: done. */
  answer: (message: ChannelRequest) => Promise<ChannelOutcome> | ChannelOutcome = () => ok();
  store!: CommandStore;
  commander!: Commander;

  private constructor(readonly db: Database<RegistryTables>) {
    this.bus.respond("access.trigger", ({ mac }) => {
      this.triggers.push(mac);
      return Promise.resolve(this.triggerOutcome);
    });
    this.bus.respond("channel.exchange", ({ message }) => {
      this.exchanges.push(message);
      return Promise.resolve(this.answer(message));
    });
  }

  static async open(): Promise<Stage> {
    const stage = new Stage(await testDatabase<RegistryTables>(registryMigrations));
    await stage.start();
    return stage;
  }

  async start(): Promise<void> {
    this.store = new CommandStore(this.db.sql);
    this.commander = await Commander.start(this.deps, {
      store: this.store,
      bus: this.bus,
      packageOf: (_, version) =>
        Promise.resolve(version === "9.9" ? undefined : { url: "http://p/x.js", size: 3, sha256: "ab" }),
    });
  }

  connect(): void {
    this.bus.publish("channel.opened", { mac: MAC });
  }

  row(id: string) {
    return this.store.find(id).then((row) => row!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = this.commander[Symbol.asyncDispose]();
    await this.clock.advance(10_000);
    await stopping;
    assertEquals(this.clock.pendingTimers, 0);
    await this.db[Symbol.asyncDispose]();
  }
}

function ok(parameter: Record<string, unknown> = { Status: "0" }): ChannelOutcome {
  return { kind: "reply", reply: { result: 0, parameter } };
}

Deno.test("a command waits for its gateway, triggers it once, and goes out when the channel opens", async () => {
  await using stage = await Stage.open();
  const { id, status } = await stage.commander.create(POST);
  await stage.commander.create(POST);
  await stage.clock.advance(1000);
  assertEquals([status, stage.triggers.length, stage.exchanges.length], ["queued", 1, 0]);
  assertEquals((await stage.row(id)).status, "queued");
  stage.connect();
  await stage.clock.advance(1);
  const row = await stage.row(id);
  assertEquals([row.status, row.attempt, row.reply, stage.exchanges.length], [
    "succeeded",
    1,
    '{"Status":"0"}',
    2,
  ]);
});

Deno.test("a row says that its command was sent before the gateway can have got it", async () => {
  await using stage = await Stage.open();
  stage.connect();
  const seen: string[] = [];
  let created = "";
  stage.answer = async () => {
    seen.push((await stage.db.sql.selectFrom("command").select("status").executeTakeFirstOrThrow()).status);
    return ok();
  };
  created = (await stage.commander.create(POST)).id;
  await stage.clock.advance(1);
  assertEquals([seen, (await stage.row(created)).status], [["sent"], "succeeded"]);
});

Deno.test("an offline gateway is triggered when it comes online, a silent one again after a pause", async () => {
  await using stage = await Stage.open();
  stage.triggerOutcome = "offline";
  await stage.commander.create({ ...POST, timeoutMs: 3_600_000 });
  await stage.clock.advance(600_000);
  assertEquals(stage.triggers.length, 1);
  assertEquals(stage.commander.connection(MAC), { state: "connecting", reason: "the gateway is offline" });
  stage.triggerOutcome = "unanswered";
  stage.bus.publish("presence.changed", { mac: MAC, online: true });
  await stage.clock.advance(5_000);
  assertEquals(stage.triggers.length, 3);
  stage.connect();
  await stage.clock.advance(60_000);
  assertEquals([stage.triggers.length, stage.commander.connection(MAC)], [3, { state: "connected" }]);
});

Deno.test("a post whose answer was lost is not sent twice; what can be repeated is, three times", async () => {
  await using stage = await Stage.open();
  stage.connect();
  stage.answer = () => ({ kind: "lost", reason: "reset" });
  const post = await stage.commander.create(POST),
    stop = await stage.commander.create({ ...POST, kind: "stop" });
  await stage.clock.advance(10);
  const [first, second] = [await stage.row(post.id), await stage.row(stop.id)];
  assertEquals([first.status, first.error_code, first.attempt], ["failed", "outcome_unknown", 1]);
  assertEquals([second.status, second.error_code, second.attempt], ["failed", "outcome_unknown", 3]);
});

Deno.test("results of the gateway become failures with their own codes", async () => {
  await using stage = await Stage.open();
  stage.connect();
  const codes = [];
  for (const result of [-5, -12, -16, -100, -4, -6, -17, -1]) {
    stage.answer = () => ({ kind: "reply", reply: { result } });
    const { id } = await stage.commander.create(POST);
    await stage.clock.advance(1);
    const row = await stage.row(id);
    codes.push([row.status, row.result, row.error_code]);
  }
  assertEquals(codes, [
    ["failed", -5, "gateway_busy"],
    ["failed", -12, "plugin_absent"],
    ["failed", -16, "plugin_not_running"],
    ["failed", -100, "plugin_timeout"],
    ["failed", -4, "storage_full"],
    ["failed", -6, "bad_version"],
    ["failed", -17, "install_failed"],
    ["failed", -1, "gateway_error"],
  ]);
});

Deno.test("an installation is followed by its percentage to the end, then run", async () => {
  await using stage = await Stage.open();
  stage.connect();
  const percents = [10, 60, 100], seen: (number | null)[] = [];
  stage.bus.subscribe(
    "command.changed",
    ({ id }) => void stage.commander.find(id).then((row) => seen.push(row!.progress)),
  );
  stage.answer = ({ method }) => ({
    kind: "reply",
    reply: { result: method === "Install_query" ? percents.shift()! : method === "Install" ? 1 : 0 },
  });
  const { id } = await stage.commander.create({ ...POST, kind: "install" });
  await stage.clock.advance(2000);
  const row = await stage.row(id);
  assertEquals([row.status, row.progress, row.acked_at !== null], ["succeeded", 100, true]);
  assertEquals(stage.exchanges.map(({ method }) => method), [
    "Install",
    "Install_query",
    "Install_query",
    "Install_query",
    "Run",
  ]);
  assertEquals(seen.includes(10) && seen.includes(60), true);
  const missing = await stage.commander.create({ ...POST, kind: "install", version: "9.9" });
  await stage.clock.advance(1);
  assertEquals((await stage.row(missing.id)).error_code, "bad_version");
});

Deno.test("a command is followed from where it is through each percent to its end", async () => {
  await using stage = await Stage.open();
  const percents = [0, 0, 45, 45, 90, 100];
  stage.answer = ({ method }) => ({
    kind: "reply",
    reply: { result: method === "Install_query" ? percents.shift()! : method === "Install" ? 1 : 0 },
  });
  const { id } = await stage.commander.create({ ...POST, kind: "install" });
  const seen: string[] = [], { signal } = new AbortController();
  const following = (async () => {
    for await (const { status, progress } of stage.commander.follow(id, signal)) {
      seen.push(`${status} ${progress}`);
    }
  })();
  await stage.clock.advance(1);
  assertEquals(seen, ["queued null"]);
  stage.connect();
  // In steps no larger than the pauses between looks, so that none is told together with the next.
  for (let i = 0; i < 200; i++) await stage.clock.advance(5);
  await following;
  assertEquals(seen.slice(-6), [
    "acked null",
    "acked 0",
    "acked 45",
    "acked 90",
    "acked 100",
    "succeeded 100",
  ]);
  // Whoever comes when it is over hears its end; whoever asks for none, nothing; whoever goes away is not kept.
  const end = await Array.fromAsync(stage.commander.follow(id, signal));
  assertEquals(end.map(({ status }) => status), ["succeeded"]);
  assertEquals(await Array.fromAsync(stage.commander.follow("nobody", signal)), []);
  const { id: waiting } = await stage.commander.create({ ...POST, mac: "64D954000009" });
  const gone = new AbortController();
  const left = Array.fromAsync(stage.commander.follow(waiting, gone.signal));
  await stage.clock.advance(1);
  gone.abort();
  assertEquals((await left).length, 1);
  await stage.commander.cancel(waiting);
});

Deno.test("an installation under way is given up when that is asked for, unless the gateway says it is too late", async () => {
  for (const [late, end] of [[false, "cancelled"], [true, "succeeded"]] as const) {
    await using stage = await Stage.open();
    stage.connect();
    let looks = 0;
    stage.answer = ({ method }) => ({
      kind: "reply",
      reply: {
        result: method === "Install_query"
          ? Math.min(20 * ++looks, 100)
          : method === "Install_cancel" && late
          ? -1
          : 0,
      },
    });
    const { id } = await stage.commander.create({ ...POST, kind: "install" });
    await stage.clock.advance(20);
    assertEquals(await stage.commander.cancel(id), true);
    await stage.clock.advance(10_000);
    assertEquals((await stage.row(id)).status, end);
    assertEquals(stage.exchanges.some(({ method }) => method === "Install_cancel"), true);
    assertEquals(await stage.commander.cancel(id), false);
  }
});

Deno.test("after a restart waiting commands go on, and posts under way are told as unknown", async () => {
  const stage = await Stage.open();
  const hanging = Promise.withResolvers<ChannelOutcome>();
  const waiting = await stage.commander.create({ ...POST, mac: "64D954000002" });
  stage.connect();
  stage.answer = () => hanging.promise;
  const post = await stage.commander.create(POST),
    stop = await stage.commander.create({ ...POST, kind: "stop" });
  await stage.clock.advance(1);
  // The process ends here without a word: another one starts over the same database.
  const old = stage.commander;
  stage.answer = () => ok();
  await stage.start();
  await stage.store.flush();
  assertEquals((await stage.row(post.id)).error_code, "outcome_unknown");
  assertEquals([(await stage.row(stop.id)).status, (await stage.row(waiting.id)).status], [
    "queued",
    "queued",
  ]);
  stage.connect();
  await stage.clock.advance(10);
  assertEquals((await stage.row(stop.id)).status, "succeeded");
  const late = await stage.commander.find(waiting.id);
  assertEquals(late?.status, "queued");
  const disposed = old[Symbol.asyncDispose]();
  await stage.clock.advance(70_000);
  await disposed;
  assertEquals((await stage.row(waiting.id)).error_code, "not_delivered");
  await stage[Symbol.asyncDispose]();
});

Deno.test("a full queue refuses, a stopping platform refuses, and what fails to be written is no command", async () => {
  const stage = await Stage.open();
  for (let i = 0; i < 1000; i++) await stage.commander.create(POST);
  const full = await assertRejects(() => stage.commander.create(POST), CommandError);
  assertEquals(full.code, "queue_full");
  const insert = stage.store.insert;
  stage.store.insert = () => Promise.reject(new Error("disk full"));
  await assertRejects(() => stage.commander.create({ ...POST, mac: "64D954000009" }), Error, "disk full");
  stage.store.insert = insert;
  await stage[Symbol.asyncDispose]();
  const stopping = await assertRejects(() => stage.commander.create(POST), CommandError);
  assertEquals(stopping.code, "stopping");
});

Deno.test("waiting ends with the command, with its time, or with its caller", async () => {
  await using stage = await Stage.open();
  const { id } = await stage.commander.create(POST);
  const gone = new AbortController();
  const [timed, left, done] = [
    stage.commander.wait(id, 50),
    stage.commander.wait(id, 50_000, gone.signal),
    stage.commander.wait(id, 50_000),
  ];
  await stage.clock.advance(50);
  assertEquals((await timed)?.status, "queued");
  gone.abort();
  assertEquals((await left)?.status, "queued");
  stage.connect();
  await stage.clock.advance(1);
  assertEquals((await done)?.status, "succeeded");
  assertEquals(await stage.commander.wait("nobody", 10), undefined);
});

Deno.test("a clock that is set, forward or back, neither ends a command nor gives it more time", async () => {
  await using s = await Stage.open();
  for (const jump of [3_600_000, -3_600_000]) {
    // Waits for its channel while the clock jumps, and is sent with the time that it has left.
    const waiting = await s.commander.create(POST);
    s.clock.jump(jump);
    await s.clock.advance(30_000);
    assertEquals((await s.commander.find(waiting.id))?.status, "queued");
    s.triggerOutcome = "offline";
    const late = await s.commander.create({ ...POST, timeoutMs: 20_000 });
    await s.clock.advance(25_000);
    assertEquals((await s.commander.find(late.id))?.status, "timed_out");
    s.bus.publish("channel.opened", { mac: MAC });
    await s.clock.advance(1);
    assertEquals((await s.commander.find(waiting.id))?.status, "succeeded");
    s.bus.publish("channel.closed", { mac: MAC, reason: "the test" });
    s.triggerOutcome = "accepted";
  }
});
