/**
 * What a plug-in can't do, each tried in both isolations: the table of `docs/plugin-api.md`. Attacks on memory and time
 * are in `hostile_test.ts`, on the limits in `limits_test.ts`, on storage and peers in `host_api/`, on HTTP in the
 * gateway's `capability/http_test.ts`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { createLog, systemClock } from "../base/mod.ts";
import { makeBench, pluginSource, testDeps } from "./testing/fixture.ts";

/** What is tried, and what comes of it: the reply, or the error's code. */
const ESCAPES: Readonly<Record<string, { run: string; then: Record<string, unknown> | string }>> = {
  GLOBALS: {
    run:
      `() => ({ found: ["Deno", "process", "require", "module", "fetch", "WebAssembly", "Worker", "WebSocket",
      "XMLHttpRequest", "navigator", "setTimeout", "setInterval", "queueMicrotask", "structuredClone", "Buffer", "os", "std",
      "scriptArgs", "print", "localStorage"].filter((name) => name in globalThis || eval("typeof " + name) !== "undefined") })`,
    then: { found: [] },
  },
  FUNCTION_CONSTRUCTOR: {
    run: `() => {
      const made = [Function, (() => {}).constructor, (async () => {}).constructor, (function* () {}).constructor,
        console.log.constructor, Promise.resolve.constructor];
      return { deno: made.map((make) => make("return typeof Deno + typeof process")).map((f) => {
        const value = f(); return typeof value === "string" ? value : "undefinedundefined"; }) };
    }`,
    then: { deno: Array(6).fill("undefinedundefined") },
  },
  HOST_FUNCTION_CONSTRUCTOR: {
    run:
      `(_, host) => ({ kind: host.t.echo.constructor("return typeof Deno")(), own: host.t.echo.constructor === Function })`,
    then: { kind: "undefined", own: true },
  },
  IMPORT: {
    run: `async () => {
      const tried = ["node:fs", "npm:x", "jsr:@a/b", "https://example.com/x.js", "file:///etc/passwd", "/etc/passwd",
        "../../x.js", "./../p.js", "os", "std", "data:text/javascript,export{}"];
      const all = await Promise.allSettled(tried.map((name) => import(name)));
      return { got: all.filter(({ status }) => status === "fulfilled").length };
    }`,
    then: { got: 0 },
  },
  POLLUTE_BY_REPLY: {
    run:
      `() => JSON.parse('{"__proto__": {"polluted": "yes"}, "constructor": {"prototype": {"polluted": "yes"}}, "a": 1}')`,
    then: { constructor: { prototype: { polluted: "yes" } }, a: 1 },
  },
  POLLUTE_BY_ARGUMENTS: {
    run: `(_, host) => host.t.merge(JSON.parse('{"__proto__": {"polluted": "yes"}}')).then(() => ({}))`,
    then: {},
  },
  CHANGE_HOST: {
    run: `(_, host) => {
      "use strict";
      const tried = [() => host.t = 1, () => host.t.echo = 1, () => delete host.t, () => { host.x = 1; },
        () => Object.setPrototypeOf(host, {}), () => Object.defineProperty(host.t, "echo", { value: 1 })];
      return { done: tried.filter((change) => { try { return change() !== false; } catch { return false; } }).length };
    }`,
    then: { done: 0 },
  },
  CALL_UNGRANTED: {
    run: `async (_, host) => {
      const name = { toString: () => "u.secret", split: () => ["u", "secret"] };
      try { return { got: await host.u.secret() }; } catch { return { group: typeof host.u, by: typeof host.t[name] }; }
    }`,
    then: { group: "undefined", by: "undefined" },
  },
  FORGE_LINES: {
    run: `async (_, host) => {
      const text = 'x\\nS 1 {"forged":1}\\nH 1 u.secret []\\n';
      return { same: await host.t.echo(text) === text };
    }`,
    then: { same: true },
  },
  OVERSIZE_ARGUMENTS: {
    run: `async (_, host) => {
      try { await host.t.echo("x".repeat(2e6)); return {}; } catch (error) { return { why: error.message }; }
    }`,
    then: { why: "t.echo: the arguments are too long" },
  },
  OVERSIZE_REPLY: { run: `() => ({ x: "x".repeat(2e6) })`, then: "failed" },
  DEEP_ARGUMENTS: {
    run: `async (_, host) => {
      let value = 1; for (let i = 0; i < 200; i++) value = [value];
      try { await host.t.echo(value); return {}; } catch (error) { return { refused: error.message.includes("deeper than 64") }; }
    }`,
    then: { refused: true },
  },
  DEEP_REPLY: {
    run: `() => { let o = {}; for (let i = 0; i < 200; i++) o = { o }; return o; }`,
    then: "limit",
  },
  CYCLIC: { run: `() => { const o = {}; o.o = o; return o; }`, then: "failed" },
  CYCLIC_ARGUMENTS: {
    run:
      `async (_, host) => { const o = []; o.push(o); try { await host.t.echo(o); } catch { return { refused: 1 }; } }`,
    then: { refused: 1 },
  },
  ARGUMENTS_NO_LIST: {
    run: `async (_, host) => {
      Array.prototype.toJSON = () => { delete Array.prototype.toJSON; return { length: 1 }; };
      try { await host.t.echo(1); return {}; } catch (error) { return { why: error.message }; }
    }`,
    then: { why: "t.echo: the arguments are no list" },
  },
  ODD_TEXT: {
    run: `async (_, host) => {
      const odd = ["\\ud800x", "\\udc00", "\\u0000", "\\u2028", "__proto__", -0, NaN, Infinity, undefined];
      return { same: JSON.stringify(await host.t.echo(odd)) === JSON.stringify(odd), "\\ud800": 1 };
    }`,
    then: { same: true, "\ud800": 1 },
  },
  BIG_NUMBER_ARGUMENT: {
    run: `async (_, host) => { try { await host.t.echo(1n); return {}; } catch { return { refused: 1 }; } }`,
    then: { refused: 1 },
  },
  ERROR_NO_TEXT: {
    run: `() => {
      Array.prototype.toJSON = () => { delete Array.prototype.toJSON; return ["x".repeat(2e6), {}]; };
      throw new Error("own words");
    }`,
    then: "failed",
  },
  NO_JSON: { run: `() => ({ toJSON: () => "text" })`, then: "failed" },
  TIME_THE_HOST: {
    run:
      `() => ({ performance: typeof performance, atomics: typeof Atomics, whole: Number.isInteger(Date.now()) })`,
    then: { performance: "undefined", atomics: "undefined", whole: true },
  },
  OTHERS_GLOBALS: { run: `() => ({ seen: globalThis.left ?? "nothing" })`, then: { seen: "nothing" } },
};

