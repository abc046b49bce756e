/**
 * What the console and the API's listings cost the server with a large fleet that has been in use for a quarter of a
 * year: time until the first byte of the overview, of a search, of a gateway with its timeline, embedded and on
 * PostgreSQL. Beside each, in turns: a bare HTTP server of this runtime whose answer is the same bytes.
 *
 * `deno task bench console[=GATEWAYS,COMMANDS]` · default 100,000 and 500,000; as many entries of histories as commands
 *
 * @module
 */
import { generate } from "@std/uuid/v7";
import type { Kysely } from "kysely";
import { ADMIN_TOKEN, testPlatform } from "../../tests/support/platform.ts";
import { encodeCursor } from "../../src/control/mod.ts";
import type { FleetTables } from "../../src/platform/fleet/mod.ts";
import { platformMigrations } from "../../src/platform/mod.ts";
import { openDatabase } from "../../src/storage/mod.ts";
import { identityOf } from "../load/gateway.ts";
import { fill, gatewayRow, type Kind, makePlaces, settle } from "./databases.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { inTurns } from "./timing.ts";

const DAY_MS = 86_400_000, ROUNDS = 200;
/** What nobody should wait longer for, in milliseconds. */
const OVERVIEW_GOAL = "p99: 300", SEARCH_GOAL = "p99: 100";

/** Measures milliseconds; about four minutes, of which filling the tables is half. */
export async function benchConsole(gateways = 100_000, commands = 500_000): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const places = stack.use(await makePlaces()), visitors: [Kind, Visitor][] = [];
  for (const [kind, database] of places.urls) {
    {
      await using db = await openDatabase<FleetTables>(database, platformMigrations);
      await fill(db.sql, "gateway", 0, gateways, gatewayRow);
      await remember(db.sql, gateways, commands);
    }
    await settle(database);
    const { url } = stack.use(await testPlatform({ settings: { database } }));
    visitors.push([kind, {
      url,
      headers: { cookie: await signIn(url), authorization: `Bearer ${ADMIN_TOKEN}` },
    }]);
  }
  const bare = stack.use(new BareServer());
  const first = Object.fromEntries(
    await Promise.all(
      visitors.map(async ([kind, visitor]) => [`${kind} p50`, (await visit(visitor, "/")).ms]),
    ),
  );
  const rows: BenchRow[] = [];
  for (const [name, path, goal] of pages(gateways)) {
    bare.body = (await visit(visitors[0]![1], path(0))).body;
    const works = [["bare", bare] as const, ...visitors].map(([kind, visitor]) =>
      [kind, async (round: number) => (await visit(visitor, path(round))).ms] as const
    );
    await inTurns(ROUNDS / 10, Object.fromEntries(works)); // every part has settled
    const times = await inTurns(ROUNDS, Object.fromEntries(works));
    const figures: Record<string, number> = { "bare p50": percentile(times["bare"]!, 0.5) };
    for (const [kind] of visitors) {
      figures[`${kind} p50`] = percentile(times[kind]!, 0.5);
      figures[`${kind} p99`] = percentile(times[kind]!, 0.99);
    }
    rows.push(rowOf(name, figures, goal));
  }
  return rows.toSpliced(1, 0, rowOf("overview, the very first, which has to count", first));
}

/** A line of figures; its ratio is that of the embedded database's median to the bare answer's. */
function rowOf(name: string, figures: Readonly<Record<string, number>>, goal?: string): BenchRow {
  const value = figures["embedded p50"]!, bare = figures["bare p50"];
  return {
    ...{ name, unit: "ms", value, figures },
    ...(bare === undefined ? {} : { ratio: value / bare }),
    ...(goal === undefined ? {} : { goal }),
  };
}

type Page = readonly [name: string, path: (round: number) => string, goal?: string];

