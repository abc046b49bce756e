import { assertEquals, assertRejects } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { nodeMigrations } from "../nodes/mod.ts";
import { CommandStore, registryMigrations, type RegistryTables } from "../registry/mod.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Commander, type CommanderParts, CommandError, type CommandRequest } from "./mod.ts";

const macOf = (n: number) => `64D954${String(n).padStart(6, "0")}`;
const post = (n: number, text = ""): CommandRequest => ({
  mac: macOf(n),
  kind: "post",
  plugin: "p",
  version: "1.0",
  parameter: { CmdType: "X", text },
  actor: "admin",
  timeoutMs: 60_000,
});

/** A commander whose gateways are all away, unless the test says otherwise. */
async function setUp(more: Partial<CommanderParts> = {}) {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const db = await testDatabase<RegistryTables>({ ...registryMigrations, ...nodeMigrations });
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog), sent: string[] = [];
  bus.respond("access.trigger", () => Promise.resolve("offline"));
  bus.respond("channel.exchange", ({ mac }) => {
    sent.push(mac);
    return Promise.resolve({ kind: "reply", reply: { result: 0, parameter: { Status: "0" } } });
  });
  const store = new CommandStore(db.sql);
  store.takeOver = () => Promise.resolve([]); // nobody else is there
  const packageOf = () => Promise.resolve(undefined);
  const commander = await Commander.start(deps, { store, bus, packageOf, ...more });
  return {
    ...{ clock, bus, store, commander, sent },
    async [Symbol.asyncDispose]() {
      const stopping = commander[Symbol.asyncDispose]();
      await clock.advance(10_000);
      await stopping;
      await db[Symbol.asyncDispose]();
    },
  };
}

const refused = async (asked: Promise<unknown>) => (await assertRejects(() => asked, CommandError)).code;

Deno.test("a flood of commands to many gateways is refused past a number, and let in again as they end", async () => {
  await using stage = await setUp({ most: { commands: 20, chars: 1 << 20 } });
  const { commander } = stage;
  const made = [];
  for (let n = 0; n < 20; n++) made.push(await commander.create(post(n)));
  for (let n = 20; n < 40; n++) assertEquals(await refused(commander.create(post(n))), "too_many_commands");
  // One that is known already is answered, and not counted twice.
  const first = made[0]!;
  assertEquals((await commander.create({ ...post(0), id: first.id })).id, first.id);
  await commander.cancel(first.id);
  await commander.create(post(20));
  assertEquals(await refused(commander.create(post(21))), "too_many_commands");
});

Deno.test("a few commands with huge parameters are refused past a size", async () => {
  await using stage = await setUp({ most: { commands: 1000, chars: 10_000 } });
  const { commander } = stage, large = "x".repeat(4000);
  const first = await commander.create(post(0, large));
  await commander.create(post(1, large));
  assertEquals(await refused(commander.create(post(2, large))), "too_many_commands");
  await commander.create(post(3)); // there is room for a small one
  await commander.cancel(first.id);
  await commander.create(post(2, large));
});

for (const open of [true, false]) {
  const how = open ? "could go out at once" : "had to wait";
  Deno.test(`a command that ${how} is not run by a node that joined anew while it was written down`, async () => {
    const rejoined: (() => void)[] = [];
    const cluster = {
      self: { node: "a", epoch: 1 },
      held: true,
      onGone: () => {},
      onRejoined: (handler: () => void) => void rejoined.push(handler),
    };
    await using stage = await setUp({ cluster });
    const { commander, store, bus, clock, sent } = stage;
    if (open) bus.publish("channel.opened", { mac: macOf(1) });
    const insert = store.insert.bind(store);
    store.insert = async (row) => {
      await insert(row);
      for (const handler of rejoined) handler();
    };
    const { id } = await commander.create(post(1));
    bus.publish("channel.opened", { mac: macOf(1) });
    await clock.advance(5000);
    const { node, epoch, status } = (await store.find(id))!;
    assertEquals([node, epoch, status, sent], ["a", 1, open ? "sent" : "queued", []]);
    // Nothing of it is left behind: the next one is the gateway's turn.
    store.insert = insert;
    await commander.create(post(1));
    await clock.advance(1);
    assertEquals(sent, [macOf(1)]);
  });
}
