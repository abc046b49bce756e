import { assertEquals, assertRejects } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { checkSn, encodeDistributionRequest } from "../../protocol/smart_gateway/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { Admission, GatewayStore, registryMigrations, type RegistryTables } from "../registry/mod.ts";
import { Distribution } from "./distribution.ts";
import { distributionMigrations, type DistributionTables, PolicyConflict, PolicyStore } from "./mod.ts";

const MAC = "64D954000001", SN = "64D954-1";
const boot = encodeDistributionRequest({
  method: "BootFirst",
  vendor: "V",
  model: "M",
  firmwareVer: "1",
  hardwareVer: "1",
  mac: MAC,
  ipAddr: "1.2.3.4",
  platformId: "OTHER",
});

async function setUp() {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const db = await testDatabase<RegistryTables & DistributionTables>({
    ...registryMigrations,
    ...distributionMigrations,
  });
  const store = new GatewayStore(db.tables<RegistryTables>(), clock);
  await store.preset([{ mac: MAC, sn: SN, loid: "L" }]);
  const policy = await PolicyStore.open(db.tables<DistributionTables>(), clock, { host: "ops", port: 12113 });
  return { clock, db, store, policy, distribution: new Distribution(deps, store, policy, 60) };
}

Deno.test("an SN that can't be looked up is answered with -7, and the next try is as good as the first", async () => {
  const { db, store, distribution } = await setUp();
  const find = store.find;
  store.find = () => Promise.reject(new Error("database is gone"));
  assertEquals(await distribution.answer(boot, "a:1"), { result: -7 });
  store.find = find;
  assertEquals((await distribution.answer(boot, "a:1"))?.result, 0);
  await db[Symbol.asyncDispose]();
});

Deno.test("a challenge is forgotten after 130 s: what answers it then may begin again", async () => {
  const { clock, db, distribution } = await setUp();
  const reply = await distribution.answer(boot, "a:1");
  const register = encodeDistributionRequest({
    method: "RegisterFirst",
    mac: MAC,
    checkSn: checkSn(reply!.challengeCode!, SN),
  });
  await clock.advance(129_999);
  assertEquals((await distribution.answer(register, "a:1"))?.result, 2);
  await clock.advance(1);
  assertEquals(await distribution.answer(register, "a:1"), { result: -1 });
  await db[Symbol.asyncDispose]();
});

Deno.test("the policy in force outlives a restart", async () => {
  const { clock, db, policy } = await setUp();
  const other = { rules: [{ name: "r", match: {}, targets: [], redirect: "b:1" }] };
  await policy.replace(other, "admin");
  const again = await PolicyStore.open(db.tables<DistributionTables>(), clock, { host: "x", port: 1 });
  assertEquals([again.current, again.version], [other, 1] as unknown[]);
  await db[Symbol.asyncDispose]();
});

Deno.test("of two who change the policy at once one is told, and the other node soon follows", async () => {
  const { clock, db, policy } = await setUp();
  const other = await PolicyStore.open(db.tables<DistributionTables>(), clock, { host: "x", port: 1 });
  const to = (redirect: string) => ({ rules: [{ name: "r", match: {}, targets: [], redirect }] });
  await policy.replace(to("a:1"), "one", "first", 0);
  await assertRejects(
    () => other.replace(to("b:1"), "two", "", 0),
    PolicyConflict,
    "version 1 is in force, not 0",
  );
  await policy.replace(to("c:1"), "one");
  await clock.advance(10_000);
  void other.current;
  await other.refresh();
  assertEquals(other.current, to("c:1"));
  assertEquals((await policy.versions(10)).map(({ version, note, made_by }) => [version, note, made_by]), [
    [2, "", "one"],
    [1, "first", "one"],
  ]);
  await db[Symbol.asyncDispose]();
});

Deno.test("one BootFirst too many is told when to come again, and is let in then", async () => {
  const { clock, db, store, policy } = await setUp();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const admission = new Admission(clock, deps.random, { perSecond: 1 });
  const distribution = new Distribution(deps, store, policy, 60, admission);
  assertEquals((await distribution.answer(boot, "a:1"))?.result, 0);
  assertEquals(await distribution.answer(boot, "a:2"), { result: -1, interval: 5 });
  await clock.advance(5000);
  assertEquals(await distribution.answer(boot, "a:2", true), { result: -1, interval: 5 });
  assertEquals((await distribution.answer(boot, "a:2"))?.result, 0);
  await db[Symbol.asyncDispose]();
});
