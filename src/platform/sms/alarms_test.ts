import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, silentLog } from "../../base/mod.ts";
import { DEFAULT_ALARM_LIMITS, type Finding, LOOK_MS, SmsAlarms } from "./alarms.ts";
import { Simulator } from "./simulator.ts";
import { watch } from "./watch.ts";

Deno.test("a centre that is away for long is an alarm with its reason, until it is back; so are ids ahead and rows unread", async () => {
  const clock = new FakeClock(1_000_000), outlet = new Simulator(clock, { float: () => 0 });
  const away = { ...outlet.status(), name: "smpp centre:2775", connected: false, lastError: "refused" };
  let status = { ...away, since: clock.now() }, idsAhead = 0, unreadable = 0;
  const look = watch(clock, DEFAULT_ALARM_LIMITS, {
    outlets: [Object.assign(Object.create(outlet), { status: () => status })],
    store: { outboxSizes: () => Promise.resolve([]) },
    oldestWaiting: () => undefined,
    present: () => true,
    results: () => new Map(),
    idsAhead: () => idsAhead,
    unreadable: () => unreadable,
  });
  assertEquals(await look(), []);
  await clock.advance(30_000);
  const detail = "not connected for 30 s: refused";
  assertEquals(await look(), [{ kind: "outlet_down", subject: "smpp centre:2775", detail }]);
  status = { ...status, connected: true };
  assertEquals(await look(), []);
  [idsAhead, unreadable] = [60, 3];
  assertEquals((await look()).map(({ kind }) => kind), ["ids_ahead", "unreadable"]);
});

Deno.test("an alarm is told once while it lasts, listeners that throw harm nobody, and the list is bounded", async () => {
  const clock = new FakeClock(1_000_000), told: string[] = [];
  let found: Finding[] = [];
  await using alarms = new SmsAlarms(
    { clock, log: silentLog, metrics: new Metrics() },
    () => Promise.resolve(found),
  );
  alarms.listen(() => {
    throw new Error("on purpose");
  });
  const deaf = alarms.listen(({ type, alarm: { id } }) => told.push(`${type} ${id}`));
  for (let i = 0; i < 600; i++) {
    found = i % 2 === 0 ? [{ kind: "queue_age", subject: String(i), detail: "" }] : [];
    await clock.advance(LOOK_MS);
    await clock.advance(0);
    if (i % 2 === 0) await clock.advance(LOOK_MS); // still so: nothing new
  }
  assertEquals(told.length, 600);
  assertEquals(told.slice(0, 4), ["raised 1", "cleared 1", "raised 2", "cleared 2"]);
  deaf();
  found = Array.from({ length: 300 }, (_, i) => ({ kind: "provider_away", subject: String(i), detail: "" }));
  await clock.advance(LOOK_MS);
  found = [];
  await clock.advance(2 * LOOK_MS);
  assertEquals([told.length, alarms.list().length], [600, 500]);
});

Deno.test("what can't be looked at now is looked at again", async () => {
  const clock = new FakeClock(1_000_000);
  let looks = 0;
  await using alarms = new SmsAlarms({ clock, log: silentLog, metrics: new Metrics() }, () => {
    looks++;
    return Promise.reject(new Error("disk full"));
  });
  await clock.advance(3 * LOOK_MS);
  await clock.advance(LOOK_MS);
  assertEquals([looks >= 3, alarms.list()], [true, []]);
});
