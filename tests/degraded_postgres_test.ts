/**
 * The database server is gone, cut off, standing still or restarted under load: what goes on, what is refused and how,
 * and that all of it comes back by itself with nothing lost that was acknowledged. See docs/degraded.md.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sql } from "kysely";
import { openDatabase, StorageError } from "../src/storage/mod.ts";
import { noPostgresBecause, startOwnPostgres } from "./support/own_postgres.ts";
import {
  distribute,
  identity,
  inner,
  outer,
  register,
  TcpPeer,
  UdpPeer,
} from "./support/scripted_gateway.ts";
import { testPlatform } from "./support/platform.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";
import { DEV_RND, refused, type Stage, startStage } from "./support/watched_platform.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
const reason = await noPostgresBecause();
const why = reason === undefined ? "" : ` (ignored: ${reason})`;

/** A test with a server of its own and a way to it that can be closed. */
function withServer(
  name: string,
  test: (proxy: TcpProxy, url: string, server: Awaited<ReturnType<typeof startOwnPostgres>>) => Promise<void>,
) {
  Deno.test({
    name: name + why,
    ignore: reason !== undefined,
    async fn() {
      await using server = await startOwnPostgres();
      await using proxy = new TcpProxy(server.port);
      await test(proxy, `postgres://postgres@127.0.0.1:${proxy.port}/postgres`, server);
    },
  });
}

/** Whatever needs the database is refused in its own way, and heartbeats are answered. */
async function assertDegraded(stage: Stage, reasons: string[], access: number[]): Promise<void> {
  const { p, me } = stage;
  assertEquals(await stage.heartbeat(), { Result: 0 });
  // All at once: with a server that stands still each of them takes its time.
  using boot = new UdpPeer(), first = new UdpPeer(), tcp = await TcpPeer.connect(p.ports.plugin_center!);
  const [operator, command, app, login, kept, sent, booted, distributed, signedIn] = await Promise.all([
    stage.api("GET", "/api/v1/gateways"),
    stage.api("POST", `/api/v1/gateways/${me.mac}/commands`, { parameter: { CmdType: "QUERY_CPU_INFO" } }),
    stage.app("GET", "/app/v1/gateways"),
    stage.app("POST", "/app/v1/sessions", { name: "li.wei", password: "correct horse battery" }),
    stage.push("the door is open"),
    stage.sms(),
    heard(boot, bootOf(me), p.ports.access!),
    heard(first, { ...bootOf(me), RPCMethod: "BootFirst" }, p.ports.distribution!),
    tcp.signIn(me),
  ]);
  for (const response of [operator, command, app, login]) await refused(response, reasons);
  assertEquals(kept, { Result: -5 }, "the gateway keeps the message and comes again");
  assertEquals(sent, 8, "the provider keeps its message and tries again");
  assert(access.includes(Number(booted.Result)), JSON.stringify(booted));
  assertEquals(distributed.Result, -7);
  assertEquals(signedIn?.Result, -1);
  assertEquals(await stage.health(), { code: 200, status: "degraded", database: "degraded" });
  assertEquals(await stage.metric("gatehouse_database_up"), 0);
  assertEquals(await stage.heartbeat(), { Result: 0 });
}

async function heard(peer: UdpPeer, message: Record<string, unknown>, port: number) {
  await peer.send(message, port);
  return await peer.hear(30_000);
}

function bootOf({ mac, loid }: Stage["me"]) {
  return {
    RPCMethod: "Boot",
    Vendor: "Maker",
    Model: "M1",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: mac,
    DevRND: DEV_RND,
    PlatformID: "OTHER",
    Card: "",
    IPAddr: "100.64.0.9",
    OsVer: "1",
    AppVer: "1",
    LOID: loid,
  };
}

/** All is as before the fault. */
async function assertWorks(stage: Stage): Promise<void> {
  const { p, me, channel } = stage;
  await stage.until("the database works", async () => (await stage.health()).database === "up");
  // Short messages make sure first that no other process has them meanwhile.
  await stage.until("everything works", async () => (await stage.health()).status === "up");
  assertEquals(await stage.metric("gatehouse_database_up"), 1);
  assertEquals(await stage.heartbeat(), { Result: 0 });
  assertEquals(await stage.push("again"), { Result: 0 });
  assertEquals(await stage.sms(), 0);
  using udp = new UdpPeer();
  assertEquals((await distribute(udp, p.ports.distribution!, me)).Result, 2);
  const list = await stage.app("GET", "/app/v1/gateways");
  assertEquals([list.status, (await list.json()).items], [200, []]);
  const asked = stage.api("POST", `/api/v1/gateways/${me.mac}/commands?wait=20`, {
    parameter: { CmdType: "QUERY_CPU_INFO" },
  });
  await answerPost(channel);
  assertEquals((await (await asked).json()).status, "succeeded");
}

