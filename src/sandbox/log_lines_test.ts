import { assert, assertEquals } from "@std/assert";
import { createLog, FakeClock, silentLog } from "../base/mod.ts";
import { keepingLog, LOG_LINES, LOG_TEXT, LogLines } from "./log_lines.ts";

function linesOf(): LogLines {
  let seq = 0;
  return new LogLines(new FakeClock(), () => ++seq);
}

Deno.test("the last thousand lines are kept, in order, however many there were", () => {
  const lines = linesOf();
  for (let i = 1; i <= 12_345; i++) lines.add("info", `line ${i}`);
  const kept = lines.read();
  assertEquals([kept.length, lines.size], [LOG_LINES, LOG_LINES]);
  assertEquals([kept[0]!.text, kept.at(-1)!.text], ["line 11346", "line 12345"]);
  assertEquals(kept.map(({ seq }) => seq), Array.from({ length: 1000 }, (_, i) => 11_346 + i));
});

Deno.test("long lines are cut, and many of them push out the older ones", () => {
  const lines = linesOf();
  for (let i = 0; i < 500; i++) lines.add("warn", "x".repeat(1 << 20));
  const kept = lines.read();
  const text = kept.reduce((sum, line) => sum + line.text.length, 0);
  assert(kept.length > 20 && text <= LOG_TEXT, `${kept.length} lines, ${text} characters`);
  assertEquals(kept.at(-1)!.seq, 500);
});

Deno.test("a reader takes up behind the last line it has seen, a page at a time", () => {
  const lines = linesOf();
  for (let i = 1; i <= 10; i++) lines.add("info", String(i));
  const texts = (query: Parameters<LogLines["read"]>[0]) =>
    lines.read(query).map(({ text }) => text).join(" ");
  assertEquals(texts({ limit: 3 }), "8 9 10");
  assertEquals(texts({ after: 0, limit: 4 }), "1 2 3 4");
  assertEquals(texts({ after: 4, limit: 4 }), "5 6 7 8");
  assertEquals(texts({ after: 10 }), "");
  assertEquals(texts({ limit: 0 }), "");
});

Deno.test("a log that keeps its lines keeps those of every level, with fields and stack", () => {
  const written: string[] = [];
  const lines = linesOf();
  const log = keepingLog(
    createLog({ level: "warn", format: "text", clock: new FakeClock(), write: (line) => written.push(line) }),
    () => lines,
  );
  log.debug("plug-in threw", { command: "GREET", message: "no", stack: "    at GREET (plugin.js:3)\n" });
  log.with({ plugin: "a" }).warn("careful");
  assertEquals(lines.read().map(({ level, text }) => [level, text]), [
    ["debug", "plug-in threw (command: GREET, message: no)\n    at GREET (plugin.js:3)"],
    ["warn", "careful"],
  ]);
  assertEquals(written.length, 1);
  assertEquals(log.enabled("error"), true);
  keepingLog(silentLog, () => lines).info("kept all the same");
  assertEquals(lines.size, 3);
});
