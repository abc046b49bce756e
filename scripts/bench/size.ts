/**
 * What the platform's own stores cost as the fleet grows, embedded and on PostgreSQL, in turns: one call at a time, no
 * HTTP, so that the slope is the database's.
 *
 * `deno task bench size[=1000,10000,…]` · default 1,000, 10,000, 100,000 and 1,000,000 gateways
 *
 * @module
 */
import { systemClock } from "../../src/base/mod.ts";
import { beginning, type FleetTables, parseFilter } from "../../src/platform/fleet/mod.ts";
import { platformMigrations } from "../../src/platform/mod.ts";
import { GatewayStore } from "../../src/platform/registry/mod.ts";
import { type Database, openDatabase } from "../../src/storage/mod.ts";
import { type Identity, identityOf } from "../load/gateway.ts";
import { fill, gatewayRow, type Kind, makePlaces, settle } from "./databases.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { inTurns, timeOf } from "./timing.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
/** Rows of presence that go out together, and gateways of one request that presets. */
const FLUSH = 500, PRESET = 50;

/** Measures the medians of single steps, in microseconds; about four minutes. */
export async function benchSize(...given: number[]): Promise<BenchRow[]> {
  const sizes = given.length > 0 ? given : SIZES;
  await using stack = new AsyncDisposableStack();
  const places = stack.use(await makePlaces()), stages: [Kind, Stage][] = [];
  for (const [kind, url] of places.urls) stages.push([kind, stack.use(await Stage.open(url))]);
  const rows = new Map<string, Record<string, number>>();
  for (const size of sizes) {
    for (const [, stage] of stages) await stage.grow(size);
    for (const { name, rounds, run } of STEPS) {
      const works = stages.map(([kind, stage]) => [kind, () => timeOf(() => run(stage))] as const);
      await inTurns(rounds / 4, Object.fromEntries(works)); // every part has settled
      const times = await inTurns(rounds, Object.fromEntries(works));
      for (const [kind] of stages) {
        const row = `${name}, ${kind}`, column = size.toLocaleString("en");
        rows.set(row, { ...rows.get(row), [column]: percentile(times[kind]!, 0.5) * 1000 });
      }
    }
  }
  return STEPS.flatMap(({ name }) => {
    const of = (kind: Kind) => rows.get(`${name}, ${kind}`), embedded = of("embedded")!;
    const server = of("PostgreSQL");
    if (!server) return [rowOf(`${name}, embedded`, "µs", embedded)];
    const beside = Object.entries(server).map(([column, value]) => [column, value / embedded[column]!]);
    return [
      rowOf(`${name}, embedded`, "µs", embedded),
      rowOf(`${name}, PostgreSQL`, "µs", server),
      rowOf("PostgreSQL to embedded", "times", Object.fromEntries(beside), false),
    ];
  });
}

/** A line of figures; its ratio is the last one to the first. */
function rowOf(name: string, unit: string, figures: Record<string, number>, slope = true): BenchRow {
  const all = Object.values(figures), value = all.at(-1)!;
  return { name, unit, value, figures, ...(slope && all.length > 1 ? { ratio: value / all[0]! } : {}) };
}

/** One thing that is measured. */
interface Step {
  readonly name: string;
  readonly rounds: number;
  run(stage: Stage): Promise<unknown>;
}

const TWO_CONDITIONS = "vendor==vendor-3;region==region-7";

const STEPS: readonly Step[] = [
  { name: "look-up by MAC", rounds: 400, run: (at) => at.store.find(at.any().mac) },
  {
    name: "what a registration writes",
    rounds: 400,
    run: (at) =>
      at.store.update(at.any().mac, {
        address: "10.0.0.1:5000",
        dev_rnd: "0".repeat(32),
        registered_at: Date.now(),
        online: 1,
      }),
  },
  {
    name: `presence, ${FLUSH} rows by chance`,
    rounds: 20,
    run: (at) =>
      at.store.saveLastSeen(
        Array.from({ length: FLUSH }, () => ({
          mac: at.any().mac,
          address: "10.0.0.1:5000",
          lastSeenAt: Date.now(),
          online: true,
        })),
      ),
  },
  { name: "a page of 50", rounds: 400, run: (at) => at.store.list({ limit: 50, after: at.any().mac }) },
  {
    name: "a page of 50 by two conditions",
    rounds: 50,
    run: (at) =>
      at.store.list({ limit: 50, where: parseFilter(TWO_CONDITIONS, Date.now()), after: at.any().mac }),
  },
  {
    name: "search by the beginning of an SN",
    rounds: 50,
    run: async (at) =>
      at.store.list({
        limit: 50,
        where: await beginning(at.database.tables<FleetTables>(), at.any().sn.slice(0, 22)),
      }),
  },
  { name: "counting all", rounds: 20, run: (at) => at.store.count() },
  // The last, since it adds to them.
  { name: `presetting ${PRESET}`, rounds: 20, run: (at) => at.store.preset(at.more(PRESET)) },
];

/** A database with a fleet in it. */
class Stage implements AsyncDisposable {
  readonly store: GatewayStore;
  #there = 0;

  private constructor(readonly database: Database<FleetTables>, private readonly url: string) {
    this.store = new GatewayStore(database.tables(), systemClock);
  }

  static async open(url: string): Promise<Stage> {
    return new Stage(await openDatabase<FleetTables>(url, platformMigrations), url);
  }

  /** Fills it up to `size` gateways. */
  async grow(size: number): Promise<void> {
    if (size > this.#there) await fill(this.database.sql, "gateway", this.#there, size, gatewayRow);
    this.#there = Math.max(this.#there, size);
    await settle(this.url);
  }

  /** A gateway by chance. */
  any(): Identity {
    return identityOf(Math.floor(Math.random() * this.#there));
  }

  /** So many that are not there yet. */
  more(count: number): Identity[] {
    const from = this.#there;
    this.#there += count;
    return Array.from({ length: count }, (_, i) => identityOf(from + i));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }
}

if (import.meta.main) printRows("As the fleet grows", await benchSize(...Deno.args.map(Number)));
