import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Clock, FakeClock, silentLog, systemClock, type Timer } from "../../base/mod.ts";
import { MINUTE } from "./local_time.ts";
import { LOOK_MS, Scheduler, type SchedulerOptions } from "./scheduler.ts";
import { EVERY_DAY, standingOf, type Timetable, windowTable } from "./timetable.ts";

const MONDAY = Date.UTC(2026, 2, 2);
const HOUR = 60 * MINUTE;
const zone = () => 0;
/** On from 08:00 to 22:00 every day. */
const DAYTIME = windowTable(8 * 60, 22 * 60, EVERY_DAY, true);

/** A switch that remembers, on a scheduler. */
function stage(clock: FakeClock, table: Timetable, more: Partial<SchedulerOptions> = {}) {
  const switched: [number, boolean][] = [];
  const scheduler = new Scheduler({
    clock,
    log: silentLog,
    what: "WiFi",
    table,
    zone,
    apply: (on) => Promise.resolve(void switched.push([clock.now(), on])),
    ...more,
  });
  return { scheduler, switched };
}

Deno.test("at its start it brings into force what the timetable says, and then switches to the millisecond", async () => {
  const clock = new FakeClock(MONDAY + 7 * HOUR);
  const { scheduler, switched } = stage(clock, DAYTIME);
  // Fake time runs through every look at the clock: only the hours with something in them are lived through.
  await clock.advance(HOUR);
  clock.jump(13 * HOUR);
  await clock.advance(HOUR);
  assertEquals(switched, [[MONDAY + 7 * HOUR, false], [MONDAY + 8 * HOUR, true], [
    MONDAY + 22 * HOUR,
    false,
  ]]);
  assertEquals(scheduler.status(), {
    standing: { on: false, since: MONDAY + 22 * HOUR },
    next: MONDAY + 32 * HOUR,
    error: undefined,
  });
  await scheduler[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("it looks at the clock every thirty seconds and no oftener", async () => {
  const clock = new FakeClock(MONDAY + 9 * HOUR);
  let timers = 0;
  const counting = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (callback: () => void, ms: number) => (timers++, clock.setTimer(callback, ms)),
  };
  const { scheduler } = stage(clock, DAYTIME, { clock: counting });
  await clock.advance(HOUR);
  assertEquals(timers, 1 + HOUR / LOOK_MS);
  await scheduler[Symbol.asyncDispose]();
});

Deno.test("a clock that jumps, forwards or backwards, is followed within thirty seconds", async () => {
  const clock = new FakeClock(MONDAY + 9 * HOUR);
  const { scheduler, switched } = stage(clock, DAYTIME);
  await clock.advance(MINUTE);
  clock.jump(14 * HOUR);
  await clock.advance(LOOK_MS);
  assertEquals(switched.map(([, on]) => on), [true, false]);
  clock.jump(-14 * HOUR);
  await clock.advance(LOOK_MS);
  assertEquals(switched.map(([, on]) => on), [true, false, true]);
  await scheduler[Symbol.asyncDispose]();
});

Deno.test("before the clock is set nothing is switched; once it is, what the timetable says", async () => {
  const clock = new FakeClock(60_000);
  const { scheduler, switched } = stage(clock, DAYTIME);
  await clock.advance(10 * MINUTE);
  assertEquals([switched.length, scheduler.status().standing], [0, undefined]);
  clock.jump(MONDAY + 23 * HOUR - clock.now());
  await clock.advance(LOOK_MS);
  assertEquals(switched.map(([, on]) => on), [false]);
  await scheduler[Symbol.asyncDispose]();
});

Deno.test("what fails to switch is tried again at the next look", async () => {
  const clock = new FakeClock(MONDAY + 9 * HOUR);
  let tries = 0;
  const { scheduler } = stage(clock, DAYTIME, {
    apply: () => ++tries < 3 ? Promise.reject(new Error("the radio does not answer")) : Promise.resolve(),
  });
  await clock.advance(0);
  assertEquals(scheduler.status().error, "the radio does not answer");
  await clock.advance(3 * LOOK_MS);
  assertEquals([tries, scheduler.status().error], [3, undefined]);
  await scheduler[Symbol.asyncDispose]();
});

Deno.test("another timetable holds at once, and none brings back what was switched off", async () => {
  const clock = new FakeClock(MONDAY + 9 * HOUR);
  const { scheduler, switched } = stage(clock, []);
  await clock.advance(HOUR);
  assertEquals([switched, clock.pendingTimers], [[], 0]);
  await scheduler.replace(windowTable(20 * 60, 22 * 60, EVERY_DAY, true));
  await scheduler.replace([]);
  await scheduler.replace([]);
  assertEquals(switched.map(([, on]) => on), [false, true]);
  await scheduler.replace(DAYTIME);
  await scheduler.replace([]);
  assertEquals(switched.map(([, on]) => on), [false, true, true], "what is on is left alone");
  assertEquals(clock.pendingTimers, 0);
  await scheduler[Symbol.asyncDispose]();
});

Deno.test("a timetable that comes while the radio is being switched is not forgotten", async () => {
  const clock = new FakeClock(MONDAY + 9 * HOUR);
  const gate = Promise.withResolvers<void>();
  const switched: boolean[] = [];
  const { scheduler } = stage(clock, DAYTIME, {
    apply: async (on) => {
      await gate.promise;
      switched.push(on);
    },
  });
  const replaced = scheduler.replace(windowTable(20 * 60, 22 * 60, EVERY_DAY, true));
  gate.resolve();
  await replaced;
  assertEquals(switched, [true, false]);
  await scheduler[Symbol.asyncDispose]();
});

Deno.test("a timetable that comes at any moment of the switching is in force when its replacing resolves", async () => {
  const evening = windowTable(20 * 60, 22 * 60, EVERY_DAY, true);
  for (let turn = 0; turn < 30; turn++) {
    const clock = new FakeClock(MONDAY + 9 * HOUR);
    const { scheduler, switched } = stage(clock, DAYTIME);
    for (let count = 0; count < turn; count++) await undefined;
    await scheduler.replace(evening);
    assertEquals([switched.at(-1)?.[1], clock.pendingTimers], [false, 1], `after ${turn} turns`);
    await scheduler[Symbol.asyncDispose]();
  }
});

Deno.test("what a timetable held off is switched on after a restart that finds no timetable any more", async () => {
  const clock = new FakeClock(MONDAY + 23 * HOUR);
  let kept = false;
  const heldOff = { get: () => kept, set: (value: boolean) => Promise.resolve(void (kept = value)) };
  const first = stage(clock, DAYTIME, { heldOff });
  await clock.advance(0);
  assertEquals([first.switched.length, kept], [1, true]);
  await first.scheduler[Symbol.asyncDispose](); // as kill -9 does, without a word
  const second = stage(clock, [], { heldOff });
  await clock.advance(0);
  assertEquals([second.switched.map(([, on]) => on), kept], [[true], false]);
  await second.scheduler[Symbol.asyncDispose]();
  const third = stage(clock, [], { heldOff });
  await clock.advance(0);
  assertEquals(third.switched, [], "what nobody held off is left alone");
  await third.scheduler[Symbol.asyncDispose]();
});

/** Lets promise callbacks run, and those that these make ready. */
async function turns(): Promise<void> {
  for (let count = 0; count < 30; count++) await undefined;
}

/** A clock as FakeClock, for weeks: between timers only promise callbacks run. */
class WeekClock implements Clock {
  #wall = MONDAY;
  #elapsed = 0;
  #timer: { due: number; callback: () => void } | undefined;

  now(): number {
    return this.#wall + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = this.#timer = { due: this.#elapsed + delayMs, callback };
    return { cancel: () => void (this.#timer === timer && (this.#timer = undefined)) };
  }

  jump(ms: number): void {
    this.#wall += ms;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await turns();
    for (let timer = this.#timer; timer && timer.due <= end; timer = this.#timer) {
      this.#elapsed = timer.due;
      this.#timer = undefined;
      timer.callback();
      await turns();
    }
    this.#elapsed = end;
  }
}

Deno.test("over weeks of jumps, stops and changes to and from summer time the radio is never wrong for longer than a look", async () => {
  // Summer time begins on the first Thursday, in the second of those hours, and ends on the second Friday.
  const summer = (moment: number) => moment >= MONDAY + 74 * HOUR && moment < MONDAY + 267 * HOUR ? 120 : 60;
  const line = fc.record({
    days: fc.integer({ min: 1, max: EVERY_DAY }),
    minute: fc.integer({ min: 0, max: 1439 }),
    on: fc.boolean(),
    enabled: fc.boolean(),
  });
  const step = fc.record({
    minutes: fc.integer({ min: 1, max: 3000 }),
    jumpMinutes: fc.oneof(fc.constant(0), fc.integer({ min: -3000, max: 3000 })),
    restart: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 5 }),
      fc.array(step, { minLength: 12, maxLength: 14 }),
      async (table, steps) => {
        const clock = new WeekClock();
        let radio: boolean | undefined;
        const start = () =>
          new Scheduler({
            clock,
            log: silentLog,
            what: "WiFi",
            table,
            zone: summer,
            apply: (on) => Promise.resolve(void (radio = on)),
          });
        let scheduler = start();
        for (const { minutes, jumpMinutes, restart } of steps) {
          if (restart) {
            await scheduler[Symbol.asyncDispose]();
            radio = undefined;
            scheduler = start();
          }
          clock.jump(jumpMinutes * MINUTE);
          await clock.advance(LOOK_MS);
          assertEquals(radio, standingOf(table, summer, clock.now())?.on);
          await clock.advance(minutes * MINUTE);
          assertEquals(radio, standingOf(table, summer, clock.now())?.on);
        }
        await scheduler[Symbol.asyncDispose]();
      },
    ),
    { numRuns: 5 },
  );
});

Deno.test("by the real clock it switches no earlier than the timetable says", async () => {
  // The wall clock of this test shows two tenths of a second to eight.
  const shift = MONDAY + 8 * HOUR - 200 - systemClock.now();
  const clock = { ...systemClock, now: () => systemClock.now() + shift };
  const { promise, resolve } = Promise.withResolvers<number>();
  await using _scheduler = new Scheduler({
    clock,
    log: silentLog,
    what: "WiFi",
    table: DAYTIME,
    zone,
    apply: (on) => Promise.resolve(on ? resolve(clock.now()) : undefined),
  });
  assert(await promise >= MONDAY + 8 * HOUR);
});
