import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, type HostPort, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { decodeAccessRequest, triggerKey } from "../../protocol/smart_gateway/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { GatewayStore, PresenceTable, registryMigrations, type RegistryTables } from "../registry/mod.ts";
import { Triggers } from "./triggers.ts";

const MAC = "64D954000001", SN = "64D954-1";
const [R1, R2] = ["1".repeat(32), "2".repeat(32)];
const FROM: HostPort = { host: "10.0.0.1", port: 5000 };
const GO = { kind: "plugin_center" } as const;

async function setUp() {
  const clock = new FakeClock();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const db = await testDatabase<RegistryTables>(registryMigrations);
  const store = new GatewayStore(db.sql, clock);
  await store.preset([{ mac: MAC, sn: SN, loid: "L" }]);
  const presence = new PresenceTable(deps, store, { heartbeatSeconds: 60, onChange: () => {} });
  presence.register({
    mac: MAC,
    sn: SN,
    loid: "L",
    hostname: FROM.host,
    port: FROM.port,
    devRnd: R1,
    previousDevRnd: undefined,
  });
  const sent: ReturnType<typeof decodeAccessRequest>[] = [];
  const triggers = new Triggers(deps, store, presence, (bytes) => sent.push(decodeAccessRequest(bytes)), {
    pluginCenter: { host: "pc.example", port: 12114 },
    attempts: 3,
    waitMs: 2000,
  });
  return {
    clock,
    store,
    presence,
    sent,
    triggers,
    async [Symbol.asyncDispose]() {
      await presence[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the handshake keeps the new DevRND before it says so, and repeats itself to a gateway that missed it", async () => {
  await using s = await setUp();
  const outcome = s.triggers.trigger(MAC, GO);
  await s.clock.advance(0);
  s.triggers.onReply({ result: 0, devRnd: R2 }, FROM);
  assertEquals(await outcome, "accepted");
  assertEquals(s.sent, [
    {
      method: "RequestPlug-in",
      key: triggerKey(R1, SN),
      deviceSn: SN,
      serverAddr: "pc.example",
      serverPort: 12114,
    },
    { method: "Reply", result: 1 },
  ]);
  const row = (await s.store.find(MAC))!;
  assertEquals([row.dev_rnd, row.previous_dev_rnd, s.presence.get(MAC)?.devRnd], [R2, R1, R2]);
  s.triggers.onReply({ result: 0, devRnd: R2 }, FROM);
  assertEquals(s.sent.length, 3);
  s.triggers.onReply({ result: 0, devRnd: R2 }, { ...FROM, port: 1 });
  s.triggers.onReply({ result: 0, devRnd: "3".repeat(32) }, FROM);
  assertEquals(s.sent.length, 3);
});

Deno.test("an unanswered trigger is sent three times, two seconds apart, and given up", async () => {
  await using s = await setUp();
  const outcome = s.triggers.trigger(MAC, GO);
  await s.clock.advance(3999);
  assertEquals(s.sent.length, 2);
  await s.clock.advance(2001);
  assertEquals([await outcome, s.sent.length], ["unanswered", 3]);
});

Deno.test("a gateway whose keys are out of step is asked with the DevRND before, then made to register again", async () => {
  await using s = await setUp();
  s.presence.get(MAC)!.previousDevRnd = R2;
  const outcome = s.triggers.trigger(MAC, GO);
  await s.clock.advance(0);
  s.triggers.onReply({ result: -1 }, FROM);
  await s.clock.advance(0);
  assertEquals(s.sent.map((m) => m.method === "RequestPlug-in" && m.key), [
    triggerKey(R1, SN),
    triggerKey(R2, SN),
  ]);
  s.triggers.onReply({ result: -1 }, FROM);
  assertEquals(await outcome, "refused");
  assertEquals(s.presence.beat(MAC, FROM.host, FROM.port), false);
});

Deno.test("a DevRND that could not be saved is not acknowledged", async () => {
  await using s = await setUp();
  s.store.update = () => Promise.reject(new Error("disk full"));
  const outcome = s.triggers.trigger(MAC, GO);
  await s.clock.advance(0);
  s.triggers.onReply({ result: 0, devRnd: R2 }, FROM);
  assertEquals([await outcome, s.sent.length, s.presence.get(MAC)?.devRnd], ["unanswered", 1, R1]);
});

Deno.test("two callers of one gateway share a trigger, another kind waits its turn; nobody calls an absent one", async () => {
  await using s = await setUp();
  const move = { kind: "redistribute", mode: 0, host: "d.example", port: 1 } as const;
  const both = [s.triggers.trigger(MAC, GO), s.triggers.trigger(MAC, GO)],
    third = s.triggers.trigger(MAC, move);
  await s.clock.advance(0);
  assertEquals(s.sent.length, 1);
  s.triggers.onReply({ result: -1, devRnd: R1 }, FROM);
  await s.clock.advance(0);
  assertEquals(s.sent[1]?.method, "RequestDistri");
  s.triggers.onReply({ result: 0, devRnd: R2 }, FROM);
  assertEquals(await Promise.all([...both, third]), ["already_connected", "already_connected", "accepted"]);
  assertEquals(await s.triggers.trigger("64D954FFFFFF", GO), "offline");
});
