/**
 * The state of the whole fleet in a few figures.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../base/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";

/** How many of a kind, and how many of them are online. */
export interface Share {
  readonly name: string | null;
  readonly total: number;
  readonly online: number;
}

/** The fleet in figures. */
export interface FleetFigures {
  readonly preset: number;
  readonly registered: number;
  readonly online: number;
  /** The largest of each, by number. */
  readonly regions: readonly Share[];
  readonly models: readonly Share[];
  readonly firmware: readonly Share[];
  /** Open commands and those that ended within the last day, by status. */
  readonly commands: Readonly<Record<string, number>>;
}

/** Rows shown of each kind. */
const TOP = 8;
/** Figures are counted at most this often, for everybody who asks; older ones than `STALE_MS` are waited for. */
const FRESH_MS = 5_000, STALE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Counts the fleet in the database; many who ask at once share one count. */
export class Overview {
  #figures: { readonly at: number; readonly value: FleetFigures } | undefined;
  #counting: Promise<FleetFigures> | undefined;

  constructor(
    private readonly db: Kysely<RegistryTables>,
    private readonly clock: Pick<Clock, "now" | "monotonic">,
  ) {}

  /** The figures: those that were counted last, while newer ones are counted behind; waits only for the first. */
  async figures(): Promise<FleetFigures> {
    const age = this.#figures ? this.clock.monotonic() - this.#figures.at : Infinity;
    if (age >= FRESH_MS) {
      this.#counting ??= this.#count().then((value) => {
        this.#figures = { at: this.clock.monotonic(), value };
        return value;
      }).finally(() => this.#counting = undefined);
      if (age >= STALE_MS) return await this.#counting;
      this.#counting.catch(() => {}); // whoever waits for it hears of it
    }
    return this.#figures!.value;
  }

  async #count(): Promise<FleetFigures> {
    const [totals, regions, models, firmware, commands] = await Promise.all([
      this.db.selectFrom("gateway").where("deleted_at", "is", null).select((e) => [
        e.fn.countAll<number>().as("preset"),
        e.fn.count<number>("registered_at").as("registered"),
        e.fn.sum<number | null>("online").as("online"),
      ]).executeTakeFirstOrThrow(),
      this.#shares("region"),
      this.#shares("model"),
      this.#shares("firmware"),
      this.db.selectFrom("command").select((e) => ["status", e.fn.countAll<number>().as("count")])
        .where((where) =>
          where.or([
            where("status", "in", ["queued", "sent", "acked"]),
            where("finished_at", ">", this.clock.now() - DAY_MS),
          ])
        ).groupBy("status").execute(),
    ]);
    return {
      preset: Number(totals.preset),
      registered: Number(totals.registered),
      online: Number(totals.online ?? 0),
      regions,
      models,
      firmware,
      commands: Object.fromEntries(commands.map(({ status, count }) => [status, Number(count)])),
    };
  }

  async #shares(column: "region" | "model" | "firmware"): Promise<Share[]> {
    const rows = await this.db.selectFrom("gateway").where("deleted_at", "is", null)
      .select((e) => [
        e.ref(column).as("name"),
        e.fn.countAll<number>().as("total"),
        e.fn.sum<number | null>("online").as("online"),
      ])
      .groupBy(column).orderBy("total", "desc").limit(TOP).execute();
    return rows.map(({ name, total, online }) => ({
      name,
      total: Number(total),
      online: Number(online ?? 0),
    }));
  }
}
