import { assertEquals } from "@std/assert";
import { FakeClock, hourly } from "./mod.ts";

const HOUR = 3_600_000;

Deno.test("a chore is done every hour, also after one that failed, and never two at once", async () => {
  const clock = new FakeClock(), errors: unknown[] = [];
  let begun = 0, held = Promise.withResolvers<void>();
  await using _chore = hourly(clock, () => {
    begun++;
    return held.promise;
  }, (error) => errors.push(error));
  await clock.advance(HOUR - 1);
  assertEquals(begun, 0);
  await clock.advance(3 * HOUR);
  assertEquals(begun, 1, "the first is still at it");
  const { reject } = held;
  held = Promise.withResolvers();
  reject("away");
  await clock.advance(HOUR);
  assertEquals([begun, errors], [2, ["away"]]);
  held.resolve();
});

Deno.test("a chore's end waits for what is under way, tells it, and makes nothing of how that fails", async () => {
  const clock = new FakeClock(), errors: unknown[] = [];
  let begun = 0, ended = false;
  const chore = hourly(clock, async (signal) => {
    begun++;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended = true;
    throw new Error("broken off");
  }, (error) => errors.push(error));
  await clock.advance(HOUR);
  await chore[Symbol.asyncDispose]();
  assertEquals([begun, ended, errors], [1, true, []]);
  await clock.advance(2 * HOUR);
  assertEquals(begun, 1);
});
