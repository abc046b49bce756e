// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * What the console costs the server with a large fleet: time until the first byte of the overview, and of a search.
 *
 * `deno run -A scripts/bench/console.ts [GATEWAYS]` · default 100,000
 *
 * @module
 */
import { Metrics, silentLog, systemClock, systemRandom } from "../../src/base/mod.ts";
import { DEFAULT_SERVICES, startPlatform } from "../../src/platform/mod.ts";

const ROUNDS = 200, CHUNK = 20_000, TOKEN = "administrator-of-the-benchmark";

if (import.meta.main) await main(Number(Deno.args[0] ?? 100_000));

async function main(gateways: number): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-bench-console-" });
  const local = { host: "127.0.0.1", port: 0 };
  {
    await using platform = await startPlatform(
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
    const url = `http://127.0.0.1:${platform.http.port}`;
    await furnish(url, gateways);
    const cookie = await signIn(url);
    console.log(`gateways              ${gateways}`);
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
        ["filter by region", (i: number) => filter(`region==region${i % 20}`)],
        ["filter, few found", (i: number) => filter(`loid==L${of(i)}`)],
        ["one gateway", (i: number) => `/gateways/${macOf(of(i))}`],
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
