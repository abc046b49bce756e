import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { type AccessBoot, type AccessRegister, checkSn, userId } from "../../protocol/smart_gateway/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import {
  Admission,
  GatewayStore,
  PresenceTable,
  registryMigrations,
  type RegistryTables,
} from "../registry/mod.ts";
import { Registration } from "./registration.ts";

const MAC = "64D954000001", SN = "64D954-1", FROM = { host: "10.0.0.1", port: 5000 };
const BOOT: AccessBoot = {
  method: "Boot",
  vendor: "V",
  model: "M",
  firmwareVer: "1",
  hardwareVer: "1",
  mac: MAC,
  devRnd: "1".repeat(32),
  platformId: "OTHER",
  loid: "L",
  card: "",
  ipAddr: "1.2.3.4",
  osVer: "",
  appVer: "",
};
const answer = (challenge: string): AccessRegister => ({
  method: "Register",
  mac: MAC,
  checkSn: checkSn(challenge, SN),
  userId: userId(SN, "L"),
  pppoeName: "",
  flag: "0",
});

async function setUp(perSecond?: number) {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const db = await testDatabase<RegistryTables>(registryMigrations);
  const store = new GatewayStore(db.sql, clock);
  await store.preset([{ mac: MAC, sn: SN, loid: "L" }]);
  const presence = new PresenceTable(deps, store, { heartbeatSeconds: 60, onChange: () => {} });
  const registration = new Registration(deps, store, presence, {
    self: { host: "ops", port: 1 },
    messageServer: undefined,
    heartbeatSeconds: 60,
    databaseMs: 5000,
    ...(perSecond ? { admission: new Admission(clock, deps.random, { perSecond }) } : {}),
  });
  return {
    clock,
    store,
    presence,
    registration,
    async [Symbol.asyncDispose]() {
      await presence[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a Register is answered the same when it is sent twice, and -1 when its challenge is 130 s old", async () => {
  await using s = await setUp();
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  for (let i = 0; i < 2; i++) {
    assertEquals(await s.registration.register(answer(challengeCode!), FROM), { result: 2, interval: 60 });
  }
  await s.clock.advance(130_000);
  assertEquals(await s.registration.register(answer(challengeCode!), FROM), { result: -1 });
});

Deno.test("a Register that is shown again changes nothing: not the DevRND of a later handshake, nor that a gateway is gone", async () => {
  await using s = await setUp();
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  assertEquals((await s.registration.register(answer(challengeCode!), FROM)).result, 2);
  s.presence.get(MAC)!.devRnd = "2".repeat(32);
  const before = await s.store.find(MAC);
  assertEquals((await s.registration.register(answer(challengeCode!), FROM)).result, 2);
  assertEquals(s.presence.get(MAC)!.devRnd, "2".repeat(32));
  assertEquals(await s.store.find(MAC), before);
  s.presence.forget(MAC);
  assertEquals(await s.registration.register(answer(challengeCode!), FROM), { result: -1 });
  assertEquals(s.presence.get(MAC), undefined);
});

Deno.test("a gateway that is removed between its Boot and its Register is not let in", async () => {
  await using s = await setUp();
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  await s.store.remove(MAC);
  assertEquals(await s.registration.register(answer(challengeCode!), FROM), { result: -2 });
  assertEquals(s.presence.get(MAC), undefined);
});

Deno.test("a stranger who floods Boots and Registers of a MAC does not keep its gateway from registering", async () => {
  await using s = await setUp();
  const stranger = { host: "10.6.6.6", port: 666 };
  const flood = await Promise.all(
    Array.from(
      { length: 50 },
      (_, i) =>
        i % 2 === 0
          ? s.registration.boot(BOOT, stranger)
          : s.registration.register(answer("0".repeat(32)), stranger),
    ),
  );
  assertEquals(flood.filter(({ result }) => result === -1).length >= 40, true);
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  assertEquals((await s.registration.register(answer(challengeCode!), FROM)).result, 2);
  assertEquals(s.presence.get(MAC)!.hostname, FROM.host);
});

Deno.test("a challenge is good only from where its Boot came", async () => {
  await using s = await setUp();
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  const elsewhere = { ...FROM, host: "10.0.0.2" };
  assertEquals((await s.registration.register(answer(challengeCode!), elsewhere)).result, -1);
});

Deno.test("a database that is slow answers -4, one that is away answers -1, and neither lets anybody in", async () => {
  await using s = await setUp();
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  s.store.noteRegistered = () => new Promise(() => {});
  const slow = s.registration.register(answer(challengeCode!), FROM);
  await s.clock.advance(5000);
  assertEquals(await slow, { result: -4 });
  s.store.noteRegistered = () => Promise.reject(new Error("gone"));
  assertEquals(await s.registration.register(answer(challengeCode!), FROM), { result: -1 });
  s.store.find = () => Promise.reject(new Error("gone"));
  assertEquals(await s.registration.boot(BOOT, FROM), { result: -1 });
  assertEquals(s.presence.get(MAC), undefined);
});

Deno.test("one Boot too many is told when to come again, asks no database, and is let in then", async () => {
  await using s = await setUp(1);
  assertEquals((await s.registration.boot({ ...BOOT, mac: "64D9540000FF" }, FROM)).result, -2);
  const { find } = s.store;
  s.store.find = () => Promise.reject(new Error("nobody is to ask"));
  assertEquals(await s.registration.boot(BOOT, FROM), { result: -1, interval: 5 });
  s.store.find = find;
  await s.clock.advance(5000);
  const { challengeCode } = await s.registration.boot(BOOT, FROM);
  // What was begun is seen to its end, and names the usual interval again.
  assertEquals(await s.registration.register(answer(challengeCode!), FROM), { result: 2, interval: 60 });
});

Deno.test("where registrations pile up a Boot is put off even if its turn has come", async () => {
  await using s = await setUp(1000);
  assertEquals(await s.registration.boot(BOOT, FROM, true), { result: -1, interval: 5 });
  assertEquals((await s.registration.boot(BOOT, FROM)).result, 0);
});
