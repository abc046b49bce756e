/**
 * Every limit of a manifest, attacked. Memory, time and the number of plug-ins are attacked in `hostile_test.ts`,
 * `engine_limits_test.ts` and `manager_test.ts` as well.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog, FakeClock, systemClock } from "../base/mod.ts";
import { PluginError } from "./errors.ts";
import { DEFAULT_CEILINGS } from "./manifest.ts";
import { until } from "./testing/expect.ts";
import { makeBench, pluginSource, testDeps } from "./testing/fixture.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, PluginError)).code;
}

/** Lets fake time go on, `ms` at a time, until the promise is settled. */
async function lived<T>(clock: FakeClock, promise: Promise<T>, ms: number): Promise<T> {
  let over = false;
  promise.finally(() => over = true).catch(() => {});
  while (!over) {
    await clock.advance(ms);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return await promise;
}

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`memory and time on the processor are limited, in ${isolation} isolation`, async () => {
    const source = pluginSource("p", {
      EAT: `() => { const a = []; for (;;) a.push(new Uint8Array(1 << 20)); }`,
      LOOP: "() => { for (;;); }",
      NEVER: "() => new Promise(() => {})",
    }, { limits: { memoryMb: 20, cpuMs: 30, callMs: 300 } });
    await using bench = await makeBench(isolation, { "p.js": source });
    assertEquals(await codeOf(bench.call("p", "LOOP")), "timeout");
    assertEquals(await codeOf(bench.call("p", "NEVER")), "timeout");
    assertEquals(await codeOf(bench.call("p", "EAT")), "limit");
  });
}

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`calls past those in flight wait in a queue, in order, and past it they are busy, in ${isolation} isolation`, async () => {
    const release: (() => void)[] = [], begun: string[] = [];
    const wait = ([n]: unknown[]) => {
      begun.push(String(n));
      return new Promise<null>((resolve) => release.push(() => resolve(null)));
    };
    const source = pluginSource(
      "p",
      { W: `async ({ n }, host) => { await host.t.wait(n); return { n }; }` },
      {
        capabilities: ["t"],
        limits: { calls: 2, queue: 3 },
      },
    );
    await using bench = await makeBench(isolation, { "p.js": source }, {
      capabilities: { t: { "t.wait": wait } },
    });
    const calls = ["1", "2", "3", "4", "5"].map((n) => bench.call("p", "W", { n }));
    assertEquals(await codeOf(bench.call("p", "W", { n: "6" })), "busy");
    await until(() => begun.length === 2);
    assertEquals(begun, ["1", "2"]);
    for (let i = 0; i < 5; i++) {
      await until(() => release.length > 0);
      release.shift()!();
      assertEquals(await calls[i], { n: String(i + 1) });
    }
    assertEquals(begun, ["1", "2", "3", "4", "5"]);
  });
}

Deno.test("a call that waits in the queue is given up when its time is over, and when the plug-in stops", async () => {
  const source = pluginSource("p", { NEVER: "() => new Promise(() => {})" }, {
    limits: { calls: 1, queue: 2, callMs: 60 },
  });
  await using bench = await makeBench("inline", { "p.js": source });
  const [first, second] = [bench.call("p", "NEVER"), bench.call("p", "NEVER")].map(codeOf);
  assertEquals([await first, await second], ["timeout", "timeout"]);
  const [running, waiting] = [bench.call("p", "NEVER"), bench.call("p", "NEVER")].map(codeOf);
  await bench.manager.stop("p");
  assertEquals(await waiting, "not_running");
  assert(["crashed", "timeout"].includes(await running!));
});

