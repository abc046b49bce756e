import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineFault, type Isolate, ProgramError } from "./engine.ts";
import { createQuickJsEngine } from "./engine_quickjs.ts";
import { GUEST_SOURCE } from "./guest.ts";

const LIMITS = { memoryBytes: 32 * 1024 * 1024, sliceMs: 100 };
const PATIENT = { ...LIMITS, sliceMs: 60_000 };
const engine = createQuickJsEngine(countedClock(1));

/** A clock that goes on by so much at each look: how much a guest may do is counted then, and no matter of the machine. */
function countedClock(stepMs: number): () => number {
  let now = 0;
  return () => now += stepMs;
}

/** A guest and what it left for its host. */
async function open(
  source: string,
  modules: Record<string, string> = {},
  functions: string[] = [],
  limits = LIMITS,
  on = engine,
) {
  const seen = {
    returned: [] as [number, string][],
    threw: [] as [number, string][],
    hostCalls: [] as [number, string, string][],
    logs: [] as [string, string][],
  };
  const isolate = await on.open(limits, {
    returned: (call, text) => seen.returned.push([call, text]),
    threw: (call, message) => seen.threw.push([call, message]),
    hostCall: (seq, name, args) => seen.hostCalls.push([seq, name, args]),
    log: (level, text) => seen.logs.push([level, text]),
  });
  const facts = JSON.parse(
    isolate.load({ entry: "plugin.js", modules: { "plugin.js": source, ...modules } }),
  );
  isolate.admit(functions, limits);
  return { isolate, facts, seen };
}

function faultOf(run: () => void): EngineFault {
  return assertThrows(run, EngineFault);
}

Deno.test("a program tells its manifest and its commands", async () => {
  const { facts } = await open(`
    export const manifest = { name: "x", list: [1, "二"] };
    export const commands = { A() {}, async B() {}, notAFunction: 1 };
    export function start() {}`);
  assertEquals(facts, {
    manifest: { name: "x", list: [1, "二"] },
    commands: ["A", "B"],
    start: true,
    stop: false,
    health: false,
  });
});

Deno.test("commands return at once or by a promise", async () => {
  const { isolate, seen } = await open(`export const commands = {
    A: (r) => ({ got: r.x }), B: async (r) => ({ got: r.x }), C() {},
    D: (r) => ({ then(done) { done({ thenable: r.x }); } }) };`);
  isolate.invoke(1, "A", `{"x":"é二\\u0000"}`);
  isolate.invoke(2, "B", `{"x":2}`);
  isolate.invoke(3, "C", "{}");
  isolate.invoke(4, "D", `{"x":4}`);
  assertEquals(seen.returned.sort((a, b) => a[0] - b[0]), [
    [1, `{"got":"é二\\u0000"}`],
    [2, `{"got":2}`],
    [3, "{}"],
    [4, `{"thenable":4}`],
  ]);
});

Deno.test("what a command throws comes out as its message", async () => {
  const { isolate, seen } = await open(`export const commands = {
    A() { throw new Error("no\\ndisk"); }, async B() { throw "text"; }, C() { throw null; },
    D() { throw { get message() { throw 1; } }; }, E: () => 5, F: () => ({ v: 1n }),
    G() { const a = {}; a.a = a; return a; } };`);
  for (const [i, name] of [..."ABCDEFG"].entries()) isolate.invoke(i, name, "{}");
  assertEquals(seen.threw.sort((a, b) => a[0] - b[0]).map(([, message]) => message.split("\n")[0]), [
    "no",
    "text",
    "null",
    "",
    "the command returned no object",
    "Do not know how to serialize a BigInt",
    "circular reference",
  ]);
});

Deno.test("a host function is called by leaving a text, and answered by another", async () => {
  const source =
    `export const commands = { async A(_, host) { return { v: await host.system.cpu(1, "x") }; } };`;
  const { isolate, seen } = await open(source, {}, ["system.cpu"]);
  isolate.invoke(1, "A", "{}");
  isolate.invoke(2, "A", "{}");
  assertEquals(seen.hostCalls, [[1, "system.cpu", `[1,"x"]`], [2, "system.cpu", `[1,"x"]`]]);
  isolate.answer(2, false, `"not now"`);
  isolate.answer(1, true, `{"percent":42}`);
  assertEquals(seen.threw, [[2, "not now"]]);
  assertEquals(seen.returned, [[1, `{"v":{"percent":42}}`]]);
});

Deno.test("an answer that nobody waits for is ignored", async () => {
  const { isolate, seen } = await open(`export const commands = {};`);
  isolate.answer(99, true, "1");
  assertEquals(seen.returned, []);
});

Deno.test("more host calls at one time than allowed are refused in the guest", async () => {
  const source = `export const commands = { async A(_, host) {
    const all = []; for (let i = 0; i < 100; i++) all.push(host.s.f().catch((e) => e.message));
    return { last: (await all[99]) }; } };`;
  const { isolate, seen } = await open(source, {}, ["s.f"]);
  isolate.invoke(1, "A", "{}");
  assertEquals(seen.hostCalls.length, 64);
  assertEquals(seen.returned, [[1, `{"last":"s.f: too many calls to the host at one time"}`]]);
});

Deno.test("console and host.log write to the log, and no more than a hundred lines at once", async () => {
  const { isolate, seen } = await open(`export const commands = {
    A(_, host) { console.warn("a", { b: 1 }); host.log("c"); host.log.error("x".repeat(9999)); },
    B() { for (let i = 0; i < 1000; i++) console.log(i); } };`);
  isolate.invoke(1, "A", "{}");
  assertEquals(seen.logs.map(([level, text]) => [level, text.length > 20 ? text.length : text]), [
    ["warn", `a {"b":1}`],
    ["info", "c"],
    ["error", 2048],
  ]);
  isolate.invoke(2, "B", "{}");
  assertEquals(seen.logs.length, 3 + 100 + 1);
  assertEquals(seen.logs.at(-1), ["warn", "900 more log lines at once: dropped"]);
});

