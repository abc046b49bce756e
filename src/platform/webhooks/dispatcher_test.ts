import { assert, assertEquals } from "@std/assert";
import { AT_ONCE, FAILING_MS, pauseAfter } from "./lane.ts";
import { DEADLINE_MS } from "./deliveries.ts";
import type { Attempt } from "./sender.ts";
import { Stage } from "./testing_stage.ts";

const HOUR = 3_600_000, DAY = 24 * HOUR;
/** The longest pause of a lane after a failure. */
const LANE_MS = 60_000;
const down = () => ({ status: 500, error: "HTTP 500", ms: 1 });

/** Lets a long time pass without every look within it: the time of day jumps, and lanes' pauses go by. */
async function pass(stage: Stage, ms: number): Promise<void> {
  stage.clock.jump(Math.max(0, ms - LANE_MS));
  await stage.clock.advance(LANE_MS + 100);
}

Deno.test("what is queued is delivered once, and nothing looks any more", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  const dispatcher = await stage.dispatch();
  await stage.queue(id, 30);
  await stage.clock.advance(1000);
  assertEquals(stage.tried.length, 30);
  assertEquals(new Set(Object.values(await stage.states(id))), new Set(["delivered 1"]));
  await dispatcher[Symbol.asyncDispose]();
  assertEquals(stage.clock.pendingTimers, 0);
});

Deno.test("without an enabled webhook nothing is set to look", async () => {
  await using stage = await Stage.open();
  await stage.hook({ enabled: false });
  await using _ = await stage.dispatch(() => Promise.reject(new Error("nobody may be asked for the duty")));
  await stage.clock.advance(0);
  // Among several nodes only the rereading of the rows is left.
  assertEquals(stage.clock.pendingTimers, 1);
});

Deno.test("a delivery that fails is tried with doubling pauses, and given up after a day", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await using _ = await stage.dispatch();
  stage.answer = down;
  await stage.queue(id);
  await stage.clock.advance(100);
  for (const end = stage.clock.now() + DEADLINE_MS + HOUR; stage.clock.now() < end;) {
    await pass(stage, ((await stage.deliveries.next(id, 1))[0]?.next_try_at ?? end) - stage.clock.now());
  }
  const pauses = stage.tried.map(([at], i) => at - (stage.tried[i - 1]?.[0] ?? 0)).slice(1);
  pauses.forEach((pause, i) => {
    const full = Math.min(5000 * 2 ** i, HOUR);
    assert(pause >= full / 2 && pause <= full + LANE_MS, `pause ${i + 1}: ${pause}`);
  });
  assert(stage.tried.length > 25 && stage.tried.length < 60, String(stage.tried.length));
  const [row] = await stage.deliveries.list(id, {}, 1);
  assertEquals([row!.state, row!.last_status, row!.last_error, row!.next_try_at], [
    "failed",
    500,
    "HTTP 500",
    null,
  ]);
  assert(row!.ended_at! <= row!.deadline_at);
});

Deno.test("pauses are spread at random, and as long as the receiver asks for up to an hour", () => {
  assertEquals([pauseAfter(1, 0, 0), pauseAfter(1, 0, 1), pauseAfter(3, 0, 0)], [2500, 5000, 10_000]);
  assertEquals(pauseAfter(40, undefined, 1), HOUR);
  assertEquals([pauseAfter(1, 120_000, 0), pauseAfter(1, DAY, 0)], [120_000, HOUR]);
});

