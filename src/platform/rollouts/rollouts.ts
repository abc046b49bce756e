/**
 * All rollouts: making, approving, starting, halting, trying again, taking back; and those that are under way.
 *
 * @module
 */
import { type Deps, nextTurn } from "../../base/mod.ts";
import type { Commander } from "../commands/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import { type Filter, parseFilter } from "../fleet/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import { deedOf, inverseOf, irreversible } from "./before.ts";
import { RolloutError } from "./errors.ts";
import type { RolloutKind, RolloutRow, RolloutStatus } from "./schema.ts";
import { movedOf } from "./moved.ts";
import { mustBeOffered, type Withheld } from "./offered.ts";
import type { RolloutStore } from "./store.ts";
import type { NewBrakes, NewItem, NewStage } from "./wanted.ts";
import { Underway } from "./underway.ts";
import type { Window } from "./window.ts";

/** Most gateways of one rollout. */
const MAX_ITEMS = 2_000_000;
const PAGE = 5000;

/** What somebody wants to roll out. */
export interface NewRollout {
  readonly name: string;
  readonly description: string;
  readonly kind: RolloutKind;
  readonly plugin: string;
  readonly version: string;
  readonly parameter: Readonly<Record<string, unknown>>;
  /** The gateways: what the filter finds, in the group where one is named, within `scope`. */
  readonly filter: string | undefined;
  readonly group: string | undefined;
  readonly scope: Filter | undefined;
  readonly stages: readonly NewStage[];
  readonly maxInFlight: number;
  readonly perMinute: number;
  readonly commandTimeoutMs: number;
  readonly maxAttempts: number;
  readonly window: Window | undefined;
  readonly needsApproval: boolean;
  /** Milliseconds since 1970; undefined: when somebody starts it. */
  readonly startAt: number | undefined;
  readonly actor: string;
}

/** What rollouts lean on. */
export interface RolloutParts {
  readonly deps: Pick<Deps, "clock" | "log" | "metrics">;
  readonly store: RolloutStore;
  readonly fleet: Pick<Fleet, "macs" | "groups">;
  readonly commander: Pick<Commander, "create" | "find" | "cancel">;
  readonly bus: Pick<PlatformBus, "subscribe" | "publish">;
  /** The person behind an actor: keys belong to whoever made them. Unsaid: everybody is who they are. */
  readonly personOf?: (actor: string) => Promise<string>;
  readonly withheld?: Withheld;
  /** Where there are several nodes: asks whether rollouts are this one's to see to, and takes them over if nobody's. */
  readonly duty?: (() => Promise<boolean>) | undefined;
}

/** Every rollout of the platform. */
export class Rollouts implements AsyncDisposable {
  readonly #underway: Underway;

