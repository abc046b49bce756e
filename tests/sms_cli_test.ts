/**
 * `gatehouse sms …` as it is typed, against a platform over real sockets.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { smsCommand, type SmsTerminal } from "../src/cli/mod.ts";
import { type TestPlatform, testPlatform } from "./support/platform.ts";

const SP = { spId: "900001", secret: "888888", spCode: "10658888" };

async function smsPlatform(): Promise<TestPlatform> {
  const local = { host: "127.0.0.1", port: 0 };
  const platform = await testPlatform({
    settings: { services: ["sms"], sms: { listen: local, short: local, gatewayCode: "001001" } },
  });
  await platform.call("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 100_000 });
  return platform;
}

/** Runs a command; its exit code, the lines it printed, and what it told beside them. */
async function run(platform: TestPlatform, args: string[], more: Partial<SmsTerminal> = {}) {
  const lines: Record<string, unknown>[] = [], told: string[] = [];
  const code = await smsCommand(
    [...args, "--server", `127.0.0.1:${platform.ports.sms}`, "--sp-id", SP.spId],
    {
      print: (line) => lines.push(JSON.parse(line)),
      complain: (line) => told.push(line),
      readVariable: () => SP.secret,
      readFile: () => Promise.resolve(""),
      interrupted: Promise.resolve(),
      ...more,
    },
  );
  return { code, lines, told };
}

const SEND = ["send", "--from", SP.spCode, "--text", "您好"];

Deno.test("a file of numbers is sent to, with a line for each, reports, and progress told beside them", async () => {
  await using platform = await smsPlatform();
  const numbers = Array.from({ length: 3_000 }, (_, i) => `1380013${String(i).padStart(4, "0")}`);
  const file = { readFile: () => Promise.resolve(`${numbers.join("\r\n")}\n\n`) };
  const { code, lines, told } = await run(platform, [...SEND, "--file", "numbers.txt", "--report"], file);
  assertEquals([code, lines.length], [0, 3_000]);
  assertEquals(new Set(lines.map(({ to }) => to)), new Set(numbers));
  assertEquals(lines.filter(({ reports }) => String(reports) !== "DELIVRD"), []);
  assert(/^3000 of 3000 numbers, 0 failed, \d+\/s$/.test(told.at(-1)!), told.at(-1));
});

Deno.test("what is not taken is told, and the exit code says so", async () => {
  await using platform = await smsPlatform();
  const { code, lines, told } = await run(platform, [...SEND, "--to", "13800138000,nobody"]);
  assertEquals(code, 1);
  const results = lines.map(({ to, parts }) => [to, (parts as { result: number }[])[0]!.result]);
  assertEquals(Object.fromEntries(results), { "13800138000": 0, "nobody": 13 });
  assert(told.at(-1)!.startsWith("2 of 2 numbers, 1 failed"), told.at(-1));
  const nobody = lines.find(({ to }) => to === "nobody");
  assertEquals(nobody?.error, "Result 13 (not a phone's number)");
  const stranger = await run(platform, [...SEND, "--to", "13800138000"], { readVariable: () => "999999" });
  assertEquals([stranger.code, stranger.told.at(-1)], [
    1,
    "gatehouse: the gateway refused CONNECT: Status 3 (the secret is wrong)",
  ]);
  const ascii = await run(platform, [...SEND, "--to", "13800138000", "--format", "ascii"]);
  assertEquals([ascii.code, ascii.lines[0]!.parts, typeof ascii.lines[0]!.error], [1, [], "string"]);
});

Deno.test("a message for later is taken back once, and the day's counters tell of it", async () => {
  await using platform = await smsPlatform();
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const sent = await run(platform, [...SEND, "--to", "13800138000", "--at", at, "--report", "--wait", "0"]);
  const [{ msgId }] = sent.lines[0]!.parts as [{ msgId: string }];
  assertEquals([sent.code, sent.lines[0]!.reports], [0, ["UNKNOWN"]]); // nothing has become of it yet
  const cancel = await run(platform, ["cancel", "--msg-id", msgId]);
  assertEquals([cancel.code, cancel.lines], [0, [{ msgId, cancelled: true }]]);
  assertEquals((await run(platform, ["cancel", "--msg-id", msgId])).code, 1);
  const day = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll("-", "");
  const query = await run(platform, ["query", "--day", day]);
  assertEquals([query.lines[0]!.MT_TLMsg, query.lines[0]!.MT_FL], [1, 1]);
});

Deno.test("listen prints what phones write, whole, and reports, until it is interrupted", async () => {
  await using platform = await smsPlatform();
  const interrupted = Promise.withResolvers<void>(), text = "尊敬的用户😀".repeat(30);
  const printed: Record<string, unknown>[] = [];
  await run(platform, [...SEND, "--to", "13800138000", "--report", "--wait", "0"]);
  await platform.call("POST", "/api/v1/sms/simulator/mo", { from: "13800138001", to: `${SP.spCode}7`, text });
  const listening = run(platform, ["listen"], {
    interrupted: interrupted.promise,
    print: (line) => {
      printed.push(JSON.parse(line));
      if (printed.some(({ kind }) => kind === "message")) interrupted.resolve();
    },
  });
  assertEquals((await listening).code, 0);
  const message = printed.find(({ kind }) => kind === "message")!;
  assertEquals([message.from, message.to, message.text], ["13800138001", `${SP.spCode}7`, text]);
});
