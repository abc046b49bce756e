import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { CommandStore, registryMigrations, type RegistryTables } from "../registry/mod.ts";
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
async function setUp(answer?: (plugin: string) => ChannelOutcome) {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  const db = await testDatabase<RegistryTables>(registryMigrations);
  const store = new CommandStore(db.sql);
  const running: string[] = [], ends = new Map<string, () => void>();
  bus.respond("access.trigger", () => Promise.resolve("accepted"));
  bus.respond("channel.exchange", ({ message }) => {
    const name = "plugin" in message ? message.plugin : "";
    running.push(name);
    if (answer) return Promise.resolve(answer(name));
    return new Promise((resolve) => ends.set(name, () => resolve(OK)));
  });
  const start = () => Commander.start(deps, { store, bus, packageOf: () => Promise.resolve(undefined) });
  let commander = await start(), orphans = 0;
  const open = () => bus.publish("channel.opened", { mac: MAC });
  open();
  const stop = async () => {
    const stopping = commander[Symbol.asyncDispose]();
    await clock.advance(10_000);
    await stopping;
  };
  return {
    clock,
    db,
    store,
    running,
    deps,
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
}

Deno.test("an exclusive command waits for those before it and holds up those behind it", async () => {
  await using stage = await setUp();
  for (const name of ["a", "b"]) await stage.create(post(name));
  const { id, status } = await stage.create(post("alone", { exclusive: true }));
  await stage.create(post("c"));
  await stage.create(post("last", { exclusive: true }));
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
  assertEquals((await stage.create(post("now", { exclusive: true }))).status, "sent");
  assertEquals((await stage.create(post("then"))).status, "queued");
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
