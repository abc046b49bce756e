import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, sleep, withTimeout } from "./mod.ts";

Deno.test("fake time fires timers in the order they are due, and lets promises run in between", async () => {
  const clock = new FakeClock(0), seen: string[] = [];
  clock.setTimer(() => seen.push(`late ${clock.now()}`), 20);
  clock.setTimer(async () => {
    await sleep(clock, 5);
    seen.push(`chained ${clock.now()}`);
  }, 10);
  clock.setTimer(() => seen.push("never"), 15).cancel();
  await clock.advance(30);
  assertEquals(seen, ["chained 15", "late 20"]);
  assertEquals([clock.now(), clock.monotonic(), clock.pendingTimers], [30, 30, 0]);
});

Deno.test("a jump of the wall clock moves neither timers nor monotonic time", async () => {
  const clock = new FakeClock(0);
  let fired = 0;
  clock.setTimer(() => fired++, 10);
  clock.jump(3_600_000);
  assertEquals([clock.now(), clock.monotonic(), fired], [3_600_000, 0, 0]);
  await clock.advance(10);
  assertEquals(fired, 1);
});

Deno.test("sleep ends early with the reason of its signal and leaves no timer", async () => {
  const clock = new FakeClock(), stop = new AbortController();
  const asleep = assertRejects(() => sleep(clock, 1000, stop.signal), Error, "enough");
  stop.abort(new Error("enough"));
  await asleep;
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("withTimeout passes on what comes in time and gives up on what does not", async () => {
  const clock = new FakeClock();
  assertEquals(await withTimeout(clock, Promise.resolve(1), 10, () => new Error("late")), 1);
  const late = assertRejects(
    () => withTimeout(clock, new Promise(() => {}), 10, () => new Error("late")),
    Error,
    "late",
  );
  await clock.advance(10);
  await late;
  assertEquals(clock.pendingTimers, 0);
});
