/**
 * The state of the whole fleet in a few figures.
 *
 * @module
 */
import type { Expression, ExpressionBuilder, Kysely, SqlBool } from "kysely";
import type { Clock } from "../../base/mod.ts";
import type { Filter, FleetTables } from "../fleet/mod.ts";
import { type CommandStatus, OPEN_STATUSES } from "../registry/mod.ts";

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
const ENDED: readonly CommandStatus[] = ["succeeded", "failed", "timed_out", "cancelled"];
/** Sets of groups whose figures are remembered. */
const MAX_SCOPES = 100;

/** Gateways that figures are about: what finds them, and what they are called while they are remembered. */
export interface Scope {
  readonly name: string;
  readonly filter: Filter;
}

interface Counted {
  figures?: { readonly at: number; readonly value: FleetFigures };
  counting?: Promise<FleetFigures> | undefined;
}

/** Counts the fleet in the database; many who ask at once share one count. */
export class Overview {
  readonly #counted = new Map<string, Counted>();

  constructor(
    private readonly db: Kysely<FleetTables>,
    private readonly clock: Pick<Clock, "now" | "monotonic">,
  ) {}

  /**
   * The figures, of all gateways or of those of a scope: those that were counted last, while newer ones are counted
   * behind; waits only for the first.
   */
  async figures(scope?: Scope): Promise<FleetFigures> {
    const counted = this.#of(scope?.name ?? "");
    const age = counted.figures ? this.clock.monotonic() - counted.figures.at : Infinity;
    if (age >= FRESH_MS) {
      counted.counting ??= this.#count(scope?.filter).then((value) => {
        counted.figures = { at: this.clock.monotonic(), value };
        return value;
      }).finally(() => counted.counting = undefined);
      if (age >= STALE_MS) return await counted.counting;
      counted.counting.catch(() => {}); // whoever waits for it hears of it
    }
    return counted.figures!.value;
  }

  #of(name: string): Counted {
    let counted = this.#counted.get(name);
    if (!counted) {
      if (this.#counted.size >= MAX_SCOPES) this.#counted.delete(this.#counted.keys().next().value!);
      this.#counted.set(name, counted = {});
    }
    return counted;
  }

  async #count(filter: Filter | undefined): Promise<FleetFigures> {
    const [totals, regions, models, firmware, open, ended] = await Promise.all([
      this.#gateways(filter).select((e) => [
        e.fn.countAll<number>().as("preset"),
        e.fn.count<number>("registered_at").as("registered"),
        e.fn.sum<number | null>("online").as("online"),
      ]).executeTakeFirstOrThrow(),
      this.#shares("region", filter),
      this.#shares("model", filter),
      this.#shares("firmware", filter),
      this.#commands(filter, (eb) => eb("status", "in", OPEN_STATUSES)),
      this.#commands(filter, (eb) =>
        // The statuses as well: so the index has them in their order.
        eb.and([eb("status", "in", ENDED), eb("finished_at", ">", this.clock.now() - DAY_MS)])),
    ]);
    return {
      preset: Number(totals.preset),
      registered: Number(totals.registered),
      online: Number(totals.online ?? 0),
      regions,
      models,
      firmware,
      commands: Object.fromEntries([...open, ...ended]),
    };
  }

  /** How many commands there are in each status, of those that `which` finds by an index: there are many old ones. */
  async #commands(
    filter: Filter | undefined,
    which: (eb: ExpressionBuilder<FleetTables, "command">) => Expression<SqlBool>,
  ): Promise<[status: string, count: number][]> {
    let select = this.db.selectFrom("command").select((e) => ["status", e.fn.countAll<number>().as("count")])
      .where(which);
    if (filter) {
      select = select.where(
        "mac",
        "in",
        (eb) => eb.selectFrom("gateway").select("gateway.mac").where((inner) => filter(inner)),
      );
    }
    const rows = await select.groupBy("status").execute();
    return rows.map(({ status, count }) => [status, Number(count)]);
  }

  #gateways(filter: Filter | undefined) {
    const all = this.db.selectFrom("gateway").where("deleted_at", "is", null);
    return filter ? all.where((eb) => filter(eb)) : all;
  }

  async #shares(
    column: "region" | "model" | "firmware",
    filter: Filter | undefined,
  ): Promise<Share[]> {
    const rows = await this.#gateways(filter)
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