async function answerPost(channel: TcpPeer): Promise<void> {
  const post = (await channel.hear())!, { CmdType, SequenceId } = outer(post.Parameter);
  await channel.send({
    Result: 0,
    ID: post.ID,
    return_Parameter: inner({ CmdType, SequenceId, Status: "0", Percent: "7" }),
  });
}

withServer(
  "a database server that is gone costs what needs it, and all is back when it is",
  async (proxy, url) => {
    await using stage = await startStage({ database: url });
    const absent = identity(78), { p } = stage;
    // Acknowledged before the fault: one command that waits, one that is under way, and a short message's report.
    assertEquals((await p.call("POST", "/api/v1/gateways", absent)).status, 201);
    const waiting = await p.call("POST", `/api/v1/gateways/${absent.mac}/commands`, {
      plugin: "system-monitor",
      parameter: { CmdType: "QUERY_CPU_INFO" },
    });
    assertEquals([waiting.status, waiting.body.status], [202, "queued"], JSON.stringify(waiting.body));
    const underWay = await p.call("POST", `/api/v1/gateways/${stage.me.mac}/commands`, {
      parameter: { CmdType: "QUERY_CPU_INFO" },
    });
    assertEquals(underWay.status, 202);
    proxy.refuse();
    await answerPost(stage.channel); // its end can't be written now
    await assertDegraded(stage, ["away"], [-1]);
    proxy.heal();
    await assertWorks(stage);
    await stage.until(
      "the end is written",
      async () => (await p.call("GET", `/api/v1/commands/${underWay.body.id}`)).body.status === "succeeded",
    );
    using udp = new UdpPeer();
    const first = await register(udp, p.ports.access!, absent, DEV_RND);
    // The waiting command asks for its channel at once: that may be quicker than the answer.
    assertEquals((first.RPCMethod === "RequestPlug-in" ? await udp.hear() : first).Result, 2);
    using channel = await TcpPeer.connect(p.ports.plugin_center!);
    assertEquals(await channel.signIn(absent), { Result: 0 });
    await answerPost(channel);
    const { body } = await p.call("GET", `/api/v1/commands/${waiting.body.id}?wait=20`);
    assertEquals(body.status, "succeeded");
  },
);

