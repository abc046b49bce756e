// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * What single steps cost as the fleet grows: `deno run -A scripts/bench/fleet_size.ts [DATABASE] [SIZES]`.
 *
 * The platform's own stores over a database with so many gateways; no network, so that the slope is the database's.
 * `DATABASE`: `sqlite` (default) or `postgres://…/NAME`, whose tables are made and filled; give it one of its own.
 *
 * @module
 */
import { sql } from "kysely";
import { beginning, fleetMigrations, parseFilter } from "../../src/platform/fleet/mod.ts";
import { systemClock } from "../../src/base/mod.ts";
import { openDatabase } from "../../src/storage/mod.ts";
import { GatewayStore, registryMigrations, type RegistryTables } from "../../src/platform/registry/mod.ts";
import { identityOf } from "../load/gateway.ts";
import { percentile } from "./rows.ts";

const [kind = "sqlite", sizes = "1000,10000,100000"] = Deno.args;
const CHUNK = 5000, ROUNDS = 400;

const dir = await Deno.makeTempDir({ prefix: "gatehouse-size-" });
try {
  const url = kind === "sqlite" ? `sqlite:${dir}/platform.db` : kind;
  await using database = await openDatabase<RegistryTables>(url, {
    ...registryMigrations,
    ...fleetMigrations,
  });
  const store = new GatewayStore(database.sql, systemClock);
  console.log(
    `${new Date().toISOString().slice(0, 16)} ${kind.split(":")[0]}, microseconds, median of ${ROUNDS} (p99)`,
  );
  let there = await store.count();
  for (const size of sizes.split(",").map(Number)) {
    const began = performance.now(), before = there;
    for (; there < size; there += CHUNK) {
      await store.preset(
        Array.from({ length: Math.min(CHUNK, size - there) }, (_, i) => ({
          ...identityOf(there + i),
          vendor: `vendor-${(there + i) % 5}`,
          model: `model-${(there + i) % 17}`,
          region: `region-${(there + i) % 31}`,
        })),
      );
    }
    there = await store.count();
    const each = (performance.now() - began) * 1000 / Math.max(1, there - before);
    const any = () => identityOf(Math.floor(Math.random() * size));
    const filter = parseFilter("vendor==vendor-3;region==region-7", Date.now());
    const row = {
      preset: `${each.toFixed(0)} each`,
      "look-up by MAC": await time(() => store.find(any().mac)),
      "registration's write": await time(() =>
        store.update(any().mac, {
          address: "10.0.0.1:5000",
          dev_rnd: "0".repeat(32),
          registered_at: Date.now(),
          online: 1,
        })
      ),
      "presence, 500 rows": await time(() =>
        store.saveLastSeen(
          Array.from(
            { length: 500 },
            () => ({ mac: any().mac, address: "10.0.0.1:5000", lastSeenAt: Date.now(), online: true }),
          ),
        ), 20),
      "page of 50": await time(() => store.list({ limit: 50, after: any().mac })),
      "search by SN's beginning": await time(
        async () =>
          store.list({ limit: 50, where: await beginning(database.tables(), any().sn.slice(0, 22)) }),
        50,
      ),
      "page of 50 by filter": await time(
        () => store.list({ limit: 50, where: filter, after: any().mac }),
        50,
      ),
      "count of all": await time(() => store.count(), 20),
    };
    if (kind !== "sqlite") await sql`analyze gateway`.execute(database.sql);
    console.log(
      `${size} gateways: ${Object.entries(row).map(([name, text]) => `${name} ${text}`).join(" | ")}`,
    );
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
Deno.exit(0);

/** Median and p99 of many runs, one after the other, in microseconds. */
async function time(work: () => Promise<unknown>, rounds = ROUNDS): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    await work();
    times.push((performance.now() - began) * 1000);
  }
  return `${percentile(times, 0.5).toFixed(0)} (${percentile(times, 0.99).toFixed(0)})`;
}
