import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { TotalsOfNodes } from "./totals.ts";

const NAME = "gatehouse_heartbeats_total";

Deno.test("totals are those of this node and what the others say that theirs have grown by", async () => {
  const clock = new FakeClock(), metrics = new Metrics();
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  const said: unknown[] = [];
  bus.subscribe("totals.grown", ({ by }, from) => void (from || said.push(by)));
  using totals = new TotalsOfNodes({ clock, metrics }, bus, [NAME]);
  const counter = metrics.counter(NAME, "");
  for (let i = 0; i < 3; i++) counter.inc();
  await clock.advance(10_000);
  counter.inc();
  await clock.advance(10_000);
  await clock.advance(10_000); // nothing new, nothing said
  assertEquals(said, [{ [NAME]: 3 }, { [NAME]: 1 }]);
  const other = { node: "n2", epoch: 1 };
  bus.publish("totals.grown", { by: { [NAME]: 40 } }, other);
  bus.publish("totals.grown", { by: { [NAME]: 2, gatehouse_secrets_total: 7 } }, other);
  assertEquals([totals.read(NAME), totals.read("gatehouse_secrets_total")], [46, 0]);
});

Deno.test("what another node can't have counted is not added", () => {
  const clock = new FakeClock(), metrics = new Metrics();
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  using totals = new TotalsOfNodes({ clock, metrics }, bus, [NAME]);
  for (const grown of [-1, NaN, Infinity, "7", null, {}]) {
    bus.publish("totals.grown", { by: { [NAME]: grown as number } }, { node: "n2", epoch: 1 });
  }
  bus.publish("totals.grown", {} as { by: Record<string, number> }, { node: "n2", epoch: 1 });
  assertEquals(totals.read(NAME), 0);
});
