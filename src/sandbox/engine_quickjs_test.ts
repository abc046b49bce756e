import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProgramError } from "./engine.ts";
import { GUEST_SOURCE } from "./guest.ts";
import { engine, LIMITS, open } from "./testing/guests.ts";

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

Deno.test("arguments that are left out at the end are not sent to the host", async () => {
  const source = `export const commands = { A(_, host) {
    host.s.f(undefined); host.s.f("a", undefined, undefined); host.s.f(undefined, 1); host.s.f(null);
  } };`;
  const { isolate, seen } = await open(source, {}, ["s.f"]);
  isolate.invoke(1, "A", "{}");
  assertEquals(seen.hostCalls.map(([, , args]) => args), ["[]", `["a"]`, "[null,1]", "[null]"]);
});

Deno.test("rejections that nobody handles are logged with their place, and those that are handled are not", async () => {
  const { isolate, seen } = await open(
    `export const commands = {
    LOOSE(_, host) {
      (async () => { await null;
        throw new TypeError("no uplink"); })();
      host.s.f();
      Promise.reject("bare");
      return { ok: 1 };
    },
    async HANDLED(_, host) {
      const late = Promise.reject(new Error("late")), both = Promise.allSettled([Promise.reject(1), late]);
      await Promise.reject(2).catch(() => {});
      await host.s.f().catch(() => {});
      try { await (async () => { throw new Error("caught"); })(); } catch {}
      await both;
      throw new Error("the caller's");
    },
    MANY() { for (let i = 0; i < 1000; i++) Promise.reject(i); } };`,
    {},
    ["s.f"],
  );
  isolate.invoke(1, "LOOSE", "{}");
  assertEquals(seen.returned, [[1, `{"ok":1}`]]);
  isolate.answer(1, false, `"the host's"`);
  const uncaught = "Uncaught (in promise)";
  assertEquals(seen.logs.map(([level, text]) => [level, text.replace(/ \(plugin.js:4:\d+\)/, " (4)")]), [
    ["error", `${uncaught} bare`],
    ["error", `${uncaught} TypeError: no uplink (4)`],
    ["error", `${uncaught} Error: the host's`],
  ]);
  seen.logs.length = 0;
  isolate.invoke(2, "HANDLED", "{}");
  isolate.answer(2, false, `"the host's"`);
  assertEquals([seen.threw, seen.logs], [[[2, "the caller's"]], []]);
  isolate.invoke(3, "MANY", "{}");
  assertEquals([seen.logs.length, seen.dropped], [100, 900]);
  for (let i = 0; i < 300; i++) isolate.invoke(4 + i, "MANY", "{}");
  assert(isolate.usedBytes() < 4 << 20, "what was told is let go of");
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
  assertEquals([seen.logs.length, seen.dropped], [3 + 100, 900]);
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
    const isolate = await engine.open(LIMITS, {
      returned() {},
      threw() {},
      hostCall() {},
      log() {},
      dropped() {},
    });
    const source = `import ${JSON.stringify(bad)}; export const commands = {};`;
    assertThrows(() => isolate.load({ entry: "plugin.js", modules: { "plugin.js": source } }), ProgramError);
  }
});

Deno.test("a program that does not parse is refused with its file and line", async () => {
  const error = await open(`export const a = 1;\nexport const b = ;`).catch((error) => error);
  assert(error instanceof ProgramError);
  assertEquals(error.message, "SyntaxError: unexpected token in expression: ';' (plugin.js:2:18)");
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
