/**
 * All rollouts: making, approving, starting, halting, trying again, taking back; and those that are under way.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { Commander } from "../commands/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import { type Filter, parseFilter } from "../fleet/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import { RolloutError } from "./errors.ts";
import { Runner } from "./runner.ts";
import type { RolloutKind, RolloutRow, RolloutStatus } from "./schema.ts";
import type { NewItem, NewStage, RolloutStore } from "./store.ts";
import type { Window } from "./window.ts";

/** Most gateways of one rollout. */
const MAX_ITEMS = 2_000_000;
const PAGE = 5000;
/** Longest sleep until a scheduled rollout is looked at again: the clock may jump. */
const LOOK_MS = 30_000;
/** Among several nodes: between looks who sees to rollouts, and how many of them until everything is looked through. */
const DUTY_MS = 1000;
const RECONCILE_LOOKS = 5;

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
  /** Where there are several nodes: asks whether rollouts are this one's to see to, and takes them over if nobody's. */
  readonly duty?: (() => Promise<boolean>) | undefined;
}

/** Every rollout of the platform. */
export class Rollouts implements AsyncDisposable {
  readonly #runners = new Map<string, Runner>();
  readonly #scheduled = new Map<string, number>();
  readonly #disposing = new Set<Promise<void>>();
  #subscription: Disposable | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  /** Whether they go on here: where there are several nodes only one sees to them. */
  #active: boolean;
  #dutyTimer: Timer | undefined;
  #sync: Promise<void> = Promise.resolve();

  private constructor(private readonly parts: RolloutParts) {
    this.#active = parts.duty === undefined;
  }

  /** Takes up whatever an earlier process left under way. */
  static async start(parts: RolloutParts): Promise<Rollouts> {
    const rollouts = new Rollouts(parts);
    rollouts.#subscription = parts.bus.subscribe("command.changed", ({ id, status }) => {
      if (["succeeded", "failed", "timed_out", "cancelled"].includes(status)) {
        for (const runner of rollouts.#runners.values()) runner.commandEnded(id);
      }
    });
    if (parts.duty) rollouts.#join(parts.duty);
    else await rollouts.#takeUp();
    parts.deps.metrics.gauge(
      "gatehouse_rollouts_running",
      "Rollouts that are under way or being drained",
      () => rollouts.#runners.size,
    );
    parts.deps.metrics.gauge("gatehouse_rollout_commands", "Commands of rollouts under way", () => {
      let sum = 0;
      for (const runner of rollouts.#runners.values()) sum += runner.inFlight;
      return sum;
    });
    rollouts.#look();
    return rollouts;
  }

