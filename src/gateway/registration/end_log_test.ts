import { assertEquals } from "@std/assert";
import { createLog } from "../../base/mod.ts";
import { DISTRIBUTION, OPERATIONS, Stage } from "./testing.ts";

const NOWHERE = { host: "10.0.0.99", port: 1 };

/** The log's lines, without what every line has, from a gateway on `stage`. */
function listen(stage: Stage) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    clock: stage.clock,
    write: (text) => {
      const { time: _, level: __, ...line } = JSON.parse(text);
      lines.push(line);
    },
  });
  return { log, lines };
}

const at = (platform: { host: string; port: number }) => `${platform.host}:${platform.port}`;

Deno.test("the log tells which question a platform refused, with what, what to do, and how long the gateway waits", async () => {
  await using stage = await Stage.open();
  stage.distribution = () => ({ result: -2 });
  const { log, lines } = listen(stage);
  stage.start(undefined, { log });
  await stage.settle();
  assertEquals(lines, [
    { message: "asking distribution", at: "189cube:12112" },
    {
      message: "distribution did not help",
      at: "189cube:12112",
      outcome: "silent",
      question: "BootFirst",
      result: -2,
      advice:
        "it refuses this gateway: is it preset there, with this MAC, SN and LOID? POST /api/v1/registration asks again at once",
    },
    { message: "registration waits", why: "refused", seconds: 9000 },
  ]);
});

Deno.test("the log tells of a platform that does not answer", async () => {
  await using stage = await Stage.open({ dnsTries: 1 });
  stage.distribution = () => undefined;
  const { log, lines } = listen(stage);
  stage.start(DISTRIBUTION, { log });
  await stage.advance(75_000);
  assertEquals(lines.slice(0, 2), [
    { message: "asking distribution", at: at(DISTRIBUTION) },
    {
      message: "distribution did not help",
      at: at(DISTRIBUTION),
      outcome: "unanswered",
      question: "BootFirst",
      advice: "nobody answers there: do address, port and firewall fit?",
    },
  ]);
});

Deno.test("the log tells where a platform sends a registered gateway", async () => {
  await using stage = await Stage.open();
  const { log, lines } = listen(stage);
  stage.start(undefined, { log });
  await stage.settle();
  stage.access = (message) =>
    "method" in message && message.method === "Hb" ? { result: -5, serverIp: at(NOWHERE) } : undefined;
  await stage.advance(60_000);
  const ended = lines.find((line) => line.message === "registration ended");
  assertEquals(ended, {
    message: "registration ended",
    at: at(OPERATIONS),
    outcome: "redirect",
    question: "Hb",
    result: -5,
    to: at(NOWHERE),
  });
});