Deno.test("modules are imported from the plug-in's own folder only", async () => {
  const { facts } = await open(`export { manifest } from "./lib/m.js"; export const commands = {};`, {
    "lib/m.js": `import { n } from "../n.js"; export const manifest = { n };`,
    "n.js": `export const n = 5;`,
  });
  assertEquals(facts.manifest, { n: 5 });
  for (
    const bad of [
      "../x.js",
      "node:fs",
      "https://example.com/a.js",
      "./missing.js",
      "/etc/passwd",
      "__proto__",
    ]
  ) {
    const isolate = await engine.open(LIMITS, { returned() {}, threw() {}, hostCall() {}, log() {} });
    const source = `import ${JSON.stringify(bad)}; export const commands = {};`;
    assertThrows(() => isolate.load({ entry: "plugin.js", modules: { "plugin.js": source } }), ProgramError);
  }
});

Deno.test("a program that does not parse is refused with its file and line", async () => {
  const error = await open(`export const a = 1;\nexport const b = ;`).catch((error) => error);
  assert(error instanceof ProgramError);
  assertEquals(error.message, "SyntaxError: unexpected token in expression: ';' (plugin.js:2:18)");
});

Deno.test("a program whose loading never ends is refused", async () => {
  assert(await open(`await new Promise(() => {});`).catch((error) => error) instanceof ProgramError);
  // The last one lies in wait for whoever wants to tell what was thrown.
  for (const source of ["for (;;);", "throw { toJSON() { for (;;); } };"]) {
    const fault = await open(source).catch((error) => error);
    assertEquals(fault.kind, "interrupted", source);
  }
});

/** Calls `run` in a fresh guest: what came of it. */
async function attack(
  run: string,
  limits = LIMITS,
  on = engine,
): Promise<{ kind?: string; threw?: string; isolate: Isolate }> {
  const source = `export const commands = { ok: () => ({}), attack: ${run} };`;
  const { isolate, seen } = await open(source, {}, [], limits, on);
  try {
    isolate.invoke(1, "attack", "{}");
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error;
    return { kind: error.kind, isolate };
  }
  return { threw: seen.threw[0]?.[1] ?? "nothing", isolate };
}

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

Deno.test("a guest finds nothing of the host", async () => {
  const { isolate, seen } = await open(
    `export const commands = { A(_, host) {
      const names = (o) => o ? Reflect.ownKeys(o).map(String) : [];
      const global = (0, eval)("this");
      const made = (() => {}).constructor("return this")();
      return {
        same: global === made && made === globalThis,
        found: ["Deno", "process", "require", "fetch", "WebAssembly", "Worker", "setTimeout", "importScripts", "std",
          "os", "performance", "navigator", "SharedArrayBuffer", "scriptArgs", "print"].filter((n) => n in globalThis),
        host: names(host), system: names(host.system), proto: Object.getPrototypeOf(host) === null,
        caller: names((function () { return this; }).call(undefined)).length > 0,
        climb: host.system.cpu.constructor("return typeof Deno")(),
      }; } };`,
    {},
    ["system.cpu"],
  );
  isolate.invoke(1, "A", "{}");
  assertEquals(JSON.parse(seen.returned[0]![1]), {
    same: true,
    found: ["SharedArrayBuffer"], // of the guest's own memory
    host: ["system", "log"],
    system: ["cpu"],
    proto: true,
    caller: false,
    climb: "undefined",
  });
});

Deno.test("tampering with every prototype does not reach the host's side", async () => {
  const { isolate, seen } = await open(
    `
    const evil = function () { throw "tampered"; };
    const { ownKeys } = Reflect;
    const all = [Promise.prototype, Array.prototype, String.prototype, JSON, Reflect, Function.prototype, Promise, Object];
    for (let i = 0; i < all.length; i++) {
      const keys = ownKeys(all[i]);
      for (let j = 0; j < keys.length; j++) {
        if (keys[j] !== "constructor" && keys[j] !== "prototype") try { all[i][keys[j]] = evil; } catch {}
      }
    }
    Object.prototype.resolve = evil; Object.prototype.text = "x"; globalThis.Error = evil;
    export const commands = { A: (r) => ({ got: r.x, __proto__: null }), B: async (r) => ({ got: r.x }) };`,
  );
  isolate.invoke(1, "A", `{"x":1,"__proto__":{"polluted":1}}`);
  isolate.invoke(2, "B", `{"x":2}`);
  assertEquals(seen.returned, [[1, `{"got":1}`], [2, `{"got":2}`]]);
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
});

Deno.test("the host object cannot be changed by the guest", async () => {
  const { isolate, seen } = await open(
    `export const commands = { A(_, host) {
      const tries = [() => { host.system = 1; }, () => { host.system.cpu = 1; }, () => { host.x = 1; },
        () => { delete host.system; }, () => { host.log.info = 1; }, () => { Object.setPrototypeOf(host, {}); }];
      return { refused: tries.filter((t) => { try { t(); return false; } catch { return true; } }).length };
    } };`,
    {},
    ["system.cpu"],
  );
  isolate.invoke(1, "A", "{}");
  assertEquals(seen.returned, [[1, `{"refused":6}`]]);
});

Deno.test("the guest's own side is one expression and knows no host global", () => {
  assert(GUEST_SOURCE.startsWith("(function ("));
  assert(!/\b(Deno|process|fetch)\b/.test(GUEST_SOURCE));
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
