import { assertEquals } from "@std/assert";
import { FakeClock } from "../base/mod.ts";
import { Watchdog } from "./watchdog.ts";

Deno.test("a watchdog strikes once, when its deadline was not moved", async () => {
  const clock = new FakeClock();
  let strikes = 0;
  const dog = new Watchdog(clock, () => strikes++);
  dog.set(100);
  await clock.advance(90);
  dog.set(100);
  await clock.advance(99);
  assertEquals(strikes, 0);
  await clock.advance(1);
  assertEquals(strikes, 1);
  await clock.advance(1000);
  assertEquals(strikes, 1);
});

Deno.test("moving a deadline a thousand times keeps one timer", () => {
  const clock = new FakeClock();
  const dog = new Watchdog(clock, () => {});
  for (let i = 0; i < 1000; i++) dog.set(100 + i);
  assertEquals(clock.pendingTimers, 1);
  dog.stop();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a deadline moved earlier strikes at the earlier time", async () => {
  const clock = new FakeClock();
  let strikes = 0;
  const dog = new Watchdog(clock, () => strikes++);
  dog.set(1000);
  dog.set(10);
  await clock.advance(10);
  assertEquals(strikes, 1);
});

Deno.test("a paused watchdog does not strike, and does again once it is set", async () => {
  const clock = new FakeClock();
  let strikes = 0;
  const dog = new Watchdog(clock, () => strikes++);
  dog.set(10);
  dog.pause();
  await clock.advance(100);
  assertEquals(strikes, 0);
  dog.set(10);
  await clock.advance(10);
  assertEquals(strikes, 1);
});
