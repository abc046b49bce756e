/**
 * Short messages over real sockets: a provider's client and the platform's service, as they meet in the field.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemNetwork } from "../src/net/mod.ts";
import { encodeMessage } from "../src/protocol/cmpp/mod.ts";
import { type ReceivedText, SpClient, SpError, type SpHandlers } from "../src/sp_client/mod.ts";
import { realDeps, type TestPlatform, testPlatform } from "./support/platform.ts";

const SP = { spId: "900001", secret: "888888", spCode: "10658888" };
const LONG_TEXT = "尊敬的用户，您的宽带业务已受理😀。".repeat(12);

/** A platform with the short-message service alone and one provider. */
async function smsPlatform(options: { dataDir?: string; port?: number } = {}): Promise<TestPlatform> {
  const platform = await testPlatform({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    settings: {
      services: ["sms"],
      sms: {
        listen: { host: "127.0.0.1", port: options.port ?? 0 },
        short: { host: "127.0.0.1", port: 0 },
        gatewayCode: "001001",
      },
    },
  });
  const { status } = await platform.call("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 10_000 });
  assert(status === 201 || status === 200, String(status));
  return platform;
}

function client(
  port: number,
  handlers: SpHandlers = {},
  changes: Partial<typeof SP & { version: number }> = {},
) {
  const deps = realDeps();
  const { spId, secret, version = 0x30 } = { ...SP, ...changes };
  return new SpClient(
    { ...deps, network: systemNetwork(deps) },
    { server: { host: "127.0.0.1", port }, spId, secret, version, reconnectMs: [20, 100] },
    handlers,
  );
}

Deno.test("a long text in Chinese goes out in parts, and each part's report comes back, in both versions", async () => {
  await using platform = await smsPlatform();
  for (const version of [0x30, 0x20]) {
    await using sp = client(platform.ports.sms!, {}, { version });
    const parts = await sp.sendText({ to: ["13800138000"], text: LONG_TEXT, from: SP.spCode, report: true });
    assertEquals(parts.map((part) => part.result), [0, 0, 0, 0]);
    const reports = await sp.reports(parts);
    assertEquals(reports.map((report) => report.Stat), Array(4).fill("DELIVRD"));
    assertEquals(reports.map((report) => report.Msg_Id), parts.map((part) => part.msgId));
  }
});

Deno.test("a long text from a phone reaches the provider's client as one", async () => {
  await using platform = await smsPlatform();
  const received = Promise.withResolvers<ReceivedText>();
  await using sp = client(platform.ports.sms!, { onText: (message) => received.resolve(message) });
  await sp.ready;
  const to = `${SP.spCode}01`;
  const answer = await platform.call("POST", "/api/v1/sms/simulator/mo", {
    from: "13800138000",
    to,
    text: LONG_TEXT,
  });
  assertEquals([answer.status, answer.body], [202, { parts: 4 }]);
  const { from, to: got, text } = await received.promise;
  assertEquals([from, got, text], ["13800138000", to, LONG_TEXT]);
});

Deno.test("a client that the gateway refuses says why and does not try again", async () => {
  await using platform = await smsPlatform();
  await using sp = client(platform.ports.sms!, {}, { secret: "wrong!" });
  const error = await assertRejects(() => sp.ready, SpError);
  assertEquals([error.code, error.status], ["refused", 3]);
  await assertRejects(() => sp.request({ command: "ACTIVE_TEST" }), SpError);
});

Deno.test("a client comes back by itself when the gateway does, and gets what came meanwhile", async () => {
  const dataDir = await Deno.makeTempDir();
  let platform = await smsPlatform({ dataDir });
  const port = platform.ports.sms!;
  const texts: string[] = [], two = Promise.withResolvers<void>();
  let ups = 0;
  const again = Promise.withResolvers<void>();
  await using sp = client(port, {
    onText({ text }) {
      texts.push(text!);
      if (texts.length === 2) two.resolve();
    },
    onLink(up) {
      if (up && ++ups === 2) again.resolve();
    },
  });
  await sp.ready;
  await platform[Symbol.asyncDispose]();
  platform = await smsPlatform({ dataDir, port });
  await again.promise;
  for (const text of ["one", "two"]) {
    await platform.call("POST", "/api/v1/sms/simulator/mo", { from: "13800138000", to: SP.spCode, text });
  }
  await two.promise;
  assertEquals(texts, ["one", "two"]);
  assertEquals((await sp.sendText({ to: ["13800138000"], text: "hi", from: SP.spCode }))[0]!.result, 0);
  await sp[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a bulk of requests keeps within the window and each has its own answer", async () => {
  await using platform = await smsPlatform();
  await using sp = client(platform.ports.sms!);
  const sent = await Promise.all(
    Array.from(
      { length: 2000 },
      (_, i) =>
        sp.sendText({ to: [`1380013${String(i).padStart(4, "0")}`], text: String(i), from: SP.spCode }),
    ),
  );
  assertEquals(sent.flat().filter((part) => part.result !== 0), []);
  assertEquals(new Set(sent.flat().map((part) => part.msgId)).size, 2000);
});

Deno.test("thousands of idle connections do not keep a provider from being served, and go in the end", async () => {
  await using platform = await smsPlatform();
  const port = platform.ports.sms!;
  const idle: Deno.TcpConn[] = [];
  // In waves: more at once than the system's queue of new connections holds would be dropped there, unseen by us.
  while (idle.length < 2_000) {
    idle.push(
      ...await Promise.all(Array.from({ length: 100 }, () => Deno.connect({ hostname: "127.0.0.1", port }))),
    );
  }
  // A quarter of them have begun a PDU and go no further.
  await Promise.all(
    idle.slice(0, 500).map((one) =>
      one.write(encodeMessage({ command: "ACTIVE_TEST", sequence: 1 }, 3).subarray(0, 5))
    ),
  );
  await using sp = client(port);
  const [part] = await sp.sendText({ to: ["13800138000"], text: "served", from: SP.spCode });
  assertEquals(part!.result, 0);
  const served = async () =>
    ((await platform.call("GET", "/api/v1/sms/connections")).body.items as unknown[]).length;
  // The system hands new connections over as fast as it likes.
  for (let tries = 0; tries < 500 && await served() < 2_001; tries++) {
    await new Promise((r) => setTimeout(r, 20));
  }
  assertEquals(await served(), 2_001);
  for (const one of idle) one.close();
});