  private constructor(private readonly parts: RolloutParts) {
    this.#underway = new Underway(
      parts,
      async (id) => await this.#begin(await this.#found(id), ["scheduled"]),
      (row) => this.#tellMoved(row),
    );
  }

  /** Takes up whatever an earlier process left under way. */
  static async start(parts: RolloutParts): Promise<Rollouts> {
    const rollouts = new Rollouts(parts);
    await rollouts.#underway.start();
    return rollouts;
  }

  /**
   * Makes a rollout over the gateways that are found at this moment.
   *
   * @throws {RolloutError} `rollout_empty`, `rollout_plugin`
   */
  async create(wanted: NewRollout): Promise<RolloutRow> {
    const { clock } = this.parts.deps;
    await mustBeOffered(this.parts, wanted);
    const conditions = [
      wanted.scope,
      wanted.filter === undefined ? undefined : parseFilter(wanted.filter, clock.now()),
      wanted.group === undefined ? undefined : await this.parts.fleet.groups.membersOf([wanted.group]),
    ].filter((condition) => condition !== undefined);
    const where: Filter | undefined = conditions.length === 0
      ? undefined
      : (eb) => eb.and(conditions.map((condition) => condition(eb)));
    const items: NewItem[] = [];
    for (let after = "";;) {
      const macs = await this.parts.fleet.macs(where, PAGE, after);
      if (macs.length === 0) break;
      for (const mac of macs) items.push({ mac });
      after = macs.at(-1)!;
      await nextTurn();
      if (items.length > MAX_ITEMS) {
        throw new RolloutError(
          "rollout_empty",
          `it would reach more than ${MAX_ITEMS} gateways: narrow the filter`,
        );
      }
    }
    return await this.#make(wanted, items, null);
  }

  async #make(wanted: NewRollout, items: readonly NewItem[], reverts: string | null): Promise<RolloutRow> {
    const some = items.find(({ skip }) => skip === undefined);
    if (!some) {
      const why = items[0]?.skip;
      throw new RolloutError("rollout_empty", `it would reach no gateway${why ? `: ${why}` : ""}`);
    }
    const row = await this.parts.store.create(
      {
        name: wanted.name,
        description: wanted.description,
        kind: wanted.kind,
        plugin: wanted.plugin,
        version: wanted.version,
        parameter: JSON.stringify(wanted.parameter),
        filter: wanted.filter ?? null,
        group_name: wanted.group ?? null,
        max_in_flight: wanted.maxInFlight,
        per_minute: wanted.perMinute,
        command_timeout_ms: wanted.commandTimeoutMs,
        max_attempts: wanted.maxAttempts,
        window: wanted.window ? JSON.stringify(wanted.window) : null,
        needs_approval: wanted.needsApproval ? 1 : 0,
        start_at: wanted.startAt ?? null,
        created_by: wanted.actor,
        reverts,
      },
      wanted.stages,
      items,
    );
    this.#tell(row.id);
    this.#tellMoved(row);
    return row;
  }

  /** Lets a draft go: to its approval, to its time, or at once. @throws {RolloutError} `rollout_plugin` */
  async submit(id: string): Promise<RolloutRow> {
    const row = await this.#found(id);
    await mustBeOffered(this.parts, row);
    const approval = row.needs_approval === 1 && row.approved_at === null;
    return approval
      ? await this.#change(id, ["draft"], { status: "approval" })
      : await this.#begin(row, ["draft"]);
  }

  /** Approves a rollout that somebody else made, and lets it go; with `seen` only if those are its brakes. */
  async approve(id: string, actor: string, seen?: string): Promise<RolloutRow> {
    const row = await this.#found(id), { personOf = (actor: string) => Promise.resolve(actor) } = this.parts;
    if (await personOf(row.created_by) === await personOf(actor)) {
      throw new RolloutError("rollout_own", "somebody else than its maker has to approve a rollout");
    }
    await mustBeOffered(this.parts, row);
    // In one step with what lets it go: other brakes would come between, and nobody would have approved them.
    return await this.#begin(row, ["approval"], {
      approved: { approved_at: this.parts.deps.clock.now(), approved_by: actor },
      seen,
    });
  }

  async #begin(
    row: RolloutRow,
    from: readonly RolloutStatus[],
    { approved = {}, seen }: {
      readonly approved?: Partial<Pick<RolloutRow, "approved_at" | "approved_by">>;
      readonly seen?: string | undefined;
    } = {},
  ): Promise<RolloutRow> {
    const now = this.parts.deps.clock.now();
    if (row.start_at !== null && row.start_at > now) {
      const scheduled = await this.#change(row.id, from, { ...approved, status: "scheduled" }, seen);
      this.#underway.schedule(row.id, row.start_at);
      return scheduled;
    }
    const running = await this.#change(row.id, from, {
      ...approved,
      status: "running",
      reason: null,
      ...(row.started_at === null ? { started_at: now } : {}),
    }, seen);
    await this.#underway.run(row.id);
    return running;
  }

  /** Begins with nothing more until it is resumed; what is under way goes on. */
  async pause(id: string, reason: string): Promise<RolloutRow> {
    const row = await this.#change(id, ["running", "scheduled"], { status: "paused", reason });
    this.#underway.halt(id, "paused");
    return row;
  }

  /** Goes on with a paused rollout. */
  async resume(id: string): Promise<RolloutRow> {
    const row = await this.#found(id);
    await mustBeOffered(this.parts, row);
    return await this.#begin(row, ["paused"]);
  }

  /**
   * Gives a rollout that does not run other brakes. One that was approved has to be approved again, and goes on with
   * that: it is another one than was looked at. With `seen` it is changed only if those are its brakes.
   */
  async edit(id: string, brakes: NewBrakes, seen?: string): Promise<RolloutRow> {
    const there = (await this.parts.store.stages(id)).length;
    if (brakes.stages && brakes.stages.length !== there) {
      throw new RolloutError(
        "rollout_stages",
        `it has ${there} stages, and "stages" ${brakes.stages.length}`,
      );
    }
    const from = ["draft", "approval", "scheduled", "paused"] as const;
    const row = await this.parts.store.brake(id, from, brakes, seen);
    if (!row) throw this.#wrongState(await this.#found(id), from);
    if (row.status === "approval") {
      this.#underway.halt(id, "paused");
      this.#tellMoved(row);
    }
    this.#tell(id);
    return row;
  }

  /** Ends a rollout for good: takes back the commands that still wait, and begins with nothing more. */
  async abort(id: string, reason: string): Promise<RolloutRow> {
    const row = await this.#change(id, ["draft", "approval", "scheduled", "running", "paused"], {
      status: "aborted",
      reason,
      finished_at: this.parts.deps.clock.now(),
    });
    this.#underway.halt(id, "aborted");
    await this.#skipWaiting(id);
    return row;
  }

  /** Tries the failed gateways of a halted rollout again. @throws {RolloutError} `rollout_empty` where none failed */
  async retry(id: string): Promise<{ rollout: RolloutRow; gateways: number }> {
    const row = await this.#found(id);
    if (row.status !== "paused" && row.status !== "finished") {
      throw this.#wrongState(row, ["paused", "finished"]);
    }
    await mustBeOffered(this.parts, row);
    const { store } = this.parts, failed = await store.retryFailed(id);
    // Also those that a process let wait and ended before it began: none else waits in a finished one.
    const gateways = row.status === "finished" ? await this.#waiting(id) : failed;
    if (gateways === 0) throw new RolloutError("rollout_empty", "none of its gateways failed");
    try {
      return { rollout: await this.#begin({ ...row, start_at: null }, ["paused", "finished"]), gateways };
    } catch (error) {
      // Somebody ended it meanwhile: nothing waits in it then.
      if ((await store.find(id))?.status === "aborted") await this.#skipWaiting(id);
      throw error;
    }
  }

  async #waiting(id: string): Promise<number> {
    return (await this.parts.store.counts(id)).values().reduce((sum, { waiting }) => sum + waiting, 0);
  }

  #skipWaiting(id: string): Promise<void> {
    return this.#underway.behind(id, () => this.parts.store.skipWaiting(id, "the rollout was aborted"));
  }

  /**
   * Makes the rollout that takes back what this one did where it succeeded: the version before, or none where there was
   * none; the parameters before. Where that is not known a gateway is skipped. It is a draft, with the brakes of the
   * first.
   *
   * @throws {RolloutError} `rollout_irreversible` with the reason; `rollout_empty` where there is nothing to take back
   */
  async rollBack(id: string, actor: string): Promise<RolloutRow> {
    const row = await this.#found(id), why = irreversible(row);
    if (why !== undefined) {
      throw new RolloutError("rollout_irreversible", `this rollout can't be taken back: ${why}`);
    }
    if (!["paused", "finished", "aborted"].includes(row.status)) {
      throw this.#wrongState(row, ["paused", "finished", "aborted"]);
    }
    const items: NewItem[] = [];
    for await (const done of this.parts.store.succeeded(id)) {
      for (const item of done) {
        const back = inverseOf(deedOf(row, item), item);
        if (back) items.push(back);
      }
    }
    const stages = (await this.parts.store.stages(id)).slice(0, 1).map((stage) => ({
      name: stage.name,
      percent: 100,
      successThreshold: stage.success_threshold,
      errorThreshold: stage.error_threshold,
    }));
    return await this.#make(
      {
        name: `${row.name} ↩`.slice(0, 200),
        description: "",
        kind: row.kind,
        plugin: row.plugin,
        version: row.version,
        parameter: row.kind === "post" ? JSON.parse(row.parameter) : {},
        filter: undefined,
        group: undefined,
        scope: undefined,
        stages,
        maxInFlight: row.max_in_flight,
        perMinute: row.per_minute,
        commandTimeoutMs: row.command_timeout_ms,
        maxAttempts: row.max_attempts,
        window: undefined,
        needsApproval: row.needs_approval === 1,
        startAt: undefined,
        actor,
      },
      items,
      id,
    );
  }

  /**
   * Emergency stop: pauses everything that runs or is about to; answers the ids. One that can't be paused holds up none
   * of the others.
   */
  async stopAll(reason: string): Promise<string[]> {
    const stopped: string[] = [], failures: unknown[] = [];
    for (const row of await this.parts.store.open()) {
      if (row.status !== "running" && row.status !== "scheduled") continue;
      await this.pause(row.id, reason).then(() => stopped.push(row.id), (error) => {
        if (!(error instanceof RolloutError)) failures.push(error); // else it came to its end meanwhile
      });
    }
    if (failures.length > 0) throw failures[0];
    return stopped;
  }

  /** Removes a rollout that is not under way. */
  async remove(id: string): Promise<void> {
    const row = await this.#found(id), from = ["draft", "approval", "paused", "finished", "aborted"] as const;
    const underWay = this.#underway.has(id) ||
      this.parts.duty !== undefined && (await this.parts.store.issued(id)).length > 0;
    if (underWay) throw this.#wrongState(row, from);
    if (!await this.parts.store.remove(id, from)) throw this.#wrongState(await this.#found(id), from);
  }

  async #found(id: string): Promise<RolloutRow> {
    const row = await this.parts.store.find(id);
    if (!row) throw new RolloutError("rollout_not_found", `there is no rollout "${id.slice(0, 64)}"`);
    return row;
  }

  async #change(
    id: string,
    from: readonly RolloutStatus[],
    change: Parameters<RolloutStore["change"]>[2],
    seen?: string,
  ): Promise<RolloutRow> {
    const row = await this.parts.store.change(id, from, change, seen);
    if (!row) throw this.#wrongState(await this.#found(id), from);
    this.#tell(id);
    if (change.status !== undefined) this.#tellMoved(row);
    return row;
  }

  #wrongState({ status }: RolloutRow, from: readonly RolloutStatus[]): RolloutError {
    return new RolloutError(
      "rollout_state",
      `it is ${status}; this is possible while it is ${from.join(" or ")}`,
    );
  }

  #tell(id: string): void {
    this.parts.bus.publish("rollout.changed", { id });
  }

  #tellMoved(row: RolloutRow): void {
    this.parts.bus.publish("rollout.moved", movedOf(row));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#underway[Symbol.asyncDispose]();
    await this.parts.store.flush();
  }
}
