/**
 * Gateways and a name server over real sockets: in one process, and as programs of which one is killed under load.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Program, startProgram } from "../scripts/lib/program.ts";
import { systemNetwork } from "../src/net/mod.ts";
import { msgIdHex, parseMsgId } from "../src/protocol/cmpp/mod.ts";
import { type ReceivedText, SpClient, SpError, type SpHandlers } from "../src/sp_client/mod.ts";
import { realDeps, type TestPlatform, testPlatform } from "./support/platform.ts";
import { makeDatabase } from "./support/postgres.ts";

/** How often a program is killed; `GATEHOUSE_CRASHES=50` for a long run. */
const CRASHES = Number(
  Deno.env.get("GATEHOUSE_CRASHES") ?? (Deno.env.has("GATEHOUSE_TEST_POSTGRES") ? 2 : 4),
);
const TOKEN = "administrator-of-the-tests";
const SECRET = "between gateways";
const SP = { spId: "900001", secret: "888888", spCode: "10658888" };
const LONG_TEXT = "尊敬的用户，您的宽带业务已受理😀。".repeat(12);

/** Who can be asked over HTTP. */
interface Asked {
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
}

/** Ports that were free a moment ago: peers must know each other's before they start. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((one) => (one.addr as Deno.NetAddr).port);
  for (const one of listeners) one.close();
  return ports;
}

function client(port: number, handlers: SpHandlers = {}): SpClient {
  const deps = realDeps();
  return new SpClient(
    { ...deps, network: systemNetwork(deps) },
    { server: { host: "127.0.0.1", port }, ...SP, reconnectMs: [20, 50] },
    handlers,
  );
}

/** Makes gateways known to each other and to the name server. */
async function introduce(
  gateways: readonly (Asked & { code: string; peer: number; gns: number })[],
  server: Asked,
): Promise<void> {
  for (const one of gateways) {
    await server.ask("POST", "/api/v1/gns/gateways", {
      code: one.code,
      secret: SECRET,
      address: `127.0.0.1:${one.gns}`,
    });
    await one.ask("PUT", "/api/v1/sms/name-server", { code: "000001", secret: SECRET });
    for (const other of gateways) {
      if (other === one) continue;
      const address = `127.0.0.1:${other.peer}`;
      await one.ask("POST", "/api/v1/sms/peers", { code: other.code, secret: SECRET, address });
    }
  }
}

const mtRoute = (server: Asked, first: string, to: { code: string; peer: number }) =>
  server.ask("POST", "/api/v1/gns/routes", {
    kind: "mt",
    startId: first,
    endId: first,
    destinationId: to.code,
    gatewayIp: "127.0.0.1",
    gatewayPort: to.peer,
  });