function pages(gateways: number): readonly Page[] {
  const any = (round: number) => identityOf(Math.floor(round * gateways / ROUNDS));
  const api = "/api/v1/gateways?limit=50&";
  const search = (text: string) => `search=${text}`,
    filter = (text: string) => `filter=${encodeURIComponent(text)}`;
  return [
    ["overview", () => "/", OVERVIEW_GOAL],
    ["list of gateways", () => "/gateways"],
    ["search by MAC", (i) => `/gateways?${search(any(i).mac)}`, SEARCH_GOAL],
    ["search by the beginning of a MAC", (i) => `/gateways?${search(any(i).mac.slice(0, 10))}`, SEARCH_GOAL],
    ["search by SN", (i) => `/gateways?${search(any(i).sn)}`, SEARCH_GOAL],
    ["search by LOID", (i) => `/gateways?${search(any(i).loid)}`, SEARCH_GOAL],
    ["RSQL, a thirtieth of the fleet", (i) => `/gateways?${filter(`region==region-${i % 31}`)}`],
    ["RSQL, one found", (i) => `/gateways?${filter(`loid==${any(i).loid}`)}`],
    ["one gateway", (i) => `/gateways/${any(i).mac}`],
    ["a timeline", (i) => `/gateways/${any(i).mac}/timeline`],
    ["commands", () => "/commands"],
    ["commands that failed", () => "/commands?status=failed"],
    ["alarms", () => "/alarms?state="],
    ["API: 50 gateways", (i) => `${api}cursor=${encodeCursor(any(i).mac)}`],
    ["API: search by the beginning of an SN", (i) => `${api}${search(any(i).sn.slice(0, 22))}`, SEARCH_GOAL],
    ["API: RSQL, a thirtieth of the fleet", (i) => `${api}${filter(`region==region-${i % 31}`)}`],
  ];
}

/** A quarter of a year in which gateways were asked things and came and went; one in fifty of it in the last day. */
async function remember(db: Kysely<FleetTables>, gateways: number, count: number): Promise<void> {
  const now = Date.now();
  const moment = (i: number) => {
    const share = (i * 7919 % count) / count, daysAgo = i % 50 === 0 ? share : 1 + 89 * share;
    return Math.floor(now - daysAgo * DAY_MS);
  };
  const macOf = (i: number) => identityOf((i * 104_729) % gateways).mac;
  await fill(db, "command", 0, count, (i) => {
    const at = moment(i), failed = i % 30 === 0;
    return {
      id: generate(at),
      mac: macOf(i),
      kind: i % 5 === 0 ? "install" : "post",
      plugin: "bench",
      version: "1.0",
      parameter: '{"CmdType":"X"}',
      actor: "admin",
      status: failed ? "failed" : "succeeded",
      error_code: failed ? "capability_failed" : null,
      attempt: 1,
      created_at: at,
      deadline_at: at + 60_000,
      sent_at: at + 500,
      finished_at: at + 900,
    };
  });
  await fill(db, "gateway_history", 0, count, (i) => {
    const at = moment(i), kind = ["registered", "online", "offline"][i % 3];
    return { id: generate(at), mac: macOf(i), at, kind, detail: "{}" };
  });
}

/** Who asks a server. */
interface Visitor {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A page, and the milliseconds from the request until its first byte was there. */
async function visit(visitor: Visitor, path: string): Promise<{ ms: number; body: Uint8Array<ArrayBuffer> }> {
  const begun = performance.now();
  const response = await fetch(visitor.url + path, { headers: visitor.headers });
  const reader = response.body!.getReader(), first = await reader.read();
  const ms = performance.now() - begun, chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let next = first; !next.done; next = await reader.read()) chunks.push(next.value);
  const body = new Uint8Array(await new Blob(chunks).arrayBuffer());
  if (response.status !== 200) {
    throw new Error(`${path}: ${response.status} ${new TextDecoder().decode(body)}`);
  }
  return { ms, body };
}

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/sign-in`, {
    method: "POST",
    headers: { origin: url },
    body: new URLSearchParams({ token: ADMIN_TOKEN }),
    redirect: "manual",
  });
  await response.body?.cancel();
  return response.headers.getSetCookie()[0]!.split(";")[0]!;
}

/** Answers everything with the same bytes. */
class BareServer implements Visitor, AsyncDisposable {
  body = new Uint8Array();
  readonly headers = {};
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(this.body, { headers: { "content-type": "text/html; charset=utf-8" } }),
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

if (import.meta.main) printRows("Console and listings", await benchConsole(...Deno.args.map(Number)));
