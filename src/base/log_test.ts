import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createLog, type LogFormat, type LogLevel } from "./mod.ts";

function capture(format: LogFormat, level: LogLevel = "debug") {
  const lines: string[] = [];
  return {
    lines,
    log: createLog({ level, format, clock: { now: () => 0 }, write: (line) => lines.push(line) }),
  };
}

Deno.test("a log line can't be forged by what it quotes", () => {
  const { lines, log } = capture("text");
  log.info("hello\n1970 ERROR forged", { vendor: "x\n1970 ERROR forged\u001b[31m" });
  assertEquals(lines.length, 1);
  assert(!lines[0]!.includes("\n") && !lines[0]!.includes("\u001b"));
});

Deno.test("secrets are masked by their names, and errors are shown as their messages", () => {
  const { lines, log } = capture("json");
  log.with({ adminToken: "t0p", PassWD: "s3cret" }).warn("x", {
    devRnd: "ABC",
    error: new Error("why"),
    mac: "A",
  });
  const line = JSON.parse(lines[0]!);
  assertEquals([line.adminToken, line.PassWD, line.devRnd], ["***", "***", "***"]);
  assertEquals([line.error, line.mac, line.level], ["why", "A", "warn"]);
});

Deno.test("lines below the level are not written, and bound fields come along", () => {
  const { lines, log } = capture("text", "warn");
  log.info("no");
  log.with({ service: "access" }).error("yes", { code: 5 });
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, "ERROR yes service=access code=5");
  assertEquals([log.enabled("info"), log.enabled("error")], [false, true]);
});
