import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock, silentLog } from "../base/mod.ts";
import { BusError, LocalBus } from "./mod.ts";

interface Events {
  opened: { mac: string };
}
interface Requests {
  double: { request: number; reply: number };
}

const bus = (clock = new FakeClock()) => new LocalBus<Events, Requests>(clock, silentLog);

Deno.test("the bus tells every subscriber, also after one that throws, until they unsubscribe", () => {
  const local = bus(), seen: string[] = [];
  local.subscribe("opened", () => {
    throw new Error("not your fault");
  });
  const subscription = local.subscribe("opened", ({ mac }) => seen.push(mac));
  local.publish("opened", { mac: "A" });
  subscription[Symbol.dispose]();
  local.publish("opened", { mac: "B" });
  assertEquals(seen, ["A"]);
});

Deno.test("the bus answers a request, and says so where nobody does or nobody does in time", async () => {
  const clock = new FakeClock(), local = bus(clock);
  const unanswered = await assertRejects(() => local.request("double", 1, 100), BusError);
  assertEquals(unanswered.code, "no_responder");
  const responder = local.respond(
    "double",
    (n) => n === 0 ? new Promise<number>(() => {}) : Promise.resolve(n * 2),
  );
  assertThrows(() => local.respond("double", (n) => Promise.resolve(n)), TypeError);
  assertEquals(await local.request("double", 21, 100), 42);
  const late = assertRejects(() => local.request("double", 0, 100), BusError);
  await clock.advance(100);
  assertEquals((await late).code, "timeout");
  assertEquals(clock.pendingTimers, 0);
  responder[Symbol.dispose]();
  await assertRejects(() => local.request("double", 1, 100), BusError, "no service");
});