Deno.test("few are under way at once, and one where the last failed", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await using _ = await stage.dispatch();
  let underWay = 0, most = 0;
  const held: PromiseWithResolvers<void>[] = [];
  stage.answer = async () => {
    most = Math.max(most, ++underWay);
    const hold = Promise.withResolvers<void>();
    held.push(hold);
    await hold.promise;
    underWay--;
    return down();
  };
  await stage.queue(id, 100);
  await stage.clock.advance(0);
  assertEquals([underWay, most], [AT_ONCE, AT_ONCE]);
  for (const { resolve } of held.splice(0)) resolve();
  await stage.clock.advance(0);
  const before = stage.tried.length;
  most = 0;
  // The queue is long and the receiver down: one try, then a pause that grows up to a minute.
  for (let i = 0; i < 60; i++) {
    await stage.clock.advance(5000);
    for (const { resolve } of held.splice(0)) resolve();
  }
  await stage.clock.advance(0);
  assertEquals(most, 1);
  const tries = stage.tried.length - before;
  assert(tries >= 6 && tries < 12, String(tries));
  // It is back: all of it goes through.
  stage.answer = () => ({ status: 200, ms: 1 });
  await stage.clock.advance(5 * 60_000);
  assertEquals(Object.values(await stage.states(id)).filter((state) => !state.startsWith("delivered")), []);
});

Deno.test("a receiver that is slow or down holds no other webhook up", async () => {
  await using stage = await Stage.open();
  const slow = await stage.hook(), other = await stage.hook();
  const dispatcher = await stage.dispatch();
  stage.answer = (_, { row }, signal) =>
    row.id === other ? { status: 200, ms: 1 } : new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  await stage.queue(slow, 20);
  await stage.queue(other, 20);
  await stage.clock.advance(1000);
  assertEquals(new Set(Object.values(await stage.states(other))), new Set(["delivered 1"]));
  // What is broken off begins again with the next start: its row says nothing of it.
  await dispatcher[Symbol.asyncDispose]();
  assertEquals(new Set(Object.values(await stage.states(slow))), new Set(["waiting 0"]));
});

Deno.test("410 disables the webhook at once, and what waits for it stays until it is enabled or a day is over", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await using dispatcher = await stage.dispatch();
  stage.answer = () => ({ status: 410, error: "HTTP 410", ms: 1 });
  await stage.queue(id, 1);
  await stage.clock.advance(1000);
  await stage.queue(id, 1, 2);
  await stage.clock.advance(60_000);
  assertEquals(stage.disabled, [[id, "gone"]]);
  assertEquals(await stage.states(id), { e1: "failed 1", e2: "waiting 0" });
  const row = await stage.store.find(id);
  assertEquals([row!.enabled, row!.disabled_reason], [0, "gone"]);

  stage.answer = () => ({ status: 200, ms: 1 });
  await stage.store.update(id, { enabled: true });
  await dispatcher.hooks.changed(id);
  await stage.clock.advance(60_000);
  assertEquals(await stage.states(id), { e1: "failed 1", e2: "delivered 1" });
  assertEquals((await stage.store.find(id))!.disabled_reason, null);
});

Deno.test("nothing delivered for five days disables the webhook; one delivery on the way begins the time anew", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await using _ = await stage.dispatch();
  stage.answer = down;
  const days = async (count: number) => {
    for (let hour = 0; hour < count * 24; hour += 12) {
      await stage.queue(id, 1, stage.tried.length);
      await pass(stage, 12 * HOUR);
    }
  };
  await days(4);
  assert((await stage.store.find(id))!.failing_since !== null);
  stage.answer = () => ({ status: 200, ms: 1 });
  await days(0.5);
  assertEquals((await stage.store.find(id))!.failing_since, null);
  stage.answer = down;
  await days(FAILING_MS / DAY - 0.5);
  assertEquals(stage.disabled, []);
  await days(1);
  assertEquals(stage.disabled, [[id, "failing"]]);
});

Deno.test("how long a receiver has failed is known after a restart", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  stage.answer = down;
  {
    await using _ = await stage.dispatch();
    await stage.queue(id);
    await stage.clock.advance(1000);
  }
  const { failing_since } = (await stage.store.find(id))!;
  stage.clock.jump(FAILING_MS);
  await using _ = await stage.dispatch();
  await stage.queue(id, 1, 2);
  await stage.clock.advance(1000);
  assertEquals(stage.disabled, [[id, "failing"]]);
  assertEquals((await stage.store.find(id))!.failing_since, failing_since);
});

