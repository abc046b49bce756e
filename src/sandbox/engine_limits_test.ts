/**
 * What ends a guest of the engine: time, memory, depth. Counted in looks at the clock, so that no test depends on the machine.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ProgramError } from "./engine.ts";
import { createQuickJsEngine } from "./engine_quickjs.ts";
import { attack, countedClock, faultOf, LIMITS, open, PATIENT } from "./testing/guests.ts";

Deno.test("a program whose loading never ends is refused", async () => {
  assert(await open(`await new Promise(() => {});`).catch((error) => error) instanceof ProgramError);
  // The last one lies in wait for whoever wants to tell what was thrown.
  for (const source of ["for (;;);", "throw { toJSON() { for (;;); } };"]) {
    const fault = await open(source).catch((error) => error);
    assertEquals(fault.kind, "interrupted", source);
  }
});

Deno.test("loops in JavaScript are broken off and the guest goes on", async (t) => {
  const loops = {
    plain: "() => { for (;;); }",
    caught: "() => { for (;;) try { for (;;); } catch {} }",
    afterAwait: "async () => { await 0; for (;;); }",
    generator: "() => { const g = (function* () { for (;;) yield 1; })(); for (const _ of g); }",
    regex: `() => /^(a+)+$/.test("a".repeat(40) + "b")`,
    getter: "() => ({ get v() { for (;;); } })",
    toJSON: "() => ({ toJSON() { for (;;); } })",
  };
  for (const [name, run] of Object.entries(loops)) {
    await t.step(name, async () => {
      const { kind, isolate } = await attack(run);
      assertEquals(kind, "interrupted");
      isolate.invoke(2, "ok", "{}");
    });
  }
});

Deno.test("on a machine that is away for long between two looks, a loop in JavaScript is not taken for a built-in that is stuck", async (t) => {
  const loops = {
    plain: "() => { for (;;); }",
    makesObjects: "() => { for (;;) ({ a: [1, 2, 3], b: {} }); }",
    usesBuiltIns: `() => { for (;;) JSON.parse('{"a":[3,1,2]}').a.sort((x, y) => x - y).join(","); }`,
    breedsJobs:
      "() => { const f = () => { Promise.resolve().then(f); }; f(); return new Promise(() => {}); }",
  };
  for (const awayMs of [10, 60, 200, 5000]) {
    const on = createQuickJsEngine(countedClock(awayMs));
    for (const [name, run] of Object.entries(loops)) {
      await t.step(`${name}, ${awayMs} ms`, async () => {
        const { kind, isolate } = await attack(run, LIMITS, on);
        assertEquals(kind, "interrupted");
        isolate.invoke(2, "ok", "{}");
      });
    }
    const loading = await open("for (;;);", {}, [], LIMITS, on).catch((error) => error);
    assertEquals(loading.kind, "interrupted");
    const search = `() => ({ at: "a".repeat(1e6).indexOf("a".repeat(5e5) + "b") })`;
    assertEquals((await attack(search, LIMITS, on)).kind, "stuck");
  }
});

Deno.test("recursion ends in an error of the guest's own", async () => {
  const { threw, isolate } = await attack("() => { const f = () => f() + 1; return f(); }");
  assertEquals(threw, "stack overflow");
  isolate.invoke(2, "ok", "{}");
});

Deno.test("a guest that eats memory is stopped at its limit", async (t) => {
  const eaters = {
    strings: `() => { const a = []; for (;;) a.push("x".repeat(65536) + a.length); }`,
    caught:
      `() => { const a = []; for (;;) try { for (;;) a.push("x".repeat(65536) + a.length); } catch {} }`,
    buffers: `() => { const a = []; for (;;) a.push(new Uint8Array(1 << 20)); }`,
    one: `() => new ArrayBuffer(1 << 30)`,
    shared: `() => { const a = []; for (;;) a.push(new SharedArrayBuffer(1 << 20)); }`,
    resized: `() => new ArrayBuffer(1, { maxByteLength: 1 << 28 }).resize(1 << 28)`,
    weak: `() => { const a = []; for (let i = 0;; i++) a.push(new WeakRef({ i })); }`,
    registered:
      `() => { const r = new FinalizationRegistry(() => {}), a = []; for (;;) { const o = {}; a.push(o); r.register(o, 1); } }`,
    padded: `() => ({ n: "x".padEnd(2 ** 29).length })`,
    replaced: `() => ({ n: "x".repeat(1e6).replace(/x/g, "y".repeat(1e4)).length })`,
    arguments: `() => Math.max(...new Array(1e7).fill(1))`,
    doubling: `() => { let s = "x"; for (;;) s = (s + s + 1).toUpperCase(); }`,
  };
  for (const [name, run] of Object.entries(eaters)) {
    await t.step(name, async () => {
      const { kind, isolate } = await attack(run, PATIENT);
      assertEquals(kind, "memory");
      assert(isolate.heapBytes <= LIMITS.memoryBytes);
      assertEquals(faultOf(() => isolate.invoke(2, "ok", "{}")).kind, "crashed");
    });
  }
});

Deno.test("what nests deep in a built-in ends in the guest's error, or costs it its life", async (t) => {
  const deep = {
    captures: [`() => new RegExp("(".repeat(1e5) + ")".repeat(1e5))`, "too many captures"],
    proxies: [
      `() => { let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); return p.x; }`,
      "stack overflow",
    ],
    source: [`() => (0, eval)("[".repeat(1e5))`, "crashed"],
    joined: [
      `() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return { a: String(a) }; }`,
      "crashed",
    ],
  };
  for (const [name, [run, end]] of Object.entries(deep)) {
    await t.step(name, async () => {
      const { kind, threw, isolate } = await attack(run!, PATIENT);
      assertEquals(kind ?? threw, end);
      if (kind === undefined) isolate.invoke(2, "ok", "{}");
    });
  }
});

Deno.test("a guest gets nearly all of its memory before it is stopped", async () => {
  const { isolate, seen } = await open(
    "const kept = []; export const commands = { KEEP() { kept.push(new Uint8Array(1 << 18)); } };",
    {},
    [],
    { ...LIMITS, memoryBytes: 64 * 1024 * 1024 },
  );
  const fault = faultOf(() => {
    for (let i = 0; i < 1000; i++) isolate.invoke(i, "KEEP", "{}");
  });
  assertEquals(fault.kind, "memory");
  assertEquals(fault.message, "needs more memory than its limit of 64 MiB (limits.memoryMb)");
  assert(seen.returned.length / 4 > 56, `${seen.returned.length / 4} MiB of 64`);
});

Deno.test("JSON nested 100,000 deep costs the guest its life, and no other", async () => {
  const { isolate: other, seen } = await open(`export const commands = { ok: () => ({}) };`);
  assertEquals((await attack(`() => ({ v: JSON.parse("[".repeat(100000)) })`)).kind, "crashed");
  // The search for cycles takes a time that grows with the square of the depth: that ends it first, if not much is left.
  const build = `() => { let v = 1; for (let i = 0; i < 100000; i++) v = [v]; return { v }; }`;
  assertEquals((await attack(build)).kind, "stuck");
  assertEquals((await attack(build, PATIENT)).kind, "crashed");
  other.invoke(1, "ok", "{}");
  assertEquals(seen.returned, [[1, "{}"]]);
});

Deno.test("jobs that breed jobs are broken off", async () => {
  const { kind } = await attack(
    `() => { const f = () => { Promise.resolve().then(f); }; f(); return new Promise(() => {}); }`,
  );
  assertEquals(kind, "interrupted");
});

Deno.test("memory in use is measured and does not grow over calls", async () => {
  const { isolate } = await open(
    `export const commands = { A: async (r) => ({ got: r.x }), B: (r) => ({ got: r.x }) };`,
  );
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      isolate.invoke(i, "A", `{"x":"${"y".repeat(i % 5000)}"}`);
      isolate.invoke(i, "B", `{"x":1}`);
    }
  };
  run(2000);
  const before = isolate.usedBytes(), heap = isolate.heapBytes;
  run(20_000);
  assert(isolate.usedBytes() - before < 20_000, `${isolate.usedBytes() - before} bytes more`);
  assertEquals(isolate.heapBytes, heap);
});
