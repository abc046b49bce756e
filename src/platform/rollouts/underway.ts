/**
 * The rollouts that are under way or wait for their time, on the node that sees to rollouts.
 *
 * @module
 */
import { messageOf, type Timer } from "../../base/mod.ts";
import { isFinal } from "../registry/mod.ts";
import { RolloutError } from "./errors.ts";
import { AGAIN_MS, type Halt } from "./flight.ts";
import type { RolloutParts } from "./rollouts.ts";
import { Runner } from "./runner.ts";
import type { RolloutRow, RolloutStatus } from "./schema.ts";

/** Longest sleep until a scheduled rollout is looked at again: the clock may jump. */
const LOOK_MS = 30_000;
/** Among several nodes: between looks who sees to rollouts, and how many of them until everything is looked through. */
const DUTY_MS = 1000;
const RECONCILE_LOOKS = 5;

/** What goes on by itself. */
export class Underway implements AsyncDisposable {
  readonly #runners = new Map<string, Runner>();
  /** Those whose runner is being made, with the last that was asked for. */
  readonly #starting = new Map<string, Promise<void>>();
  /** When to begin with whom. */
  readonly #scheduled = new Map<string, number>();
  readonly #disposing = new Set<Promise<void>>();
  /** What failed and is tried again. */
  readonly #again = new Set<Timer>();
  #subscription: Disposable | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  /** Whether they go on here: where there are several nodes only one sees to them. */
  #active: boolean;
  #dutyTimer: Timer | undefined;
  #sync: Promise<void> = Promise.resolve();

  /** `begin` begins with a scheduled rollout; `moved` is told of each that has another status by itself. */
  constructor(
    private readonly parts: RolloutParts,
    private readonly begin: (id: string) => Promise<unknown>,
    private readonly moved: (row: RolloutRow) => void,
  ) {
    this.#active = parts.duty === undefined;
  }

  /** Takes up whatever an earlier process left under way. */
  async start(): Promise<void> {
    const { bus, deps, duty } = this.parts;
    this.#subscription = bus.subscribe("command.changed", ({ id, status }) => {
      for (const runner of this.#runners.values()) runner.commandChanged(id, isFinal(status));
    });
    if (duty) this.#join(duty);
    else await this.#takeUp();
    deps.metrics.gauge(
      "gatehouse_rollouts_running",
      "Rollouts that are under way or being drained",
      () => this.#runners.size,
    );
    deps.metrics.gauge("gatehouse_rollout_commands", "Commands of rollouts under way", () => {
      let sum = 0;
      for (const runner of this.#runners.values()) sum += runner.inFlight;
      return sum;
    });
    this.#look();
  }

  /** Whether anything of a rollout is under way here. */
  has(id: string): boolean {
    return this.#runners.has(id) || this.#starting.has(id);
  }

