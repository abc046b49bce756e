import { assertEquals } from "@std/assert";
import { calmLog, createLog, FakeClock, Metrics } from "./mod.ts";

function rig() {
  const lines: string[] = [], clock = new FakeClock(), metrics = new Metrics();
  const inner = createLog({ level: "info", format: "json", clock, write: (line) => lines.push(line) });
  const said = () => lines.splice(0).map((line) => JSON.parse(line));
  return { clock, metrics, log: calmLog(inner, { clock, metrics }), said };
}

Deno.test("an outage that thousands meet is told twenty times in ten seconds, and then how often it was", async () => {
  const { log, clock, metrics, said } = rig();
  for (let i = 0; i < 5000; i++) log.error("registration failed", { mac: i });
  assertEquals(said().map(({ mac }) => mac), Array.from({ length: 20 }, (_, i) => i));
  await clock.advance(10_000);
  log.error("registration failed", { mac: 1 });
  log.error("registration failed", { mac: 2 });
  assertEquals(said().map(({ mac, held }) => [mac, held]), [[1, 4980], [2, undefined]]);
  assertEquals(metrics.total("gatehouse_log_lines_held_total"), 4980);
});

Deno.test("one message that repeats itself holds back no other, and no information", () => {
  const { log, said } = rig();
  const service = log.with({ service: "access" });
  for (let i = 0; i < 100; i++) service.warn("slow");
  log.warn("slow");
  service.error("something else");
  for (let i = 0; i < 100; i++) log.info("gateway registered");
  const all = said();
  assertEquals(
    all.filter(({ message }) => message === "slow").length,
    20,
    "one count for all who share the log",
  );
  assertEquals(all.filter(({ message }) => message === "something else").length, 1);
  assertEquals(all.filter(({ message }) => message === "gateway registered").length, 100);
});
