import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { CommandStore, GatewayStore, registryMigrations, type RegistryTables } from "../registry/mod.ts";
import type { ChannelOutcome, PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Commander, type CommandRequest, keepCommands } from "./mod.ts";

const MAC = "64D954000001", DAY = 86_400_000;
const OK: ChannelOutcome = { kind: "reply", reply: { result: 0, parameter: { Status: "0" } } };
const BUSY: ChannelOutcome = { kind: "reply", reply: { result: -5 } };
const LOST: ChannelOutcome = { kind: "lost", reason: "closed" };
const post = (name: string, more: Partial<CommandRequest> = {}): CommandRequest => ({
  mac: MAC,
  kind: "post",
  plugin: name,
  version: "1.0",
  parameter: { CmdType: "X" },
  actor: "admin",
  timeoutMs: 60_000,
  ...more,
});

/** A commander over a gateway that is on its channel; the test ends each exchange. */
async function setUp(answer?: (plugin: string) => ChannelOutcome | Promise<ChannelOutcome>) {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: { ...silentLog }, metrics: new Metrics() };
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  const db = await testDatabase<RegistryTables>(registryMigrations);
  const store = new CommandStore(db.sql);
  const running: string[] = [], ends = new Map<string, () => void>();
  bus.respond("access.trigger", () => Promise.resolve("accepted"));
  bus.respond("channel.exchange", ({ message }) => {
    const name = "plugin" in message ? message.plugin : "";
    running.push(name);
    if (stage.answer) return Promise.resolve(stage.answer(name));
    return new Promise((resolve) => ends.set(name, () => resolve(OK)));
  });
  const start = () => Commander.start(deps, { store, bus, packageOf: () => Promise.resolve(undefined) });
  let commander = await start(), orphans = 0;
  const open = (mac = MAC) => bus.publish("channel.opened", { mac });
  open();
  const stop = async () => {
    const stopping = commander[Symbol.asyncDispose]();
    await clock.advance(10_000);
    await stopping;
  };
  const stage = {
    answer,
    clock,
    db,
    store,
    running,
    deps,
    bus,
    open,
    gateways: new GatewayStore(db.sql, clock),
    create: (request: CommandRequest) => commander.create(request),
    cancel: (id: string) => commander.cancel(id),
    row: async (id: string) => (await store.find(id))!,
    end: async (name: string) => {
      ends.get(name)!();
      await clock.advance(1);
    },
    async restart() {
      // What the one before waits for on its exchanges it waits for until the end.
      orphans += ends.size;
      await stop();
      commander = await start();
      open();
      await clock.advance(1);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      assertEquals(clock.pendingTimers, orphans);
      await db[Symbol.asyncDispose]();
    },
  };
  return stage;
}

Deno.test("a gateway has one command in flight, whatever they are and whoever asks, and its next when that has ended", async () => {
  await using stage = await setUp();
  const kinds = ["post", "run", "stop", "uninstall", "factory", "configure", "post"] as const;
  // Saying so makes nothing concurrent that is no post.
  for (const [no, kind] of kinds.entries()) {
    const { status } = await stage.create(
      post(`p${no}`, { kind, concurrent: kind !== "post", actor: `a${no}` }),
    );
    assertEquals(status, no === 0 ? "sent" : "queued");
  }
  for (const no of kinds.keys()) {
    await stage.clock.advance(1);
    assertEquals(stage.running.at(-1), `p${no}`);
    assertEquals(stage.running.length, no + 1);
    await stage.end(`p${no}`);
  }
  // Other gateways wait for none of this.
  await stage.create(post("here"));
  stage.open("64D954000002");
  assertEquals((await stage.create(post("there", { mac: "64D954000002" }))).status, "sent");
  for (const name of ["here", "there"]) await stage.end(name);
});

