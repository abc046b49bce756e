import { assertEquals } from "@std/assert";
import { FakeClock, KeyedRate, TokenBucket } from "./mod.ts";

Deno.test("a token bucket lets a burst through and then its rate", async () => {
  const clock = new FakeClock(), bucket = new TokenBucket(clock, 2, 3);
  assertEquals([1, 2, 3, 4].map(() => bucket.take()), [true, true, true, false]);
  await clock.advance(500);
  assertEquals([bucket.take(), bucket.take()], [true, false]);
  await clock.advance(60_000);
  assertEquals([1, 2, 3, 4].map(() => bucket.take()), [true, true, true, false]);
});

Deno.test("a keyed rate counts each key for itself and starts anew with each window", async () => {
  const clock = new FakeClock(), rate = new KeyedRate<string>(clock, 2, 1000);
  assertEquals(["a", "a", "a", "b"].map((key) => rate.take(key)), [true, true, false, true]);
  await clock.advance(1000);
  assertEquals(rate.take("a"), true);
});

Deno.test("a flood of made-up keys fills a keyed rate only so far, and known keys go on", () => {
  const rate = new KeyedRate<number>(new FakeClock(), 2, 1000, 3);
  assertEquals([1, 2, 3, 4, 5, 1].map((key) => rate.take(key)), [true, true, true, false, false, true]);
});