  /** Begins with a rollout at `at` (milliseconds since 1970). */
  schedule(id: string, at: number): void {
    if (!this.#active) return;
    this.#scheduled.set(id, at);
    this.#look();
  }

  /** Begins with nothing more of a rollout, as its row says already. */
  halt(id: string, how: Halt): void {
    this.#scheduled.delete(id);
    // One that is being made looks at the row again before it begins.
    this.#runners.get(id)?.drain(how);
  }

  /**
   * Goes on with a rollout as its row says. A runner that was being drained makes way: the new one takes its commands
   * over from the rows. Where the database refuses it is tried again.
   */
  run(id: string): Promise<void> {
    const before = this.#starting.get(id) ?? Promise.resolve();
    const done: Promise<void> = before.then(() => this.#run(id)).catch((error) => {
      this.parts.deps.log.warn("a rollout could not be taken up; it is tried again", {
        rollout: id,
        error: messageOf(error),
      });
      this.#later(() => void this.run(id));
    }).finally(() => {
      if (this.#starting.get(id) === done) this.#starting.delete(id);
    });
    this.#starting.set(id, done);
    return done;
  }

  async #run(id: string): Promise<void> {
    const old = this.#runners.get(id);
    this.#runners.delete(id);
    await old?.[Symbol.asyncDispose]();
    const row = await this.parts.store.find(id);
    if (!row || this.#stopped || !this.#active) return;
    const { deps, store, commander } = this.parts;
    const runner = await Runner.load(row, {
      ...{ deps, store, commander },
      changed: (id) => this.#tell(id),
      moved: this.moved,
      halted: (runner) => this.#halted(runner),
    });
    if (this.#stopped || !this.#active) return;
    this.#runners.set(id, runner);
    // Whoever halts it from here on finds it; whoever did before has written that down.
    try {
      runner.begin(haltOf((await this.parts.store.find(id))?.status));
    } catch (error) {
      this.#runners.delete(id);
      throw error;
    }
  }

  /** Does something behind what goes on, until it is done. */
  behind(rollout: string, work: () => Promise<unknown>): Promise<void> {
    return work().then(() => {}, (error) => {
      this.parts.deps.log.warn("a rollout could not be seen to; it is tried again", {
        rollout,
        error: messageOf(error),
      });
      this.#later(() => void this.behind(rollout, work));
    });
  }

  #later(work: () => void): void {
    if (this.#stopped) return;
    const timer = this.parts.deps.clock.setTimer(() => {
      this.#again.delete(timer);
      work();
    }, AGAIN_MS);
    this.#again.add(timer);
  }

  async #takeUp(): Promise<void> {
    for (const row of await this.parts.store.open()) {
      if (row.status === "scheduled") this.#scheduled.set(row.id, row.start_at ?? 0);
      else await this.run(row.id);
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
        if (!row) this.#halted(runner);
        else {
          const halt = haltOf(row.status);
          if (halt && halt !== runner.halt) runner.drain(halt);
        }
      }
      for (const id of [...this.#scheduled.keys()]) {
        if (open.get(id)?.status !== "scheduled") this.#scheduled.delete(id);
      }
      for (const row of open.values()) {
        if (row.status === "scheduled") this.#scheduled.set(row.id, row.start_at ?? 0);
        else if (row.status === "running" && !this.#starting.has(row.id)) {
          const runner = this.#runners.get(row.id);
          if (!runner || runner.halt) await this.run(row.id);
        }
      }
      this.#look();
    }).catch((error) =>
      this.parts.deps.log.warn("rollouts could not be looked through, trying again", {
        error: messageOf(error),
      })
    );
  }

  #halted(runner: Runner): void {
    if (this.#runners.get(runner.id) !== runner) return;
    this.#runners.delete(runner.id);
    // Its own work is what told of this: it is waited for elsewhere.
    const disposing = runner[Symbol.asyncDispose]().finally(() => this.#disposing.delete(disposing));
    this.#disposing.add(disposing);
  }

  #tell(id: string): void {
    this.parts.bus.publish("rollout.changed", { id });
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
      this.begin(id).catch((error) => {
        if (error instanceof RolloutError) return; // somebody was quicker
        log.warn("a scheduled rollout could not begin; it is tried again", {
          rollout: id,
          error: messageOf(error),
        });
        if (!this.#stopped) this.schedule(id, clock.now() + AGAIN_MS);
      });
    }
    if (next < Infinity) {
      this.#timer = clock.setTimer(() => this.#look(), Math.max(1, Math.min(next, LOOK_MS)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#dutyTimer?.cancel();
    for (const timer of this.#again) timer.cancel();
    await this.#sync;
    this.#subscription?.[Symbol.dispose]();
    await Promise.all(this.#starting.values());
    const runners = [...this.#runners.values()];
    this.#runners.clear();
    await Promise.all(runners.map((runner) => runner[Symbol.asyncDispose]()));
    await Promise.all(this.#disposing);
  }
}

/** How a rollout of that status is halted; undefined where it runs. */
function haltOf(status: RolloutStatus | undefined): Halt | undefined {
  if (status === "running") return undefined;
  return status === undefined || status === "aborted" ? "aborted" : "paused";
}