Deno.test("posts that say so run beside each other; any other waits for those before it and holds up those behind it", async () => {
  await using stage = await setUp();
  const beside = { concurrent: true };
  for (const name of ["a", "b"]) await stage.create(post(name, beside));
  const { id, status } = await stage.create(post("alone"));
  await stage.create(post("c", beside));
  await stage.create(post("last"));
  await stage.clock.advance(1);
  assertEquals([status, stage.running], ["queued", ["a", "b"]]);
  await stage.end("a");
  assertEquals(stage.running, ["a", "b"]);
  await stage.end("b");
  assertEquals(stage.running, ["a", "b", "alone"]);
  await stage.end("alone");
  assertEquals((await stage.row(id)).status, "succeeded");
  assertEquals(stage.running, ["a", "b", "alone", "c"]);
  await stage.end("c");
  assertEquals(stage.running, ["a", "b", "alone", "c", "last"]);
  // The first on an idle gateway goes out at once, and holds up the next.
  await stage.end("last");
  assertEquals((await stage.create(post("now"))).status, "sent");
  assertEquals((await stage.create(post("then", beside))).status, "queued");
  for (const name of ["now", "then"]) await stage.end(name);
});

Deno.test("a post that says it is repeatable is sent again where its answer was lost, as often as it says, others never", async () => {
  await using stage = await setUp(() => LOST);
  const once = await stage.create(post("once"));
  const often = await stage.create(
    post("often", { repeatable: true, retry: { attempts: 5, delayMs: 100 } }),
  );
  await stage.clock.advance(10);
  assertEquals(stage.running.filter((name) => name === "once").length, 1);
  assertEquals(stage.running.filter((name) => name === "often").length, 5);
  for (const [id, repeatable, attempt] of [[once.id, 0, 1], [often.id, 1, 5]] as const) {
    const row = await stage.row(id);
    assertEquals([row.status, row.error_code, row.repeatable, row.attempt], [
      "failed",
      "outcome_unknown",
      repeatable,
      attempt,
    ]);
  }
  const events = await stage.store.events(often.id);
  assertEquals(events.map(({ attempt, reason }) => [attempt, reason]), [
    [1, "lost"],
    [2, "lost"],
    [3, "lost"],
    [4, "lost"],
  ]);
});

Deno.test("a busy gateway is asked again after the pause, if the request says so, within attempts and deadline", async () => {
  const answers = [BUSY, BUSY, OK];
  await using stage = await setUp((name) => name === "patient" ? answers.shift() ?? BUSY : BUSY);
  const impatient = await stage.create(post("impatient"));
  const patient = await stage.create(post("patient", { retry: { attempts: 3, delayMs: 5000 } }));
  await stage.clock.advance(1);
  assertEquals((await stage.row(impatient.id)).error_code, "gateway_busy");
  assertEquals((await stage.row(patient.id)).status, "queued");
  await stage.clock.advance(4998);
  assertEquals(stage.running.filter((name) => name === "patient").length, 1);
  await stage.clock.advance(10_000);
  const row = await stage.row(patient.id);
  assertEquals([row.status, row.attempt], ["succeeded", 3]);

  const late = await stage.create(post("late", { timeoutMs: 6000, retry: { attempts: 9, delayMs: 5000 } }));
  await stage.clock.advance(5002);
  const ended = await stage.row(late.id);
  assertEquals([ended.status, ended.error_code, ended.attempt], ["failed", "gateway_busy", 2]);

  const unwanted = await stage.create(post("unwanted", { retry: { attempts: 9, delayMs: 5000 } }));
  await stage.clock.advance(1);
  assertEquals(await stage.cancel(unwanted.id), true);
  await stage.clock.advance(6000);
  assertEquals((await stage.row(unwanted.id)).status, "cancelled");
  assertEquals(stage.running.filter((name) => name === "unwanted").length, 1);
});

Deno.test("a repeatable post that was under way goes on after a restart, and its row says why", async () => {
  await using stage = await setUp();
  const { id } = await stage.create(post("p", { repeatable: true }));
  await stage.clock.advance(1);
  await stage.restart();
  assertEquals(stage.running, ["p", "p"]);
  await stage.end("p");
  const row = await stage.row(id);
  assertEquals([row.status, row.attempt], ["succeeded", 2]);
  assertEquals((await stage.store.events(id)).map(({ reason }) => reason), ["restarted"]);
});

