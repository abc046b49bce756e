/**
 * The disk is full: what goes on, what is refused and how, and that all of it comes back by itself with nothing lost
 * that was acknowledged. See docs/degraded.md.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startProgram } from "../scripts/lib/program.ts";
import { pluginSource } from "../src/sandbox/testing/fixture.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";
import { distribute, identity, UdpPeer } from "./support/scripted_gateway.ts";
import { noSmallDiskBecause, smallDisk } from "./support/small_disk.ts";
import { refused, startStage } from "./support/watched_platform.ts";

const reason = await noSmallDiskBecause();
const why = reason === undefined ? "" : ` (ignored: ${reason})`;
const FULL = ["full", "broken"];

Deno.test({
  name: `a platform whose disk is full reads, hears heartbeats and refuses what it can't keep${why}`,
  ignore: reason !== undefined,
  async fn() {
    await using disk = await smallDisk(32);
    const reports = new Set<string>();
    await using stage = await startStage({
      dataDir: disk.path,
      sp: { onReport: ({ Msg_Id }) => void reports.add(String(Msg_Id)) },
    });
    const { p, me } = stage, kept = new Set<string>();
    await disk.fill();
    // What is free within the database's own files is used up first.
    for (let result = 0; result === 0;) {
      const [part] = await stage.sp.sendText({
        to: ["13800138000"],
        text: "x".repeat(140),
        from: "10658888",
        report: true,
      });
      result = part!.result;
      if (result === 0) kept.add(String(part!.msgId));
      else assertEquals(result, 8, "the provider keeps its message and tries again");
    }
    assertEquals(await stage.heartbeat(), { Result: 0 });
    const list = await stage.api("GET", `/api/v1/gateways/${me.mac}`);
    assertEquals([list.status, (await list.json()).online], [200, true], "reading needs no room");
    using udp = new UdpPeer();
    assertEquals((await distribute(udp, p.ports.distribution!, me)).Result, 2, "distribution only reads");
    const command = { parameter: { CmdType: "QUERY_CPU_INFO" } };
    await refused(await stage.api("POST", `/api/v1/gateways/${me.mac}/commands`, command), FULL);
    await refused(await stage.api("POST", "/api/v1/gateways", identity(79)), FULL);
    assertEquals(await stage.push("the door is open"), { Result: -5 });
    assertEquals(await stage.health(), { code: 200, status: "degraded", database: "degraded" });
    assertEquals(await stage.metric("gatehouse_database_up"), 0);
    assertEquals(await stage.heartbeat(), { Result: 0 });

    await disk.free();
    // Nobody writes: it finds out by itself.
    await stage.until("back", async () => (await stage.health()).status === "up");
    assertEquals(await stage.push("again"), { Result: 0 });
    assertEquals(await stage.sms(), 0);
    await stage.until("every report of what was taken", () => [...kept].every((id) => reports.has(id)));
    const { status } = await p.call("POST", "/api/v1/gateways", identity(79));
    assertEquals(status, 201);
    const said = stage.lines.map(({ message }) => message);
    for (const message of ["the database does not work", "the database works again"]) {
      assertEquals(said.filter((one) => one === message).length, 1, message);
    }
    assert(said.length < 500, `the log is not flooded: ${said.length} lines`);
  },
});

Deno.test({
  name: `a gateway whose disk is full registers, beats its heart and refuses what it can't keep${why}`,
  ignore: reason !== undefined,
  async fn() {
    await using disk = await smallDisk(8);
    await using p = await testPlatform({ settings: { heartbeatSeconds: 1 } });
    const me = identity(80);
    await p.call("POST", "/api/v1/gateways", me);
    await using gateway = await startProgram("gateway", [
      ...["--mgt-url", "127.0.0.1", "--port", String(p.ports.distribution), "--driver", "simulated"],
      ...["--mac", me.mac, "--sn", me.sn, "--loid", me.loid, "--plugins", `${disk.path}/plugins`],
      ...["--local", "127.0.0.1:0", "--control", "127.0.0.1:0"],
    ], { dataDir: disk.path, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } });
    const control = (method: string, path: string, body?: unknown) =>
      fetch(`http://127.0.0.1:${gateway.ports.control}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const seen = async () => (await p.call("GET", `/api/v1/gateways/${me.mac}`)).body;
    const until = async (what: string, look: () => Promise<boolean>) => {
      for (const end = performance.now() + 60_000; !await look();) {
        if (performance.now() > end) throw new Error(`${what}: not within a minute\n${gateway.log()}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const state = async () => (await (await control("GET", "/status")).json()).registration.state;
    await until("registered", async () => await state() === "registered" && (await seen()).online === true);
    const set = async (value: number) => {
      const response = await control("PATCH", "/parameters", {
        values: { "InternetGatewayDevice.X_CT-COM_Mgt.Heartbeat": value },
        source: "itms",
      });
      return {
        status: response.status,
        retry: response.headers.get("retry-after"),
        body: await response.json(),
      };
    };
    const install = (version: string) => control("POST", "/plugins", { name: "p", source: plugin(version) });
    const runs = async () =>
      (await (await control("POST", "/plugins/p/call", { parameter: { CmdType: "V" } })).json()).reply.v;
    const lies = () => [...Deno.readDirSync(`${disk.path}/plugins/p`)].map(({ name }) => name).sort();
    assertEquals((await install("1.0")).status, 201);
    const before = lies();
    await disk.fill();
    for (let i = 0; i < 3; i++) {
      const refused = await install("2.0");
      assertEquals([refused.status, (await refused.json()).code], [503, "disk_full"]);
    }
    assertEquals(
      [await runs(), lies()],
      ["1.0", before],
      "an upgrade that has no room leaves the old version",
    );
    const answer = await set(30);
    assertEquals(
      [answer.status, answer.body.code, answer.retry],
      [503, "disk_full", "30"],
      JSON.stringify(answer),
    );
    // It begins anew, with all its state unsaved, and goes on.
    assertEquals((await control("POST", "/registration", { from: "distribution" })).status, 202);
    const beats = await metric(p.url, "gatehouse_heartbeats_total");
    await until("heartbeats", async () => await metric(p.url, "gatehouse_heartbeats_total") > beats + 2);
    assertEquals(await state(), "registered");
    await disk.free();
    assertEquals((await set(30)).status, 200);
    assertEquals([(await install("2.0")).status, await runs()], [201, "2.0"]);
    await disk.fill();
    assertEquals((await control("DELETE", "/plugins/p")).status, 204, "what is removed makes room");
    assertEquals((await control("GET", "/plugins/p")).status, 404);
  },
});

/** A plug-in that takes room. */
function plugin(version: string): string {
  return pluginSource("p", { V: "() => ({ v: manifest.version })" }, {
    version,
    head: `/*${"x".repeat(300_000)}*/`,
  });
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
}

Deno.test("a log that can't be written ends nothing: the role goes on without it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-log-" });
  const local = ["http", "distribution", "access", "plugin-center", "push"].flatMap((name) => [
    `--${name}`,
    "127.0.0.1:0",
  ]);
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$@" 2> /dev/full',
      "sh",
      Deno.execPath(),
      ...["run", "-A", "--quiet", new URL("../main.ts", import.meta.url).pathname],
      ...["--role", "platform", "--data", dataDir, "--log-level", "debug", ...local],
    ],
    env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    let printed = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      printed += text;
      if (/^ready: /m.test(printed)) break;
    }
    const [, url] = /^listening: http http (\S+)$/m.exec(printed) ?? [];
    assert(url, printed);
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`http://${url}/healthz`);
      assertEquals([response.status, (await response.json()).status], [200, "up"]);
    }
  } finally {
    child.kill("SIGTERM");
    const { code } = await child.status;
    await Deno.remove(dataDir, { recursive: true });
    assertEquals(code, 0);
  }
});
