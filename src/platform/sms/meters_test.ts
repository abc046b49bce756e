import { assert, assertEquals } from "@std/assert";
import { FakeClock, Metrics } from "../../base/mod.ts";
import { Meters } from "./meters.ts";
import { CODE, Stage } from "./testing_stage.ts";

const MINUTE_MS = 60_000;

Deno.test("what passes is counted by minute and hour, empty spans too, and no more of them than are shown", async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 29, 8, 59, 30));
  const meters = new Meters({ clock, metrics: new Metrics() });
  meters.accepted(3);
  meters.ended("DELIVRD", true, clock.now());
  await clock.advance(2 * MINUTE_MS);
  meters.ended("EXPIRED", false, clock.now());
  meters.taken("mo", 0);
  meters.taken("mo", 8);
  const minutes = meters.series("minute"), hours = meters.series("hour");
  assertEquals([minutes.length, hours.length], [120, 48]);
  const numbers = (one: typeof minutes[number]) => Object.values(one.passed);
  assertEquals(minutes.slice(-3).map(numbers), [[3, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]]);
  assertEquals(hours.slice(-2).map(numbers), [[3, 1, 0, 0], [0, 0, 1, 1]]);
  assertEquals(hours.at(-1)!.at, Date.UTC(2026, 10, 29, 9));
  for (let i = 0; i < 500; i++) {
    await clock.advance(MINUTE_MS);
    meters.accepted(1);
  }
  assertEquals(meters.series("minute").map((one) => one.passed.submitted), Array(120).fill(1));
});

Deno.test("made-up Stats and Results, and thousands of queues, make no more than some dozens of series", () => {
  const metrics = new Metrics(), meters = new Meters({ clock: new FakeClock(), metrics });
  for (let i = 0; i < 5_000; i++) {
    meters.ended(`X:${i}`, false, 0);
    meters.taken("report", i);
  }
  meters.queues(Array.from({ length: 5_000 }, (_, i) => ({ sp_id: `sp${i}`, kind: "mo", count: i })));
  const lines = metrics.render().split("\n");
  const series = (name: string) => lines.filter((line) => line.startsWith(`${name}{`));
  assertEquals(
    ["gatehouse_sms_ended_total", "gatehouse_sms_delivers_total", "gatehouse_sms_provider_queue"].map((
      name,
    ) => series(name).length),
    [51, 15, 51],
  );
  assert(lines.includes('gatehouse_sms_ended_total{stat="other"} 4950'));
  assert(lines.includes('gatehouse_sms_provider_queue{sp_id="sp4999",kind="mo"} 4999'));
  const rest = Array.from({ length: 4_950 }, (_, i) => i).reduce((a, b) => a + b);
  assert(lines.includes(`gatehouse_sms_provider_queue{sp_id="other",kind="mo"} ${rest}`));
});

Deno.test("the service counts SUBMITs, ends, DELIVERs and queues, and shows what passes now", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  await stage.submit(provider, { Dest_terminal_Id: ["13800138000", "13800138001"] });
  await stage.settle();
  provider.answers = undefined;
  stage.simulator.injectMo("13800138000", CODE, "hello");
  await stage.clock.advance(11_000);
  await stage.settle();
  const text = stage.metrics.render();
  for (
    const line of [
      "gatehouse_sms_submit_seconds_count 1",
      "gatehouse_sms_end_seconds_count 2",
      'gatehouse_sms_ended_total{stat="DELIVRD"} 2',
      'gatehouse_sms_delivers_total{kind="report",result="0"} 2',
      'gatehouse_sms_provider_queue{sp_id="900001",kind="mo"} 1',
    ]
  ) assert(text.includes(`${line}\n`), line);
  const { status, body } = await stage.call("GET", "/api/v1/sms/traffic/live?by=minute");
  const items = body.items as { submitted: number; delivered: number }[];
  assertEquals([status, items.length], [200, 120]);
  assertEquals(items.reduce((sum, { submitted, delivered }) => sum + submitted + delivered, 0), 4);
  assertEquals((await stage.call("GET", "/api/v1/sms/traffic/live?by=day")).status, 400);
});
