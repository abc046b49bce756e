import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FakeClock, Metrics } from "../base/mod.ts";
import { PluginError } from "./errors.ts";
import { Books, PluginBook } from "./figures.ts";
import { makeBench, pluginSource, testDeps } from "./testing/fixture.ts";

function bookOf(): PluginBook {
  return new PluginBook(new FakeClock(), () => 0);
}

Deno.test("latencies are counted in their buckets, and half and 99 of 100 are read off them", () => {
  const book = bookOf();
  for (let ms = 1; ms <= 100; ms++) book.count("ok", ms);
  book.count("timeout", 60_000);
  const { latency, errorsByKind } = book.figures();
  assertEquals([latency.count, latency.sumMs, latency.maxMs], [101, 65_050, 60_000]);
  assertEquals(errorsByKind, { timeout: 1 });
  assertEquals(latency.buckets.reduce((sum, { count }) => sum + count, 0), 101);
  assertEquals(latency.buckets.at(-1), { leMs: null, count: 1 });
  assert(Math.abs(latency.p50Ms - 50) < 2, `${latency.p50Ms}`);
  assert(latency.p99Ms > 95 && latency.p99Ms <= 100, `${latency.p99Ms}`);
});

Deno.test("without calls there is nothing to tell, and what was turned away has no latency", () => {
  const book = bookOf();
  book.count("busy");
  const { latency, errorsByKind } = book.figures();
  assertEquals([latency.count, latency.p50Ms, latency.p99Ms, latency.maxMs], [0, 0, 0, 0]);
  assertEquals(errorsByKind, { busy: 1 });
});

Deno.test("books of plug-ins that are gone make room, those of others stay", () => {
  const books = new Books(new FakeClock(), 10, (name) => name === "kept");
  books.of("kept").count("ok", 1);
  for (let i = 0; i < 1000; i++) books.of(`passing-${i}`).count("failed", 1);
  assertEquals(books.of("kept").figures().latency.count, 1);
  assertEquals(books.of("passing-0").figures().latency.count, 0);
  assertEquals(books.of("passing-999").figures().latency.count, 1);
});

Deno.test("a plug-in's calls, errors, times and lines are told, and go on over an upgrade", async () => {
  const metrics = new Metrics();
  const source = (version: string) =>
    pluginSource("noted", {
      GOOD: `(_request, host) => { host.log.info("hello", ${JSON.stringify(version)}); return {}; }`,
      BAD: `() => { throw new Error("no good"); }`,
    }, { version });
  await using bench = await makeBench("inline", { "noted.js": source("1.0") }, {}, testDeps({ metrics }));
  const { manager } = bench;
  await bench.call("noted", "GOOD");
  await bench.call("noted", "BAD").catch(() => {});
  await manager.install("noted", source("2.0"));
  await bench.call("noted", "GOOD");
  const { figures, calls, errors } = manager.get("noted")!;
  assertEquals([calls, errors, figures.errorsByKind], [3, 1, { failed: 1 }]);
  assertEquals(figures.latency.count, 3);
  assert(figures.latency.maxMs > 0);
  const texts = manager.logs("noted").map(({ level, text }) => `${level} ${text}`);
  assertEquals(texts.filter((text) => /hello/.test(text)), ["info hello 1.0", "info hello 2.0"]);
  const thrown = texts.find((text) => text.startsWith("debug plug-in threw"))!;
  assertMatch(thrown, /no good/);
  assertMatch(thrown, /at .*noted\.js:\d+/);
  assertEquals(manager.logs("noted", { limit: 1 }).map(({ text }) => text), ["hello 2.0"]);
  const text = metrics.render();
  assertMatch(text, /gatehouse_plugin_calls_total\{plugin="noted",result="ok"\} 2\n/);
  assertMatch(text, /gatehouse_plugin_calls_total\{plugin="noted",result="failed"\} 1\n/);
  assertMatch(text, /gatehouse_plugin_state\{plugin="noted",state="running"\} 1\n/);
  assertMatch(text, /gatehouse_plugin_state\{plugin="noted",state="broken"\} 0\n/);
  assertMatch(text, /gatehouse_plugin_call_seconds_count\{plugin="noted"\} 3\n/);
  assertMatch(text, /gatehouse_plugin_memory_bytes\{plugin="noted"\} \d+\n/);
});

Deno.test("why a plug-in does not load, or failed, is among its lines", async () => {
  await using bench = await makeBench("inline", {
    "bad.js": "export const manifest = {",
    "eater.js": pluginSource("eater", {
      EAT: `() => { const all = []; for (;;) all.push("x".repeat(1e6)); }`,
    }),
  });
  await bench.call("eater", "EAT").catch(() => {});
  assertMatch(
    bench.manager.logs("bad").map(({ text }) => text).join("\n"),
    /\[gateway\] does not load: .*bad\.js/,
  );
  assertMatch(bench.manager.logs("eater").map(({ text }) => text).join("\n"), /\[gateway\] failed: /);
  assertThrows(() => bench.manager.logs("nobody"), PluginError, "nobody");
});

Deno.test("plug-ins that come and go under ever new names leave no series behind", async () => {
  const metrics = new Metrics();
  await using bench = await makeBench("inline", {}, { maxPlugins: 3 }, testDeps({ metrics }));
  const sizes: number[] = [];
  for (let i = 10; i < 30; i++) {
    const name = `passing-${i}`;
    await bench.manager.install(name, pluginSource(name, { GO: "() => ({})" }));
    await bench.call(name, "GO");
    await bench.manager.remove(name);
    sizes.push(metrics.render().split("\n").length);
  }
  assertEquals(new Set(sizes).size, 1, `${sizes}`);
  assert(!metrics.render().includes("passing-"));
});
