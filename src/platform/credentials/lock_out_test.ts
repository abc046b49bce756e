import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { LockOut } from "./lock_out.ts";

function setUp(maxKeys = 100) {
  const clock = new FakeClock();
  const lock = new LockOut(clock, { free: 3, lockMs: 1000, maxLockMs: 5000, forgetMs: 60_000, maxKeys });
  return { clock, lock };
}

Deno.test("some tries are free, then each further one waits twice as long, up to a maximum", async () => {
  const { clock, lock } = setUp();
  assertEquals([lock.begin("a"), lock.begin("a"), lock.begin("a")], [0, 0, 0]);
  for (const wait of [1000, 2000, 4000, 5000, 5000]) {
    assertEquals(lock.begin("a"), wait);
    await clock.advance(wait - 1);
    assertEquals(lock.begin("a"), 1);
    await clock.advance(1);
    assertEquals(lock.begin("a"), 0);
  }
  assertEquals(lock.begin("b"), 0);
});

Deno.test("tries at the same time count before any of them is judged", () => {
  const { lock } = setUp();
  const allowed = Array.from({ length: 50 }, () => lock.begin("a")).filter((wait) => wait === 0).length;
  assertEquals(allowed, 3);
});

Deno.test("success forgives, a try that could not be judged does not count, and long silence forgets", async () => {
  const { clock, lock } = setUp();
  for (let i = 0; i < 3; i++) lock.begin("a");
  lock.succeed("a");
  assertEquals(lock.begin("a"), 0);
  for (let i = 0; i < 10; i++) {
    assertEquals(lock.begin("b"), 0);
    lock.withdraw("b");
  }
  lock.withdraw("never tried");
  for (let i = 0; i < 3; i++) lock.begin("c");
  assert(lock.begin("c") > 0);
  await clock.advance(60_000);
  assertEquals([lock.begin("c"), lock.begin("c"), lock.begin("c")], [0, 0, 0]);
});

Deno.test("a flood of made-up keys costs bounded memory", () => {
  const { lock } = setUp(100);
  for (let i = 0; i < 10_000; i++) lock.begin(`made-up-${i}`);
  assertEquals(lock.size, 100);
});
