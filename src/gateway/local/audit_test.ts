import { assert, assertEquals } from "@std/assert";
import { createLog, FakeClock } from "../../base/mod.ts";
import { LocalAudit } from "./audit.ts";

Deno.test("the audit keeps 500 entries, joins repeated ones, cuts long texts, and brakes the log", () => {
  const clock = new FakeClock(), lines: string[] = [];
  const log = createLog({ level: "info", format: "json", clock, write: (line) => lines.push(line) });
  const audit = new LocalAudit({ clock, log });
  const event = { from: "192.168.1.50", via: "tcp", outcome: "done" } as const;
  for (let i = 0; i < 2000; i++) audit.note({ ...event, command: `C${i}` });
  assertEquals(audit.entries().length, 500);
  assertEquals(audit.entries(2).map(({ command }) => command), ["C1999", "C1998"]);
  assertEquals(lines.length, 50, "a flood of requests is no flood of lines");
  for (let i = 0; i < 1000; i++) audit.note({ ...event, outcome: "refused", reason: "x".repeat(5000) });
  const [last] = audit.entries(1);
  assertEquals([last!.times, last!.reason!.length, audit.entries().length], [1000, 101, 500]);
});

Deno.test("after a flood the log says how many lines it withheld", async () => {
  const clock = new FakeClock(), lines: string[] = [];
  const log = createLog({ level: "info", format: "json", clock, write: (line) => lines.push(line) });
  const audit = new LocalAudit({ clock, log });
  for (let i = 0; i < 60; i++) audit.note({ from: "a", via: "http", outcome: "done", command: `C${i}` });
  await clock.advance(1000);
  audit.note({ from: "a\nforged", via: "http", outcome: "done", command: "D" });
  assertEquals(JSON.parse(lines.at(-1)!).withheld, 10);
  assert(!lines.at(-1)!.includes("\n"));
});