Deno.test("a webhook that leads elsewhere now is not held up by what was wrong before", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await using dispatcher = await stage.dispatch();
  stage.answer = (_, { row }) => row.url.endsWith("/new") ? { status: 200, ms: 1 } : down();
  await stage.queue(id, 5);
  await stage.clock.advance(10_000);
  await stage.store.update(id, { url: "https://hooks.example/new" });
  await dispatcher.hooks.changed(id);
  await stage.queue(id, 5, 6);
  await stage.clock.advance(100);
  const states = await stage.states(id);
  for (const event of ["e6", "e7", "e8", "e9", "e10"]) assertEquals(states[event], "delivered 1");
});

Deno.test("what ended is kept for a week, and of one webhook the newest", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await stage.queue(id, 12);
  {
    await using _ = await stage.dispatch();
    await stage.clock.advance(1000);
  }
  assertEquals(await stage.deliveries.forgetBeyond(id, 10), 2);
  assertEquals(await stage.deliveries.forgetBeyond(id, 10), 0);
  assertEquals(Object.keys(await stage.states(id)).length, 10);
  stage.clock.jump(8 * DAY);
  await using _ = await stage.dispatch();
  await stage.clock.advance(1000);
  assertEquals(await stage.states(id), {});
});

Deno.test("one of two nodes delivers, and the other goes on where it stops", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  let holder = "one";
  const duty = (node: string) => () => Promise.resolve(holder === node);
  await using _one = await stage.dispatch(duty("one"));
  await using _two = await stage.dispatch(duty("two"));
  await stage.queue(id, 10);
  await stage.clock.advance(5000);
  assertEquals([stage.tried.length, new Set(stage.tried.map(([, event]) => event)).size], [10, 10]);
  holder = "nobody";
  await stage.clock.advance(5000);
  await stage.queue(id, 10, 11);
  await stage.clock.advance(30_000);
  assertEquals(stage.tried.length, 10);
  holder = "two";
  await stage.clock.advance(5000);
  assertEquals([stage.tried.length, new Set(stage.tried.map(([, event]) => event)).size], [20, 20]);
});

Deno.test("a node whose word comes too late changes nothing that another has written", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await stage.queue(id);
  const [row] = await stage.deliveries.next(id, 1), now = stage.clock.now();
  const good = { status: 200, ms: 1 };
  assert(await stage.deliveries.settle(row!, good, { state: "delivered", endedAt: now }));
  assert(!await stage.deliveries.settle(row!, down(), { nextTryAt: now + 5000 }));
  assertEquals(await stage.states(id), { e1: "delivered 1" });
});

Deno.test("a database that is away for a while costs a second telling at most, and nothing is forgotten", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  await using _ = await stage.dispatch();
  const settle = stage.deliveries.settle.bind(stage.deliveries);
  let refuse = 2;
  stage.deliveries.settle = (...given) => refuse-- > 0 ? Promise.reject(new Error("away")) : settle(...given);
  await stage.queue(id);
  await stage.clock.advance(20_000);
  assertEquals(stage.tried.map(([, event]) => event), ["e1", "e1", "e1"]);
  assertEquals(await stage.states(id), { e1: "delivered 1" });
});

Deno.test("a delivery that ends while the queue is being read is not told again", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  const next = stage.deliveries.next.bind(stage.deliveries);
  const answers: PromiseWithResolvers<Attempt>[] = [];
  stage.answer = () => {
    const answer = Promise.withResolvers<Attempt>();
    answers.push(answer);
    return answer.promise;
  };
  await using _ = await stage.dispatch();
  await stage.queue(id);
  await stage.clock.advance(1);
  assertEquals(answers.length, 1);
  // On a server that answer may come after another one that was asked for later.
  stage.deliveries.next = async (...given) => {
    const rows = await next(...given);
    stage.deliveries.next = next;
    answers[0]!.resolve({ status: 200, ms: 1 });
    while ((await stage.states(id))["e1"] !== "delivered 1");
    for (let turn = 0; turn < 100; turn++) await stage.states(id);
    return rows;
  };
  await stage.queue(id, 1, 2);
  await stage.clock.advance(1000);
  answers[1]?.resolve({ status: 200, ms: 1 });
  await stage.clock.advance(1000);
  assertEquals(stage.tried.map(([, event]) => event), ["e1", "e2"]);
});