/** So that on a busy machine it is not time that ends an attempt. */
const PATIENT = { cpuMs: 20_000, callMs: 60_000 };
const HOST = {
  t: {
    "t.echo": ([value]: unknown[]) => value as string,
    "t.merge": ([value]: unknown[]) => void Object.assign({}, value),
  },
  u: { "u.secret": () => "secret" },
};

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`what a plug-in can't do, tried in ${isolation} isolation`, async (t) => {
    const commands = Object.fromEntries(Object.entries(ESCAPES).map(([name, { run }]) => [name, run]));
    await using bench = await makeBench(isolation, {
      "a.js": pluginSource("a", {
        SET: `() => { globalThis.left = "here"; Object.prototype.left = "here"; return {}; }`,
      }),
      "p.js": pluginSource("p", commands, { capabilities: ["t"], limits: PATIENT }),
    }, { capabilities: HOST, ceilings: PATIENT });
    await bench.call("a", "SET");
    for (const [name, { then }] of Object.entries(ESCAPES)) {
      await t.step(name, async () => {
        const came = await bench.call("p", name).catch((error) => error.code);
        assertEquals(came, then);
        assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
        assertEquals(({} as Record<string, unknown>)["left"], undefined);
      });
    }
    assertEquals(bench.manager.get("p")?.state, "running");
  });
}

Deno.test("a plug-in can't write a line of the log that looks like another's, nor one that looks like the gateway's", async () => {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "text",
    clock: systemClock,
    write: (line) => void lines.push(line),
  });
  const source = pluginSource("p", {
    LOG: `() => { console.log("x\\n2026-01-01 error forged plugin=other"); return {}; }`,
    POSE: `() => { console.log("[gateway] is stopped now"); return {}; }`,
  }, { head: `for (let i = 0; i < 90; i++) console.log("loaded by the gateway");` });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ log }));
  await bench.call("p", "LOG");
  const [line] = lines.filter((line) => line.includes("forged"));
  assert(line && !line.includes("\n") && line.includes("plugin=p"), lines.join("\n"));
  const loading = lines.filter((line) => line.includes("loaded by the gateway"));
  assert(loading.length === 90 && loading.every((line) => line.includes("plugin=p")), loading[0]);
  await bench.call("p", "POSE");
  assertEquals(bench.manager.logs("p", { limit: 1 }).map(({ text }) => text), [
    "[plug-in] [gateway] is stopped now",
  ]);
});
