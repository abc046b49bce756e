import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { GatewayStore, PresenceTable, registryMigrations, type RegistryTables } from "./mod.ts";

const MAC = "64D954000001";

async function setUp() {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const db = await testDatabase<RegistryTables>(registryMigrations);
  const store = new GatewayStore(db.sql, clock);
  await store.preset([{ mac: MAC, sn: "64D954-1", loid: "L" }]);
  await store.update(MAC, { registered_at: clock.now() });
  const changes: string[] = [];
  const open = async () => {
    const table = new PresenceTable(deps, store, {
      heartbeatSeconds: 60,
      onChange: (mac, online) => changes.push(`${mac} ${online ? "on" : "off"}`),
    });
    await table.load();
    return table;
  };
  const entry = {
    mac: MAC,
    sn: "64D954-1",
    loid: "L",
    hostname: "10.0.0.1",
    port: 5000,
    devRnd: "R",
    previousDevRnd: undefined,
  };
  return { clock, db, store, changes, open, entry };
}

Deno.test("a gateway is offline after three intervals without a heartbeat and back with the next one", async () => {
  const { clock, db, changes, open, entry } = await setUp();
  const table = await open();
  table.register(entry);
  await clock.advance(170_000);
  table.beat(MAC, "10.0.0.1", 5000);
  await clock.advance(175_000);
  assertEquals(changes, [`${MAC} on`]);
  await clock.advance(15_000);
  assertEquals([changes.at(-1), table.onlineCount], [`${MAC} off`, 0]);
  assertEquals(table.beat(MAC, "10.0.0.1", 5000), true);
  assertEquals([changes.at(-1), table.onlineCount], [`${MAC} on`, 1]);
  await table[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
  await db[Symbol.asyncDispose]();
});

Deno.test("heartbeats write nothing; presence reaches the database in batches", async () => {
  const { clock, db, store, open, entry } = await setUp();
  const table = await open();
  table.register(entry);
  await clock.advance(30_000);
  const kept = (await store.find(MAC))!;
  assertEquals([kept.online, kept.address, kept.last_seen_at], [1, "10.0.0.1:5000", clock.now() - 30_000]);
  let writes = 0;
  const save = store.saveLastSeen.bind(store);
  store.saveLastSeen = (batch) => (writes += batch.length, save(batch));
  for (let i = 0; i < 1000; i++) table.beat(MAC, "10.0.0.1", 6000 + i);
  await clock.advance(10_000);
  assertEquals([writes, (await store.find(MAC))!.address], [1, "10.0.0.1:6999"]);
  await clock.advance(60_000);
  assertEquals(writes, 1);
  await table[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

Deno.test("a new port is the NAT's doing, a new host has to register again", async () => {
  const { db, open, entry } = await setUp();
  const table = await open();
  table.register(entry);
  assertEquals(table.beat(MAC, "10.0.0.1", 7777), true);
  assertEquals(table.get(MAC)?.port, 7777);
  assertEquals(table.beat(MAC, "10.0.0.2", 7777), false);
  assertEquals(table.get(MAC)?.hostname, "10.0.0.1");
  assertEquals(table.beat("64D954FFFFFF", "10.0.0.1", 1), false);
  await table[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

Deno.test("after a restart gateways are taken at their word for as long as a heartbeat may take, no longer", async () => {
  const { clock, db, store, changes, open, entry } = await setUp();
  const before = await open();
  before.register(entry);
  await before[Symbol.asyncDispose]();
  const lastSeen = (await store.find(MAC))!.last_seen_at;
  const after = await open();
  assertEquals([after.onlineCount, after.get(MAC)?.hostname, after.get(MAC)?.port], [1, "10.0.0.1", 5000]);
  await clock.advance(200_000);
  assertEquals([after.onlineCount, changes.at(-1)], [0, `${MAC} off`]);
  const row = (await store.find(MAC))!;
  assertEquals([row.online, row.last_seen_at], [0, lastSeen]);
  await after[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

Deno.test("presence that could not be saved is saved with the next flush", async () => {
  const { clock, db, store, open, entry } = await setUp();
  const table = await open();
  table.register(entry);
  const save = store.saveLastSeen.bind(store);
  store.saveLastSeen = () => Promise.reject(new Error("disk full"));
  await clock.advance(10_000);
  assertEquals((await store.find(MAC))!.online, 0);
  store.saveLastSeen = save;
  await clock.advance(10_000);
  assertEquals((await store.find(MAC))!.online, 1);
  await table[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

Deno.test("a flush of many rows lets others have their turn in between", async () => {
  const { db, store, open, entry } = await setUp();
  const macs = Array.from(
    { length: 2000 },
    (_, i) => `64D955${i.toString(16).toUpperCase().padStart(6, "0")}`,
  );
  await store.preset(macs.map((mac) => ({ mac, sn: `64D954-${mac}`, loid: "L" })));
  const table = await open();
  for (const mac of macs) table.register({ ...entry, mac });
  let turns = 0, flushing = true;
  const others = (async () => {
    while (flushing) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turns++;
    }
  })();
  await table.flush();
  flushing = false;
  const before = turns;
  await others;
  assertEquals([before >= 3, (await store.find(macs.at(-1)!))!.address], [true, "10.0.0.1:5000"]);
  await table[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});