/** Waits for something that happens outside of this process's sight; the test's own time limit ends it. */
async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + 120_000;
  while (!await done()) {
    if (performance.now() > limit) throw new Error(`${what}: did not happen within 120 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A gateway, or the name server, in this process. */
async function platform(code: string, ports: { gns: number; peer?: number; server?: number }) {
  const local = (port: number) => ({ host: "127.0.0.1", port });
  const gateway = ports.peer !== undefined;
  const one: TestPlatform = await testPlatform({
    settings: {
      services: gateway ? ["sms"] : ["gns"],
      sms: {
        listen: local(0),
        short: local(0),
        gatewayCode: code,
        gns: local(ports.gns),
        ...(gateway ? { peer: local(ports.peer!), gnsServer: local(ports.server!) } : {}),
      },
    },
  });
  return {
    code,
    platform: one,
    gns: ports.gns,
    peer: ports.peer ?? 0,
    async ask(method: string, path: string, body?: unknown) {
      const answer = await one.call(method, path, body);
      assert(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    [Symbol.asyncDispose]: () => one[Symbol.asyncDispose](),
  };
}

Deno.test("three gateways and a name server pass long texts, reports and phones' messages on, over real sockets", async () => {
  const [server, ...ports] = freePorts(7);
  await using gns = await platform("000001", { gns: server! });
  await using a = await platform("001001", { server: server!, gns: ports[0]!, peer: ports[1]! });
  await using b = await platform("002001", { server: server!, gns: ports[2]!, peer: ports[3]! });
  await using c = await platform("003001", { server: server!, gns: ports[4]!, peer: ports[5]! });
  await introduce([a, b, c], gns);
  await a.ask("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 10_000 });
  for (const [first, to] of [["1380013", a], ["1390013", b], ["1370013", c]] as const) {
    await mtRoute(gns, first, to);
  }
  await gns.ask("POST", "/api/v1/gns/routes", {
    kind: "mo",
    spCode: SP.spCode,
    destinationId: a.code,
    gatewayIp: "127.0.0.1",
    gatewayPort: a.peer,
  });
  // Every gateway has been told.
  for (const one of [a, b, c]) {
    await until(
      "routes",
      async () => ((await one.ask("GET", "/api/v1/sms/routes")).items as unknown[]).length === 4,
    );
  }
  const text = Promise.withResolvers<ReceivedText>();
  await using sp = client(a.platform.ports.sms!, { onText: (message) => text.resolve(message) });
  await sp.ready;
  for (const to of ["13800138000", "13900139000", "13700137000"]) {
    const parts = await sp.sendText({ to: [to], text: LONG_TEXT, from: SP.spCode, report: true });
    const reports = await sp.reports(parts);
    assertEquals(reports.map(({ Stat }) => Stat), Array(4).fill("DELIVRD"), to);
    assertEquals(reports.map(({ Msg_Id }) => Msg_Id), parts.map(({ msgId }) => msgId));
    assert(parts.every(({ msgId }) => parseMsgId(msgId).gateway === 1001));
  }
  for (const [one, count] of [[a, 12], [b, 4], [c, 4]] as const) {
    assertEquals(((await one.ask("GET", "/api/v1/sms/messages")).items as unknown[]).length, count);
  }
  const mo = { from: "13700137000", to: `${SP.spCode}01`, text: LONG_TEXT };
  await c.ask("POST", "/api/v1/sms/simulator/mo", mo);
  const got = await text.promise;
  assertEquals([got.from, got.to, got.text], [mo.from, mo.to, LONG_TEXT]);
  await until(
    "the phone's message is reported on",
    async () => ((await c.ask("GET", "/api/v1/sms/peers/queues")).items as unknown[]).length === 0,
  );
});

Deno.test("every SUBMIT answered 0 ends in one final report, though gateways are killed under load on both sides", async () => {
  const [server, gnsA, peerA, smsA, gnsB, peerB, smsB] = freePorts(7) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-routing-" });
  const prefix = Deno.env.get("GATEHOUSE_TEST_POSTGRES");
  const start = async (name: string, args: string[]) => {
    const database = prefix ? ["--database", await makeDatabase(`${prefix}routing${name}`)] : [];
    return await startProgram("platform", ["--http", "127.0.0.1:0", ...args, ...database], {
      dataDir: `${folder}/${name}`,
      env: { GATEHOUSE_ADMIN_TOKEN: TOKEN },
    });
  };
  const gateway = (code: string, sms: number, peer: number, gns: number) => ({
    code,
    peer,
    gns,
    program: undefined as Program | undefined,
    async start(): Promise<void> {
      this.program = await start(code, [
        ...[
          "--services",
          "sms",
          "--ismg-code",
          code,
          "--sms",
          `127.0.0.1:${sms}`,
          "--sms-short",
          "127.0.0.1:0",
        ],
        ...[
          "--sms-peer",
          `127.0.0.1:${peer}`,
          "--gns",
          `127.0.0.1:${gns}`,
          "--gns-server",
          `127.0.0.1:${server}`,
        ],
      ]);
    },
    ask(method: string, path: string, body?: unknown) {
      return call(this.program!, method, path, body);
    },
  });
  const nameServer = await start("gns", [
    ...["--services", "gns", "--ismg-code", "000001", "--gns", `127.0.0.1:${server}`],
  ]);
  const gns: Asked = { ask: (method, path, body) => call(nameServer, method, path, body) };
  const a = gateway("001001", smsA, peerA, gnsA), b = gateway("002001", smsB, peerB, gnsB);
  await a.start();
  await b.start();
  await introduce([a, b], gns);
  await mtRoute(gns, "1390013", b);
  await mtRoute(gns, "1380013", a);
  await a.ask("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 100_000 });
  const taken = new Set<string>(), reported = new Map<string, number>();
  const kinds = new Set<string>();
  {
    await using sp = client(smsA, {
      onReport({ Msg_Id, Stat }) {
        kinds.add(Stat);
        const id = msgIdHex(Msg_Id);
        reported.set(id, (reported.get(id) ?? 0) + 1);
      },
    });
    let sending = true;
    const senders = Array.from({ length: 12 }, async (_, i) => {
      while (sending) {
        try {
          // Two thirds of it go to the other gateway.
          const to = i % 3 === 0 ? `138001380${i + 10}` : `139001390${i + 10}`;
          const parts = await sp.sendText({ to: [to], text: "x", from: SP.spCode, report: true });
          for (const { msgId, result } of parts) if (result === 0) taken.add(msgIdHex(msgId));
        } catch (error) {
          // Lost with its connection: nobody knows whether it was taken, and nothing was promised.
          if (!(error instanceof SpError)) throw error;
        }
      }
    });
    for (let crash = 0; crash < CRASHES; crash++) {
      const goal = taken.size + 150 + (crash % 10) * 23;
      await until("traffic", () => taken.size >= goal);
      const victim = crash % 2 === 0 ? b : a;
      victim.program!.kill("SIGKILL");
      await victim.program!.status;
      if (victim === b) {
        // Messages are taken while it is away.
        const more = taken.size + 50;
        await until("traffic without the other gateway", () => taken.size >= more);
      }
      await victim.start();
    }
    sending = false;
    await Promise.all(senders);
    await until("every report", () => taken.isSubsetOf(new Set(reported.keys())));
  }
  assertEquals([...kinds], ["DELIVRD"]);
  for (const one of [a, b]) {
    await until(
      "empty queues",
      async () =>
        ((await one.ask("GET", "/api/v1/sms/peers/queues")).items as unknown[]).length === 0 &&
        ((await one.ask("GET", "/api/v1/sms/queues")).items as unknown[]).length === 0,
    );
    for (const state of ["waiting", "sent", "scheduled", "failed"]) {
      assertEquals(
        (await one.ask("GET", `/api/v1/sms/messages?state=${state}`)).items,
        [],
        `${one.code} ${state}`,
      );
    }
  }
  // What the first gateway sent on is at the second, each message once.
  const abroad = (await count(a)).filter((number) => number.startsWith("139"));
  const there = await count(b);
  assertEquals(there.length, abroad.length);
  const twice = [...reported.values()].filter((times) => times > 1).length;
  // A report can come again only where its gateway died between DELIVER and the note of its answer.
  assert(twice <= CRASHES * 50, `${twice} reports came more than once`);
  for (const one of [a.program!, b.program!, nameServer]) await one[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

/** The numbers of all messages that a gateway has. */
async function count(one: Asked): Promise<string[]> {
  const all: string[] = [];
  for (let next: unknown = ""; next !== undefined;) {
    const cursor = next === "" ? "" : `&cursor=${next}`;
    const page = await one.ask("GET", `/api/v1/sms/messages?limit=500${cursor}`);
    all.push(...(page.items as { destination: string }[]).map(({ destination }) => destination));
    next = page.next;
  }
  return all;
}

async function call(
  program: Program,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${program.ports.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert(response.status < 300, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : JSON.parse(text);
}
