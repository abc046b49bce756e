/**
 * How the played centre behaves: as the API takes it, as one URL, and kept over restarts.
 *
 * @module
 */
import type { Kysely } from "kysely";
import * as v from "valibot";
import { whole } from "./fields.ts";
import type { SmsTables } from "./schema.ts";
import { DEFAULT_BEHAVIOUR, type Simulator, type SimulatorBehaviour } from "./simulator.ts";

const LONGEST_LATENCY_MS = 3_600_000, MOST_STATS = 32;

const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const StatName = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,7}$/, "Invalid Stat: Expected 1 to 7 visible characters"),
);
const Latency = whole(0, LONGEST_LATENCY_MS);

/** The behaviour as the API takes it: what is left out is that of a centre that delivers everything at once. */
export const BehaviourBody = v.strictObject({
  /** From acceptance to receipt, in milliseconds: anything between the two. */
  latencyMs: v.optional(
    v.pipe(
      v.tuple([Latency, Latency]),
      v.check(([least, most]) => least <= most, "Invalid latency: the second must not be below the first"),
    ),
    [...DEFAULT_BEHAVIOUR.latencyMs],
  ),
  /** Stat to its share of all messages; the rest is DELIVRD. */
  outcomes: v.optional(
    v.pipe(
      v.record(StatName, Share),
      v.check(
        (shares) => Object.keys(shares).length <= MOST_STATS,
        `Invalid outcomes: ${MOST_STATS} at most`,
      ),
      v.check(
        (shares) => Object.values(shares).reduce((sum, share) => sum + share, 0) <= 1 + 1e-9,
        "Invalid outcomes: the shares are more than 1 together",
      ),
    ),
    {},
  ),
  /** Share of messages that never get a receipt. */
  silent: v.optional(Share, 0),
  /** Share of messages refused at once, with this Stat. */
  refused: v.optional(
    v.strictObject({ share: Share, stat: v.optional(StatName, DEFAULT_BEHAVIOUR.refused.stat) }),
    DEFAULT_BEHAVIOUR.refused,
  ),
  /** It can't take messages now. */
  busy: v.optional(v.boolean(), false),
});

/** The behaviour as the API shows it. */
export const BehaviourView = v.object({
  latencyMs: v.tuple([v.number(), v.number()]),
  outcomes: v.record(v.string(), v.number()),
  silent: v.number(),
  refused: v.object({ share: v.number(), stat: v.string() }),
  busy: v.boolean(),
});

/** A behaviour as {@linkcode BehaviourView} has it. */
export function behaviourView(behaviour: SimulatorBehaviour): v.InferInput<typeof BehaviourView> {
  const { latencyMs: [least, most], outcomes, silent, refused, busy } = behaviour;
  return { latencyMs: [least, most], outcomes: { ...outcomes }, silent, refused: { ...refused }, busy };
}

/**
 * Reads `simulator` or `simulator:?latency=100-500&outcomes=UNDELIV:0.1,EXPIRED:0.05&silent=0.01&refused=0.02&busy=no`
 * (latency in milliseconds, shares of 1); undefined where it is none.
 */
export function parseSimulatorUrl(text: string): SimulatorBehaviour | undefined {
  if (text === "simulator") return DEFAULT_BEHAVIOUR;
  if (!text.startsWith("simulator:?")) return undefined;
  const given = {}, parameters = [...new URLSearchParams(text.slice("simulator:?".length))];
  if (new Set(parameters.map(([name]) => name)).size < parameters.length) return undefined;
  for (const [name, value] of parameters) {
    const read = PARAMETERS.get(name)?.(value);
    if (read === undefined) return undefined;
    Object.assign(given, read);
  }
  const { success, output } = v.safeParse(BehaviourBody, given);
  return success ? output : undefined;
}

const number = (text: string) => /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;

const PARAMETERS = new Map<string, (value: string) => object | undefined>(Object.entries({
  latency(value: string) {
    const [, least = "", most = least] = /^([^-]*)(?:-([^-]*))?$/.exec(value) ?? [];
    return { latencyMs: [number(least), number(most)] };
  },
  outcomes(value: string) {
    const pairs = value.split(",").map((pair) => /^(.*):([^:]*)$/.exec(pair));
    if (pairs.includes(null)) return undefined;
    return { outcomes: Object.fromEntries(pairs.map((pair) => [pair![1]!, number(pair![2]!)])) };
  },
  silent: (value: string) => ({ silent: number(value) }),
  refused: (value: string) => ({ refused: { share: number(value) } }),
  busy: (value: string) => value === "yes" || value === "no" ? { busy: value === "yes" } : undefined,
}));

/** The played centre's behaviour, kept: what an operator says of it holds over restarts, until it is reset. */
export class KeptBehaviour {
  private constructor(
    private readonly db: Kysely<SmsTables>,
    private readonly simulator: Simulator,
    /** What it was started with. */
    private readonly first: SimulatorBehaviour,
  ) {}

  /** Has the simulator behave as was last said of it. */
  static async open(db: Kysely<SmsTables>, simulator: Simulator): Promise<KeptBehaviour> {
    const kept = new KeptBehaviour(db, simulator, simulator.behaviour);
    const row = await db.selectFrom("sms_simulator").select("behaviour").executeTakeFirst();
    if (row) simulator.behaviour = v.parse(BehaviourBody, JSON.parse(row.behaviour));
    return kept;
  }

  get now(): SimulatorBehaviour {
    return this.simulator.behaviour;
  }

  /** A phone writes; gives in how many parts. */
  injectMo(from: string, to: string, text: string): number {
    return this.simulator.injectMo(from, to, text);
  }

  /** From now on it behaves so: messages that it has already keep what was decided. */
  async put(behaviour: SimulatorBehaviour): Promise<void> {
    const row = { id: 1, behaviour: JSON.stringify(behaviour) };
    await this.db.insertInto("sms_simulator").values(row)
      .onConflict((conflict) => conflict.column("id").doUpdateSet(row)).execute();
    this.simulator.behaviour = behaviour;
  }

  /** From now on it behaves as it was started. */
  async reset(): Promise<void> {
    await this.db.deleteFrom("sms_simulator").execute();
    this.simulator.behaviour = this.first;
  }
}