Deno.test("ended commands go after their days, with their events, and open ones stay", async () => {
  await using stage = await setUp((name) => name === "lost" ? LOST : OK);
  const old = await stage.create(post("lost", { repeatable: true }));
  await stage.clock.advance(10);
  const open = await stage.create(post("rests", { mac: "64D954000002", timeoutMs: 100 * DAY }));
  const keeping = keepCommands(stage.deps, stage.store, 30 * DAY);
  stage.clock.jump(31 * DAY);
  const young = await stage.create(post("young"));
  await stage.clock.advance(3_600_000);
  for (let i = 0; i < 5; i++) await stage.clock.advance(100);
  assertEquals(await stage.store.find(old.id), undefined);
  assertEquals(await stage.db.sql.selectFrom("command_event").selectAll().execute(), []);
  assertEquals([(await stage.row(open.id)).status, (await stage.row(young.id)).status], [
    "queued",
    "succeeded",
  ]);
  await stage.cancel(open.id);
  await keeping[Symbol.asyncDispose]();
});

Deno.test("what waits for a gateway that is removed, or gets another LOID, is cancelled and never sent", async () => {
  for (const why of ["gateway_removed", "gateway_reassigned"] as const) {
    await using stage = await setUp((plugin) => plugin === "busy" ? BUSY : OK);
    const mac = "64D954000002", preset = { mac, sn: "64D954-2", loid: "L2" };
    await stage.gateways.preset([preset]);
    const queued = await stage.create(post("queued", { mac }));
    if (why === "gateway_removed") await stage.gateways.remove(mac);
    else await stage.gateways.reassign(mac, { loid: "L3" });
    // On disk with the gateway's own row: a process that dies here leaves nothing to be sent.
    assertEquals([(await stage.row(queued.id)).status, (await stage.row(queued.id)).error_code], [
      "cancelled",
      why,
    ]);
    stage.bus.publish("gateway.changed", {
      ...{ mac, removed: why === "gateway_removed" },
      ...(why === "gateway_removed" ? {} : { reassigned: true }),
    });
    // Another customer's, by now.
    await stage.gateways.preset([{ ...preset, loid: "L9" }]);
    stage.open(mac);
    await stage.clock.advance(120_000);
    assertEquals(stage.running, []);
    assertEquals((await stage.row(queued.id)).error_code, why);
    const theirs = await stage.create(post("theirs", { mac }));
    await stage.clock.advance(1);
    assertEquals([stage.running, (await stage.row(theirs.id)).status], [["theirs"], "succeeded"]);
  }
});

Deno.test("what was under way when its gateway was removed ends as what is known of it, and is not sent again", async () => {
  const ends: ((outcome: ChannelOutcome) => void)[] = [];
  await using stage = await setUp();
  stage.answer = () => new Promise((resolve) => ends.push(resolve));
  const outcomes: [ChannelOutcome, string, string][] = [
    [LOST, "failed", "outcome_unknown"],
    [{ kind: "closed" }, "cancelled", "gateway_removed"],
    [BUSY, "failed", "gateway_busy"],
  ];
  for (const [no, [outcome, status, code]] of outcomes.entries()) {
    const mac = `64D95400001${no}`;
    stage.open(mac);
    const { id } = await stage.create(
      post("p", { mac, repeatable: true, retry: { attempts: 3, delayMs: 1000 } }),
    );
    await stage.clock.advance(1);
    stage.bus.publish("gateway.changed", { mac, removed: true });
    ends[no]!(outcome);
    await stage.clock.advance(5000);
    const row = await stage.row(id);
    assertEquals([row.status, row.error_code, ends.length], [status, code, no + 1]);
  }
});

Deno.test("each line in the log about a command has its gateway's MAC", async () => {
  await using stage = await setUp();
  const lines: Record<string, unknown>[] = [];
  const { update, note } = stage.store;
  stage.deps.log.warn = stage.deps.log.error = (_, fields = {}) => void lines.push(fields);
  stage.answer = () => {
    stage.store.update = () => Promise.reject(new Error("disk full"));
    stage.store.note = () => Promise.reject(new Error("disk full"));
    return Promise.resolve(lines.length === 0 ? LOST : OK);
  };
  const { id } = await stage.create(post("p", { repeatable: true }));
  await stage.clock.advance(1500);
  stage.store.update = update;
  stage.store.note = note;
  stage.answer = () => OK;
  await stage.clock.advance(5000);
  assertEquals((await stage.row(id)).status, "succeeded");
  assertEquals(lines.length >= 3, true, JSON.stringify(lines));
  for (const fields of lines) assertEquals([fields["mac"], fields["command"]], [MAC, id]);
});
