import { assert, assertEquals } from "@std/assert";
import { FakeClock, Metrics, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Alarms, type Observation, type Source } from "./alarms.ts";
import { alarmMigrations, type AlarmTables } from "./schema.ts";

/** Alarms over a fleet whose shares the test sets. */
async function setUp(source: Partial<Source> = {}) {
  const clock = new FakeClock(), metrics = new Metrics();
  const db = await testDatabase<AlarmTables>(alarmMigrations);
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  const told: string[] = [];
  bus.subscribe("alarm.changed", ({ rule, subject, state }) => told.push(`${rule} ${subject} ${state}`));
  let seen: Observation[] = [], fails = false;
  const open = () =>
    new Alarms({
      clock,
      metrics,
      log: silentLog,
      sql: db.sql,
      bus,
      sources: {
        offline_share: {
          ...source,
          observe: () => fails ? Promise.reject(new Error("the database is away")) : seen,
        },
      },
    });
  let alarms = open();
  return {
    clock,
    metrics,
    told,
    db,
    get alarms() {
      return alarms;
    },
    another: open,
    see: (shares: Record<string, number>) => {
      seen = Object.entries(shares).map(([subject, value]) => ({ subject, value, detail: `${value} %` }));
    },
    fail: (now: boolean) => void (fails = now),
    async restart() {
      await alarms[Symbol.asyncDispose]();
      alarms = open();
    },
    async [Symbol.asyncDispose]() {
      await alarms[Symbol.asyncDispose]();
      assertEquals(clock.pendingTimers, 0);
      await db[Symbol.asyncDispose]();
    },
  };
}

const MINUTE = 60_000;

Deno.test("an alarm is raised after its time above the mark, and cleared after its time below the lower one", async () => {
  await using stage = await setUp();
  stage.see({ north: 25, south: 5 });
  await stage.clock.advance(MINUTE);
  stage.see({ north: 5, south: 5 });
  await stage.clock.advance(MINUTE);
  stage.see({ north: 20, south: 5 });
  await stage.clock.advance(2 * MINUTE);
  assertEquals(stage.told, [], "what came and went was no alarm");
  await stage.clock.advance(15_000);
  assertEquals(stage.told.splice(0), ["region-offline north raised"]);
  const [alarm] = await stage.alarms.list({ state: "raised" }, 10);
  assertEquals([alarm!.subject, alarm!.severity, alarm!.detail, alarm!.value], [
    "north",
    "critical",
    "20 %",
    20,
  ]);
  assert(stage.metrics.render().includes('gatehouse_alarms{severity="critical"} 1'));

  // Between the two marks, and below the lower one for a moment only: it stays.
  for (const share of [15, 9, 12]) {
    stage.see({ north: share });
    await stage.clock.advance(MINUTE);
  }
  assertEquals(stage.told, []);
  stage.see({ north: 9.9 });
  await stage.clock.advance(2 * MINUTE + 15_000);
  assertEquals(stage.told.splice(0), ["region-offline north cleared"]);
  assertEquals((await stage.alarms.list({ state: "cleared" }, 10)).length, 1);
  assert(stage.metrics.render().includes('gatehouse_alarms{severity="critical"} 0'));
});

Deno.test("an alarm is there after a restart, is not raised anew, and what is gone altogether is cleared", async () => {
  await using stage = await setUp();
  stage.see({ north: 90 });
  await stage.clock.advance(3 * MINUTE);
  await stage.restart();
  await stage.clock.advance(3 * MINUTE);
  assertEquals(stage.told.splice(0), ["region-offline north raised"]);
  stage.see({});
  await stage.clock.advance(3 * MINUTE);
  assertEquals(stage.told, ["region-offline north cleared"]);
});

Deno.test("what can't be looked at is neither raised nor cleared, and does not begin anew when it can", async () => {
  await using stage = await setUp();
  stage.see({ north: 90 });
  await stage.clock.advance(3 * MINUTE);
  stage.fail(true);
  stage.see({});
  await stage.clock.advance(10 * MINUTE);
  assertEquals(stage.told.length, 1);
  stage.fail(false);
  stage.see({ north: 90, south: 90 });
  await stage.clock.advance(MINUTE);
  stage.fail(true);
  await stage.clock.advance(MINUTE);
  stage.fail(false);
  await stage.clock.advance(15_000);
  assertEquals(stage.told.at(-1), "region-offline south raised");
});

Deno.test("of two that look at the same, one raises and one clears; another's own is left to it", async () => {
  {
    await using stage = await setUp();
    await using other = stage.another();
    const pass = async () => {
      for (let i = 0; i < 12; i++) {
        await stage.clock.advance(15_000);
        await Promise.all([stage.alarms.look(), other.look()]);
      }
    };
    stage.see({ north: 90 });
    await pass();
    assertEquals(stage.told.splice(0), ["region-offline north raised"]);
    stage.see({});
    await pass();
    assertEquals(stage.told, ["region-offline north cleared"]);
  }
  await using local = await setUp({ tells: (subject) => subject === "b" });
  local.see({ a: 90, b: 90 });
  await local.clock.advance(3 * MINUTE);
  local.see({});
  await local.clock.advance(3 * MINUTE);
  assertEquals(local.told.slice(2), ["region-offline b cleared"]);
});

Deno.test("a rule that is switched off, removed, or about something else clears what it had raised", async () => {
  await using stage = await setUp();
  const raise = async () => {
    stage.see({ north: 90 });
    await stage.clock.advance(3 * MINUTE);
    assertEquals(stage.told.splice(0), ["region-offline north raised"]);
  };
  const change = async (more: object) =>
    await stage.alarms.setRule({ ...(await stage.alarms.rule("region-offline"))!, ...more });
  await raise();
  await change({ raise_at: 50, severity: "info" });
  assertEquals(stage.told, []);
  await change({ enabled: 0 });
  assertEquals(stage.told.splice(0), ["region-offline north cleared"]);
  await stage.clock.advance(5 * MINUTE);
  assertEquals(stage.told, []);
  await change({ enabled: 1 });
  await raise();
  assertEquals(await stage.alarms.removeRule("region-offline"), true);
  assertEquals(stage.told.splice(0), ["region-offline north cleared"]);
  assertEquals(await stage.alarms.removeRule("region-offline"), false);
});

Deno.test("an alarm is acknowledged once, and old ones that are over go after ninety days", async () => {
  await using stage = await setUp();
  stage.see({ north: 90 });
  await stage.clock.advance(3 * MINUTE);
  const { id } = (await stage.alarms.list({}, 1))[0]!;
  const row = await stage.alarms.acknowledge(id, "operator:1", "on it");
  assertEquals([row?.acknowledged_by, row?.note], ["operator:1", "on it"]);
  assertEquals(await stage.alarms.acknowledge(id, "operator:2", null), undefined);
  assertEquals(await stage.alarms.acknowledge("none", "operator:2", null), undefined);
  stage.see({});
  await stage.clock.advance(3 * MINUTE);
  stage.clock.jump(91 * 86_400_000);
  await stage.clock.advance(61 * MINUTE);
  assertEquals(await stage.alarms.list({}, 10), []);
});
