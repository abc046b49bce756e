/**
 * The platform's databases as benchmarks use them: embedded and PostgreSQL side by side, filled with a fleet.
 *
 * @module
 */
import type { Kysely } from "kysely";
import pg from "pg";
import { dropDatabases, hasPostgres, makeDatabase } from "../../tests/support/postgres.ts";
import { Statement } from "../../src/storage/mod.ts";
import { identityOf } from "../load/gateway.ts";

/** The databases that are compared. */
export type Kind = "embedded" | "PostgreSQL";

/** Where they are. Dispose of it to remove them. */
export interface Places extends AsyncDisposable {
  /** Without `PostgreSQL` where no server is there. */
  readonly urls: ReadonlyMap<Kind, string>;
}

/** Room for an embedded database, and a database of its own on the server that is on this machine. */
export async function makePlaces(): Promise<Places> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-bench-" }), name = `gatehouse_bench_${Deno.pid}`;
  const urls = new Map<Kind, string>([["embedded", `sqlite:${dir}/platform.db`]]);
  const server = await hasPostgres();
  if (server) urls.set("PostgreSQL", await makeDatabase(name));
  // deno-lint-ignore no-console -- says why figures are missing
  else console.error("  no PostgreSQL on 127.0.0.1:5432: it is left out");
  return {
    urls,
    async [Symbol.asyncDispose]() {
      if (server) await dropDatabases(name);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Rows in one statement. Both databases take more parameters than these have. */
const CHUNK = 1000;

/** Puts `rowOf(from)` to `rowOf(to - 1)` into a table, by statements of many rows. All rows name the same columns. */
export async function fill(
  // deno-lint-ignore no-explicit-any -- any table of any database
  db: Kysely<any>,
  table: string,
  from: number,
  to: number,
  rowOf: (i: number) => Readonly<Record<string, unknown>>,
): Promise<void> {
  const columns = Object.keys(rowOf(from));
  const statementOf = (rows: number) =>
    new Statement(() => db.insertInto(table).values(Array.from({ length: rows }, () => rowOf(from))));
  const whole = statementOf(CHUNK);
  for (let at = from; at < to; at += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, to - at) }, (_, i) => rowOf(at + i));
    await (rows.length === CHUNK ? whole : statementOf(rows.length))
      .run(db, rows.flatMap((row) => columns.map((column) => row[column])));
  }
}

/** Gateway number `n` of a fleet that has registered and is online. */
export function gatewayRow(n: number): Readonly<Record<string, unknown>> {
  const now = Date.now();
  return {
    ...identityOf(n),
    vendor: `vendor-${n % 5}`,
    model: `model-${n % 17}`,
    region: `region-${n % 31}`,
    firmware: `1.${n % 3}`,
    address: "10.0.0.1:5000",
    dev_rnd: "0".repeat(32),
    registered_at: now,
    last_seen_at: now,
    online: 1,
    renew: 0,
    created_at: now,
    updated_at: now,
  };
}

/** Has the server do at once what it does by itself in a while, after many rows have come. */
export async function settle(url: string): Promise<void> {
  if (!url.startsWith("postgres:")) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}