Deno.test("timers, lines of the log, messages and storage are limited in process isolation too", async () => {
  let sent = 0, lines = 0;
  const write = (line: string) => void (lines += / "?line \d+/.test(line) ? 1 : 0);
  const log = createLog({ level: "debug", format: "text", clock: systemClock, write });
  const told = "(one) => one.status + (one.reason ? ': ' + one.reason.message : '')";
  const source = pluginSource("p", {
    TIMERS: `async (_, { timers }) => {
      const all = await Promise.allSettled([1, 2, 3, 4].map(() => timers.wait(100)));
      return { all: all.map(${told}) };
    }`,
    PUSH: `async (_, host) => {
      const all = await Promise.allSettled([1, 2, 3].map(() => host.t.push("x")));
      return { all: all.map(${told}) };
    }`,
    STORE: `async (_, { storage }) => {
      const sizes = [3000, 2000];
      const all = await Promise.allSettled(sizes.map((size, i) => storage.set("k" + i, "x".repeat(size))));
      return { all: all.map(${told}) };
    }`,
    LOG: `() => { for (let i = 0; i < 90; i++) console.log("line " + i); return {}; }`,
  }, {
    capabilities: ["timers", "storage", "t"],
    limits: { timers: 3, messagesPerMinute: 2, storageKb: 4, logsPerSecond: 1 },
  });
  const push = Object.assign(() => void sent++, { message: true });
  const options = { capabilities: { t: { "t.push": push } } };
  await using bench = await makeBench("process", { "p.js": source }, options, testDeps({ log }));
  const ask = async (command: string) => (await bench.call("p", command))["all"];
  const done = "fulfilled";
  assertEquals(await ask("TIMERS"), [done, done, done, "rejected: timers: 3 are set already"]);
  assertEquals(await ask("PUSH"), [done, done, "rejected: t.push: more than 2 messages a minute"]);
  assertEquals(sent, 2);
  assertEquals(await ask("STORE"), [done, "rejected: storage: more than 4 KiB"]);
  await bench.call("p", "LOG");
  assert(lines >= 5 && lines <= 10, `${lines} lines`); // five at once, and one for each second that passed
});

Deno.test("log lines past the rate are dropped and counted", async () => {
  const written: string[] = [];
  const log = createLog({
    level: "debug",
    format: "text",
    clock: systemClock,
    write: (line) => void written.push(line),
  });
  const clock = new FakeClock();
  const source = pluginSource("p", {
    LOG: `() => { for (let i = 0; i < 100; i++) console.log("line " + i); return {}; }`,
  }, { limits: { logsPerSecond: 2 } });
  await using bench = await makeBench(
    "inline",
    { "p.js": source },
    {},
    testDeps({ clock, log }),
  );
  const lines = () => written.filter((line) => / "?line \d+/.test(line)).length;
  await bench.call("p", "LOG");
  assertEquals(lines(), 10); // five seconds' worth at once
  await clock.advance(1000);
  await bench.call("p", "LOG");
  assertEquals(lines(), 12);
  assert(
    written.some((line) => line.includes("90 log lines came too fast: dropped")),
    written.join("\n"),
  );
});

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`the number of lines that were dropped reaches the log although no other line follows, in ${isolation} isolation`, async () => {
    const source = pluginSource("p", {
      LOG: `({ lines }) => { for (let i = 0; i < lines; i++) console.log("line " + i); return {}; }`,
    });
    await using bench = await makeBench(isolation, { "p.js": source });
    const texts = () => bench.manager.logs("p").map(({ text }) => text);
    const told = (lines: number) => texts().includes(`${lines} log lines came too fast: dropped`);
    await bench.call("p", "LOG", { lines: "1000" });
    await until(() => told(900));
    // Past its rate, past what it may leave at once, and past what any guest may send.
    for (let i = 0; i < 8; i++) await bench.call("p", "LOG", { lines: "1000" });
    const logged = () => texts().filter((text) => text.startsWith("line ")).length;
    const number = (text: string) => Number(/^(\d+) log lines? came/.exec(text)?.[1] ?? 0);
    await until(() => logged() + texts().reduce((sum, text) => sum + number(text), 0) === 9000);
  });
}

Deno.test("more timers than allowed are refused, and those that ended count no more", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", {
    MANY: `async (_, host) => {
      const all = await Promise.allSettled([1, 2, 3, 4].map(() => host.timers.wait(1000)));
      return { all: all.map((one) => one.status + (one.reason ? ": " + one.reason.message : "")) };
    }`,
    BAD: `async (_, host) => {
      const all = await Promise.allSettled([-1, NaN, 1e12, "1", undefined].map((ms) => host.timers.wait(ms)));
      return { ok: all.filter((one) => one.status === "fulfilled").length };
    }`,
  }, { capabilities: ["timers"], limits: { timers: 3, callMs: 60000 } });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  for (let round = 0; round < 3; round++) {
    const done = "fulfilled";
    assertEquals((await lived(clock, bench.call("p", "MANY"), 500))["all"], [
      done,
      done,
      done,
      "rejected: timers: 3 are set already",
    ]);
  }
  assertEquals(await lived(clock, bench.call("p", "BAD"), 1), { ok: 0 });
});

Deno.test("messages past the rate are refused", async () => {
  let sent = 0;
  const clock = new FakeClock();
  const push = Object.assign(() => void sent++, { message: true });
  const source = pluginSource("p", {
    FLOOD: `async (_, host) => {
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => host.t.push("x")));
      return { why: all.at(-1).reason?.message };
    }`,
  }, { capabilities: ["t"], limits: { messagesPerMinute: 6 } });
  const options = { capabilities: { t: { "t.push": push } } };
  await using bench = await makeBench("inline", { "p.js": source }, options, testDeps({ clock }));
  assertEquals(await lived(clock, bench.call("p", "FLOOD"), 0), {
    why: "t.push: more than 6 messages a minute",
  });
  assertEquals(sent, 6);
  await clock.advance(10_000);
  await lived(clock, bench.call("p", "FLOOD"), 0);
  assertEquals(sent, 7);
});

Deno.test("no manifest may ask for more than the ceiling, or for less than nothing", async () => {
  await using bench = await makeBench("inline", {}, { ceilings: { queue: 10, timers: 1 } });
  const ceilings = { ...DEFAULT_CEILINGS, queue: 10, timers: 1 };
  for (const [name, most] of Object.entries(ceilings)) {
    for (const value of [most + 1, -1, 0.5, 1e300]) {
      const error = await assertRejects(
        () => bench.manager.install("p", pluginSource("p", {}, { limits: { [name]: value } })),
        PluginError,
      );
      assert(
        error.faults.every((fault: string) => fault.startsWith(`manifest.limits.${name}:`)),
        error.message,
      );
    }
  }
  await bench.manager.install("p", pluginSource("p", {}, { limits: { ...ceilings, memoryMb: 16 } }));
  assertEquals(bench.manager.get("p")?.limits?.queue, 10);
});