  async #takeUp(): Promise<void> {
    for (const row of await this.parts.store.open()) {
      if (row.status === "scheduled") this.#scheduled.set(row.id, row.start_at ?? 0);
      else await this.#run(row);
    }
  }

  /**
   * Among several nodes one sees to all rollouts. What the others are asked they write down and tell; whoever sees to
   * them does as the rows say, at that word or at the next look.
   */
  #join(duty: () => Promise<boolean>): void {
    const told = this.parts.bus.subscribe(
      "rollout.changed",
      (_, from) => void (from && this.#active && this.#follow()),
    );
    const ended = this.#subscription;
    this.#subscription = {
      [Symbol.dispose]: () => {
        told[Symbol.dispose]();
        ended?.[Symbol.dispose]();
      },
    };
    let looks = 0;
    const again = async () => {
      try {
        const active = await duty();
        if (this.#stopped) return;
        if (active !== this.#active) await (active ? this.#assume() : this.#yield());
        else if (active && ++looks % RECONCILE_LOOKS === 0) {
          this.#follow();
          for (const runner of this.#runners.values()) runner.lookAgain();
        }
      } catch (error) {
        this.parts.deps.log.warn("it is not known which node sees to rollouts, asking again", {
          error: messageOf(error),
        });
      }
      if (!this.#stopped) this.#dutyTimer = this.parts.deps.clock.setTimer(() => void again(), DUTY_MS);
    };
    this.#dutyTimer = this.parts.deps.clock.setTimer(() => void again(), 0);
  }

  /** Rollouts are this node's from here on. */
  async #assume(): Promise<void> {
    this.#active = true;
    this.parts.deps.log.info("this node sees to rollouts now");
    await this.#takeUp();
    this.#look();
  }

  /** Another node sees to them: whatever is under way here stops where it is, and that one goes on from the rows. */
  async #yield(): Promise<void> {
    this.#active = false;
    this.parts.deps.log.warn("another node sees to rollouts now");
    this.#scheduled.clear();
    const runners = [...this.#runners.values()];
    this.#runners.clear();
    await Promise.all(runners.map((runner) => runner[Symbol.asyncDispose]()));
  }

  /** Does as the rows say, where another node was told something. */
  #follow(): void {
    this.#sync = this.#sync.then(async () => {
      if (this.#stopped || !this.#active) return;
      const open = new Map((await this.parts.store.open()).map((row) => [row.id, row]));
      for (const [id, runner] of [...this.#runners]) {
        const row = open.get(id) ?? await this.parts.store.find(id);
        if (!row) this.#halted(id);
        else if (row.status !== "running" && !runner.draining) await this.#wound(row, runner);
      }
      for (const id of [...this.#scheduled.keys()]) {
        if (open.get(id)?.status !== "scheduled") this.#scheduled.delete(id);
      }
      for (const row of open.values()) {
        if (row.status === "scheduled") this.#scheduled.set(row.id, row.start_at ?? 0);
        else if (row.status === "running") {
          const runner = this.#runners.get(row.id);
          if (!runner || runner.draining) await this.#run(row);
        }
      }
      this.#look();
    }).catch((error) =>
      this.parts.deps.log.warn("rollouts could not be looked through, trying again", {
        error: messageOf(error),
      })
    );
  }

  /** Lets a rollout that was paused or ended come to its rest. */
  async #wound(row: RolloutRow, runner: Runner): Promise<void> {
    const { commands } = runner;
    runner.drain();
    if (row.status !== "aborted") return;
    for (const command of commands) await this.parts.commander.cancel(command).catch(() => false);
  }

  /** Makes a rollout over the gateways that are found at this moment. @throws {RolloutError} `rollout_empty` */
  async create(wanted: NewRollout): Promise<RolloutRow> {
    const { clock } = this.parts.deps;
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
    if (items.length === 0) throw new RolloutError("rollout_empty", "it would reach no gateway");
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

  /** Lets a draft go: to its approval, to its time, or at once. */
  async submit(id: string): Promise<RolloutRow> {
    const row = await this.#found(id);
    const approval = row.needs_approval === 1 && row.approved_at === null;
    return approval
      ? await this.#change(id, ["draft"], { status: "approval" })
      : await this.#begin(row, ["draft"]);
  }

  /** Approves a rollout that somebody else made, and lets it go. */
  async approve(id: string, actor: string): Promise<RolloutRow> {
    const row = await this.#found(id);
    if (row.created_by === actor) {
      throw new RolloutError("rollout_own", "somebody else than its maker has to approve a rollout");
    }
    const approved = { approved_at: this.parts.deps.clock.now(), approved_by: actor };
    await this.#change(id, ["approval"], approved);
    return await this.#begin({ ...row, ...approved }, ["approval"]);
  }

  async #begin(row: RolloutRow, from: readonly RolloutStatus[]): Promise<RolloutRow> {
    const now = this.parts.deps.clock.now();
    if (row.start_at !== null && row.start_at > now) {
      const scheduled = await this.#change(row.id, from, { status: "scheduled" });
      if (this.#active) this.#scheduled.set(row.id, row.start_at);
      this.#look();
      return scheduled;
    }
    const running = await this.#change(row.id, from, {
      status: "running",
      reason: null,
      ...(row.started_at === null ? { started_at: now } : {}),
    });
    await this.#run(running);
    return running;
  }

  /** Begins with nothing more until it is resumed; what is under way goes on. */
  async pause(id: string, reason: string): Promise<RolloutRow> {
    const row = await this.#change(id, ["running", "scheduled"], { status: "paused", reason });
    this.#scheduled.delete(id);
    this.#runners.get(id)?.drain();
    return row;
  }

  /** Goes on with a paused rollout. */
  async resume(id: string): Promise<RolloutRow> {
    return await this.#begin(await this.#found(id), ["paused"]);
  }

  /** Ends a rollout for good: takes back the commands that still wait, and begins with nothing more. */
  async abort(id: string, reason: string): Promise<RolloutRow> {
    const row = await this.#change(id, ["draft", "approval", "scheduled", "running", "paused"], {
      status: "aborted",
      reason,
      finished_at: this.parts.deps.clock.now(),
    });
    this.#scheduled.delete(id);
    await this.parts.store.skipWaiting(id, "the rollout was aborted");
    const runner = this.#runners.get(id);
    if (runner) {
      const commands = runner.commands;
      runner.drain();
      for (const command of commands) await this.parts.commander.cancel(command);
    }
    return row;
  }

  /** Tries the failed gateways of a halted rollout again. @throws {RolloutError} `rollout_empty` where none failed */
  async retry(id: string): Promise<{ rollout: RolloutRow; gateways: number }> {
    const row = await this.#found(id);
    if (row.status !== "paused" && row.status !== "finished") {
      throw this.#wrongState(row, ["paused", "finished"]);
    }
    const gateways = await this.parts.store.retryFailed(id);
    if (gateways === 0) throw new RolloutError("rollout_empty", "none of its gateways failed");
    return { rollout: await this.#begin({ ...row, start_at: null }, ["paused", "finished"]), gateways };
  }

  /**
   * Makes the rollout that takes an installation back where it succeeded: to the version before, or away where there
   * was none. It is a draft, with the brakes of the first.
   */
  async rollBack(id: string, actor: string): Promise<RolloutRow> {
    const row = await this.#found(id);
    if (row.kind !== "install") {
      throw new RolloutError("rollout_state", "only installations can be taken back");
    }
    if (!["paused", "finished", "aborted"].includes(row.status)) {
      throw this.#wrongState(row, ["paused", "finished", "aborted"]);
    }
    const items = (await this.parts.store.succeeded(id))
      .filter(({ previous_version, version }) => previous_version !== (version ?? row.version))
      .map(({ mac, previous_version }): NewItem =>
        previous_version === null
          ? { mac, kind: "uninstall" }
          : { mac, kind: "install", version: previous_version }
      );
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
        parameter: {},
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

  /** Emergency stop: pauses everything that runs or is about to; answers the ids. */
  async stopAll(reason: string): Promise<string[]> {
    const stopped: string[] = [];
    for (const row of await this.parts.store.open()) {
      if (row.status !== "running" && row.status !== "scheduled") continue;
      await this.pause(row.id, reason).then(() => stopped.push(row.id), (error) => {
        if (!(error instanceof RolloutError)) throw error; // it came to its end meanwhile
      });
    }
    return stopped;
  }

  /** Removes a rollout that is not under way. */
  async remove(id: string): Promise<void> {
    const row = await this.#found(id);
    const underWay = this.#runners.has(id) ||
      this.parts.duty !== undefined && (await this.parts.store.issued(id)).length > 0;
    if (["running", "scheduled"].includes(row.status) || underWay) {
      throw this.#wrongState(row, ["draft", "approval", "paused", "finished", "aborted"]);
    }
    await this.parts.store.remove(id);
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
  ): Promise<RolloutRow> {
    const row = await this.parts.store.change(id, from, change);
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

  /** A runner that was being drained makes way: the new one takes its commands over from the rows. */
  async #run(row: RolloutRow): Promise<void> {
    await this.#runners.get(row.id)?.[Symbol.asyncDispose]();
    if (this.#stopped || !this.#active) return;
    const runner = await Runner.start(row, {
      deps: this.parts.deps,
      store: this.parts.store,
      commander: this.parts.commander,
      changed: (id) => this.#tell(id),
      moved: (row) => this.#tellMoved(row),
      halted: (id) => this.#halted(id),
    });
    this.#runners.set(row.id, runner);
    if (row.status !== "running") runner.drain();
  }

  #halted(id: string): void {
    const runner = this.#runners.get(id);
    if (!runner) return;
    this.#runners.delete(id);
    // Its own work is what told of this: it is waited for elsewhere.
    const disposing = runner[Symbol.asyncDispose]().finally(() => this.#disposing.delete(disposing));
    this.#disposing.add(disposing);
  }

  #tell(id: string): void {
    this.parts.bus.publish("rollout.changed", { id });
  }

  #tellMoved({ id, name, status, reason, created_by: by }: RolloutRow): void {
    this.parts.bus.publish("rollout.moved", { id, name, status, reason, by });
  }

  /** Starts the scheduled rollouts whose time has come. */
  #look(): void {
    this.#timer?.cancel();
    if (this.#stopped || !this.#active) return;
    const { clock, log } = this.parts.deps, now = clock.now();
    let next = Infinity;
    for (const [id, at] of this.#scheduled) {
      if (at > now) {
        next = Math.min(next, at - now);
        continue;
      }
      this.#scheduled.delete(id);
      this.#found(id).then((row) => this.#begin(row, ["scheduled"])).catch((error) => {
        if (error instanceof RolloutError) return; // somebody was quicker
        log.warn("a scheduled rollout could not begin; it is tried again", {
          rollout: id,
          error: messageOf(error),
        });
        this.#scheduled.set(id, at);
      });
    }
    if (this.#scheduled.size > 0 || next < Infinity) {
      this.#timer = clock.setTimer(() => this.#look(), Math.max(1, Math.min(next, LOOK_MS)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#dutyTimer?.cancel();
    await this.#sync;
    this.#subscription?.[Symbol.dispose]();
    const runners = [...this.#runners.values()];
    this.#runners.clear();
    await Promise.all(runners.map((runner) => runner[Symbol.asyncDispose]()));
    await Promise.all(this.#disposing);
    await this.parts.store.flush();
  }
}
