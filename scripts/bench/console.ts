// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * What the console costs the server with a large fleet that has been in use for a quarter of a year: time until the
 * first byte of the overview, of a search, of a gateway with its timeline.
 *
 * `deno run -A scripts/bench/console.ts [GATEWAYS] [COMMANDS]` · default 100,000 and 500,000; as many entries of
 * histories as commands
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { generate } from "@std/uuid/v7";
import { Metrics, silentLog, systemClock, systemRandom } from "../../src/base/mod.ts";
import { DEFAULT_SERVICES, startPlatform } from "../../src/platform/mod.ts";

const DAY_MS = 86_400_000;
const ROUNDS = 200, CHUNK = 20_000, TOKEN = "administrator-of-the-benchmark";

if (import.meta.main) await main(Number(Deno.args[0] ?? 100_000), Number(Deno.args[1] ?? 500_000));

async function main(gateways: number, commands: number): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-bench-console-" });
  {
    await using platform = await start(dataDir);
    await furnish(`http://127.0.0.1:${platform.http.port}`, gateways);
  }
  remember(`${dataDir}/platform.db`, gateways, commands);
  {
    await using platform = await start(dataDir);
    const url = `http://127.0.0.1:${platform.http.port}`, cookie = await signIn(url);
    console.log(`gateways              ${gateways}, commands and entries of histories ${commands} each`);
    const first = await timeOf(url, cookie, "/");
    console.log(`overview, never asked ${first.toFixed(1)} ms`);
    const of = (i: number) => Math.floor(i * gateways / ROUNDS);
    const filter = (text: string) => `/gateways?filter=${encodeURIComponent(text)}`;
    for (
      const [name, path] of [
        ["overview", () => "/"],
        ["list", () => "/gateways"],
        ["search by MAC", (i: number) => `/gateways?search=${macOf(of(i))}`],
        ["search by SN", (i: number) => `/gateways?search=${snOf(of(i))}`],
        ["search by LOID", (i: number) => `/gateways?search=L${of(i)}`],
        ["filter by region", (i: number) => filter(`region==region${i % 20}`)],
        ["filter, few found", (i: number) => filter(`loid==L${of(i)}`)],
        ["one gateway", (i: number) => `/gateways/${macOf(of(i))}`],
        ["a timeline", (i: number) => `/gateways/${macOf(of(i))}/timeline`],
        ["commands", () => "/commands"],
        ["commands that failed", () => "/commands?status=failed"],
        ["alarms", () => "/alarms?state="],
      ] as const
    ) {
      const times: number[] = [];
      for (let i = 0; i < ROUNDS; i++) times.push(await timeOf(url, cookie, path(i)));
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
      console.log(
        `${name.padEnd(21)} p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, max ${
          at(1).toFixed(1)
        } ms`,
      );
    }
  }
  await Deno.remove(dataDir, { recursive: true });
}

function start(dataDir: string) {
  const local = { host: "127.0.0.1", port: 0 };
  return startPlatform(
    { clock: systemClock, random: systemRandom, log: silentLog, metrics: new Metrics() },
    {
      dataDir,
      services: DEFAULT_SERVICES,
      http: local,
      distribution: local,
      access: local,
      pluginCenter: local,
      push: local,
      advertise: "127.0.0.1",
      database: undefined,
      heartbeatSeconds: 60,
      adminToken: TOKEN,
    },
  );
}

/** A quarter of a year in which gateways were asked things and came and went; one in fifty of it in the last day. */
function remember(path: string, gateways: number, rows: number): void {
  using database = new DatabaseSync(path);
  const command = database.prepare(
    `insert into command (id, mac, kind, plugin, version, parameter, actor, status, error_code, attempt, created_at,
      deadline_at, sent_at, finished_at) values (?, ?, ?, 'bench', '1.0', '{"CmdType":"X"}', 'admin', ?, ?, 1, ?, ?, ?, ?)`,
  );
  const history = database.prepare(
    "insert into gateway_history (id, mac, at, kind, detail) values (?, ?, ?, ?, '{}')",
  );
  const now = Date.now();
  database.exec("begin");
  for (let i = 0; i < rows; i++) {
    const share = (i * 7919 % rows) / rows, daysAgo = i % 50 === 0 ? share : 1 + 89 * share;
    const at = Math.floor(now - daysAgo * DAY_MS);
    const mac = macOf((i * 104_729) % gateways), failed = i % 30 === 0;
    command.run(
      ...[generate(at), mac, i % 5 === 0 ? "install" : "post", failed ? "failed" : "succeeded"],
      ...[failed ? "capability_failed" : null, at, at + 60_000, at + 500, at + 900],
    );
    history.run(generate(at), mac, at, ["registered", "online", "offline"][i % 3]!);
  }
  database.exec("commit");
}

/** Milliseconds from the request until the first byte of the page is there. */
async function timeOf(url: string, cookie: string, path: string): Promise<number> {
  const begun = performance.now();
  const response = await fetch(url + path, { headers: { cookie } });
  const reader = response.body!.getReader();
  await reader.read();
  const took = performance.now() - begun;
  while (!(await reader.read()).done);
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
  return took;
}

async function furnish(url: string, gateways: number): Promise<void> {
  for (let from = 0; from < gateways; from += CHUNK) {
    const many = Array.from({ length: Math.min(CHUNK, gateways - from) }, (_, i) => {
      const no = from + i;
      return {
        mac: macOf(no),
        sn: snOf(no),
        loid: `L${no}`,
        vendor: `vendor${no % 7}`,
        model: `model${no % 40}`,
        region: `region${no % 20}`,
      };
    });
    const response = await fetch(`${url}/api/v1/gateways`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(many),
    });
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
  }
}

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/sign-in`, {
    method: "POST",
    headers: { origin: url },
    body: new URLSearchParams({ token: TOKEN }),
    redirect: "manual",
  });
  await response.body?.cancel();
  return response.headers.getSetCookie()[0]!.split(";")[0]!;
}

function macOf(no: number): string {
  return `64D954${no.toString(16).toUpperCase().padStart(6, "0")}`;
}

function snOf(no: number): string {
  return `64D954-D6AEE${macOf(no)}`;
}