withServer(
  "a platform that stops while the server is away stops all the same, and the next one has what was acknowledged",
  async (proxy, url) => {
    const dataDir = await Deno.makeTempDir(), sent: string[] = [];
    try {
      {
        await using stage = await startStage({ database: url, dataDir });
        for (let i = 0; i < 5; i++) {
          const [part] = await stage.sp.sendText({ to: ["13800138000"], text: "hello", from: "10658888" });
          assertEquals(part!.result, 0);
          sent.push(part!.msgId!.toString(16).padStart(16, "0"));
        }
        proxy.refuse();
        await stage.until("noticed", async () => (await stage.health()).status === "degraded");
      }
      proxy.heal();
      await using next = await testPlatform({
        dataDir,
        settings: {
          database: url,
          services: ["sms"],
          sms: { listen: LOCAL, short: LOCAL, gatewayCode: "001001" },
        },
      });
      for (const id of sent) {
        assertEquals((await next.call("GET", `/api/v1/sms/messages/${id}`)).status, 200, id);
      }
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);

withServer(
  "a server that stands still is given up in seconds, and so are connections to it",
  async (proxy, url) => {
    await using stage = await startStage({ database: url });
    proxy.stall();
    await assertDegraded(stage, ["slow"], [-4]);
    assertEquals(stage.lines.filter(({ message }) => message === "the database does not work").length, 1);
    // What was held back never comes: whoever went on with the old connections would wait for ever.
    proxy.cut();
    proxy.heal();
    await assertWorks(stage);
    assertEquals(stage.lines.filter(({ message }) => message === "the database works again").length, 1);
  },
);

withServer(
  "a server that restarts again and again under load loses nothing that was answered",
  async (_, url, server) => {
    const reports: string[] = [];
    await using stage = await startStage({
      database: url,
      sp: { onReport: ({ Msg_Id }) => void reports.push(String(Msg_Id)) },
    });
    const sent = new Set<string>(), pushed: string[] = [], refusals = new Map<number, number>();
    let running = true;
    const load = async (work: () => Promise<void>) => {
      while (running) await work();
    };
    const loads = [
      load(async () => {
        const [part] = await stage.sp.sendText({
          to: ["13800138000"],
          text: "hello",
          from: "10658888",
          report: true,
        });
        if (part!.result === 0) sent.add(String(part!.msgId));
        else {
          refusals.set(part!.result, (refusals.get(part!.result) ?? 0) + 1);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }),
      load(async () => {
        const text = `m${pushed.length}-${crypto.randomUUID()}`;
        const answer = await stage.push(text) as { Result: number };
        if (answer.Result === 0) pushed.push(text);
        else assertEquals(answer.Result, -5);
      }),
      load(async () => {
        const response = await stage.api("GET", "/api/v1/gateways?limit=1");
        if (response.status === 200) await response.body?.cancel();
        else await refused(response, ["away", "slow"]);
      }),
      load(async () => assertEquals(await stage.heartbeat(), { Result: 0 })),
    ];
    for (let round = 0; round < 3; round++) {
      const before = sent.size + pushed.length;
      await stage.until("answered", () => sent.size + pushed.length > before + 20);
      await server.stop(round % 2 === 0 ? "immediate" : "fast");
      await stage.until("noticed", async () => (await stage.health()).status === "degraded");
      await server.start();
      await stage.until("back", async () => (await stage.health()).status === "up");
    }
    running = false;
    await Promise.all(loads);
    assertEquals([...refusals.keys()].filter((result) => result !== 8), []);
    await stage.until("every report", () => [...sent].every((id) => reports.includes(id)));
    const counts = new Map<string, number>();
    for (const id of reports) counts.set(id, (counts.get(id) ?? 0) + 1);
    const found = new Set<string>();
    for (let path: string | undefined = `/api/v1/gateways/${stage.me.mac}/messages?limit=200`; path;) {
      const { body } = await stage.p.call("GET", path);
      for (const item of body.items as { text: string }[]) found.add(item.text.split(" ")[0]!);
      const { next } = body;
      path = next ? `/api/v1/gateways/${stage.me.mac}/messages?limit=200&cursor=${next}` : undefined;
    }
    assertEquals(pushed.filter((text) => !found.has(text)), [], "every message that was taken is there");
    const errors = stage.lines.filter(({ level }) => level === "error");
    assert(errors.length < 1000, `the log is not flooded: ${errors.length} lines`);
  },
);

withServer(
  "a pool is bounded, a statement without end is ended, and one in the middle of them closes in seconds",
  async (proxy, url) => {
    const { port } = proxy;
    const direct = await openDatabase(url, {});
    {
      await using db = direct;
      const nap = (seconds: number) => sql`select pg_sleep(${seconds})`.execute(db.sql);
      await Promise.all(Array.from({ length: 100 }, () => nap(0.05)));
      const connections = async () => {
        const { rows } = await sql<{ n: number }>`
        select count(*) as n from pg_stat_activity where application_name = 'gatehouse'`.execute(db.sql);
        return rows[0]!.n;
      };
      assertEquals(await connections(), 10);
      const error = await assertRejects(() => nap(3600), StorageError);
      assertEquals(error.code, "slow");
      const { rows } = await sql<{ n: number }>`
      select count(*) as n from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`
        .execute(db.sql);
      assertEquals(rows, [{ n: 0 }], "the server has ended it too");
      assertEquals(db.health().status, "up");
    }
    const stuck = await openDatabase(`postgres://postgres@127.0.0.1:${port}/postgres`, {});
    const asked = Promise.allSettled([1, 2, 3].map(() => sql`select pg_sleep(3600)`.execute(stuck.sql)));
    await new Promise((resolve) => setTimeout(resolve, 100)); // they are on their way, or about to be: both must end
    proxy.stall();
    await stuck[Symbol.asyncDispose]();
    const outcomes = await asked;
    // Cut off, not waited for until their time-out, which would be "slow".
    assertEquals(outcomes.map((one) => one.status === "rejected" && one.reason.code), [
      "away",
      "away",
      "away",
    ]);
  },
);
