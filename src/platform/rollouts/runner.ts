/**
 * One rollout under way: begins with gateways as its brakes allow, counts how they end, and stops where too many fail.
 *
 * Everything that matters is on disk before it is done: which gateway is begun with, under which command id. A
 * process that takes a rollout up again makes the commands that are missing, under their ids, and looks how the
 * others ended; so nothing is done twice and nothing forgotten.
 *
 * @module
 */
import { type Deps, messageOf, newId, type Timer } from "../../base/mod.ts";
import type { Commander } from "../commands/mod.ts";
import { AGAIN_MS, Flight, type Halt } from "./flight.ts";
import type { ItemChange, RolloutStore } from "./store.ts";
import type { ItemRow, RolloutRow, StageRow } from "./schema.ts";
import { isOpen, opensIn, type Window } from "./window.ts";

/** Gateways begun with in one transaction. */
const BATCH = 50;
/** The longest wait of a rollout that waits for its window. */
const MINUTE_MS = 60_000;

/** What a runner leans on. */
export interface RunnerParts {
  readonly deps: Pick<Deps, "clock" | "log">;
  readonly store: RolloutStore;
  readonly commander: Pick<Commander, "create" | "find" | "cancel">;
  /** Told when something changed that people may be looking at. */
  readonly changed: (id: string) => void;
  /** Told when the rollout has come to another status. */
  readonly moved: (row: RolloutRow) => void;
  /** The rollout has come to an end or a halt: the runner is no longer needed. */
  readonly halted: (runner: Runner) => void;
}

/** One rollout under way. */
export class Runner implements AsyncDisposable {
  readonly #flights = new Set<Flight>();
  /** By the ids of their commands. */
  readonly #byCommand = new Map<string, Flight>();
  readonly #stages: readonly StageRow[];
  readonly #window: Window | undefined;
  readonly #succeeded: number[];
  readonly #failed: number[];
  readonly #skipped: number[];
  readonly #left: number[];
  /** Begun with since `#minute`, for the rate. */
  #minute: number;
  #begun = 0;
  #timer: Timer | undefined;
  #pumping: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  /** Nothing new begins; what is under way is seen to its end. */
  #halt: Halt | undefined;
  readonly #work = new Set<Promise<void>>();

  private constructor(
    private row: RolloutRow,
    stages: readonly StageRow[],
    private readonly parts: RunnerParts,
  ) {
    this.#stages = stages;
    this.#window = row.window === null ? undefined : JSON.parse(row.window);
    this.#succeeded = stages.map(() => 0);
    this.#failed = stages.map(() => 0);
    this.#skipped = stages.map(() => 0);
    this.#left = stages.map(() => 0);
    this.#minute = parts.deps.clock.monotonic();
  }

  /**
   * Takes a rollout up, from its beginning or from wherever an earlier process left it. It does nothing until
   * {@linkcode Runner.begin}.
   */
  static async load(row: RolloutRow, parts: RunnerParts): Promise<Runner> {
    const runner = new Runner(row, await parts.store.stages(row.id), parts);
    for (const [stage, counts] of await parts.store.counts(row.id)) {
      runner.#succeeded[stage] = counts.succeeded;
      runner.#failed[stage] = counts.failed;
      runner.#skipped[stage] = counts.skipped;
      runner.#left[stage] = counts.waiting + counts.issued;
    }
    for (const item of await parts.store.issued(row.id)) runner.#enlist(item, false);
    return runner;
  }

  /** Goes on; where the rollout is halted, only with what is under way. */
  begin(halt?: Halt): void {
    if (halt) this.drain(halt);
    for (const flight of this.#flights) this.#fly(flight);
    this.pump();
  }

  get id(): string {
    return this.row.id;
  }

  /** How many gateways are under way. */
  get inFlight(): number {
    return this.#flights.size;
  }

  /** A command has changed; those of others are none of ours. */
  commandChanged(id: string, final: boolean): void {
    // Before its end only one matters that is to be taken back as soon as it can be.
    if (final || this.#halt) this.#byCommand.get(id)?.look();
  }

  /**
   * Begins with nothing more. Commands that are made go on to their end and are counted; where the rollout is over for
   * good those that still wait are taken back.
   */
  drain(halt: Halt): void {
    if (this.#halt === "aborted") return;
    this.#halt = halt;
    this.#timer?.cancel();
    for (const flight of this.#flights) flight.halt(halt);
    this.#settle();
  }

  /** Looks how the commands under way are: word of them may have been lost between nodes. */
  lookAgain(): void {
    for (const flight of this.#flights) flight.look();
  }

  /** Why it begins with nothing more. */
  get halt(): Halt | undefined {
    return this.#halt;
  }

  /** Tells that it is no longer needed, where nothing is under way. */
  #settle(): void {
    if (this.#halt && this.#flights.size === 0 && !this.#pumping) this.parts.halted(this);
  }

  /** Goes on, as far as stage, window, rate and number under way allow. */
  pump(): void {
    if (this.#stopped || this.#halt) return;
    this.#again = true;
    this.#pumping ??= this.#pumpAll().finally(() => {
      this.#pumping = undefined;
      this.#settle();
    });
  }

  async #pumpAll(): Promise<void> {
    while (this.#again && !this.#stopped && !this.#halt) {
      this.#again = false;
      try {
        await this.#step();
      } catch (error) {
        this.parts.deps.log.warn("a rollout could not go on; it is tried again", {
          rollout: this.row.id,
          error: messageOf(error),
        });
        this.#wake(AGAIN_MS);
        return;
      }
    }
  }

  async #step(): Promise<void> {
    const { clock } = this.parts.deps, { id } = this.row;
    if (await this.#judge()) return;
    const closed = this.#window && !isOpen(this.#window, clock.now());
    if (closed) return this.#wake(Math.min(MINUTE_MS, opensIn(this.#window!, clock.now()) ?? MINUTE_MS));
    const room = Math.min(BATCH, this.row.max_in_flight - this.#flights.size, this.#allowance());
    if (room <= 0) return;
    const items = await this.parts.store.next(id, this.row.stage, room);
    if (items.length === 0) return;
    const macs = items.map(({ mac }) => mac);
    const [present, versions] = await Promise.all([
      this.parts.store.present(macs),
      this.parts.store.versionsOf(this.row.plugin, macs),
    ]);
    const begun = items.map((item) => {
      const change: ItemChange = present.has(item.mac)
        ? {
          status: "issued",
          command_id: newId(),
          attempt: item.attempt + 1,
          // What it had before the first try is what a roll-back goes back to.
          previous_version: item.previous_version ?? versions.get(item.mac) ?? null,
        }
        : { status: "skipped", error: "it is no longer preset", finished_at: clock.now() };
      return { mac: item.mac, change, item: { ...item, ...change } };
    });
    if (!await this.parts.store.issue(id, begun)) return this.drain("paused"); // somebody was quicker
    this.#begun += begun.length;
    for (const { item } of begun) {
      if (item.status === "skipped") {
        this.#left[item.stage]!--;
        this.#skipped[item.stage]!++;
        continue;
      }
      const flight = this.#enlist(item, true);
      // What it was halted for meanwhile holds for these as well.
      if (this.#halt) flight.halt(this.#halt);
      if (!this.#stopped) this.#fly(flight);
    }
    this.parts.changed(id);
    this.#again = true;
  }

  /** How many more may begin within this minute; arranges to go on with the next one where there are none. */
  #allowance(): number {
    const now = this.parts.deps.clock.monotonic();
    if (now - this.#minute >= MINUTE_MS) {
      this.#minute = now;
      this.#begun = 0;
    }
    // Spread over the minute, so that a rate of 600 is ten each second and no flood at its beginning.
    const share = Math.ceil(this.row.per_minute * Math.min(1, (now - this.#minute + 1000) / MINUTE_MS));
    const left = share - this.#begun;
    if (left <= 0) this.#wake(this.#begun >= this.row.per_minute ? this.#minute + MINUTE_MS - now : 1000);
    return left;
  }

  #enlist(item: ItemRow, fresh: boolean): Flight {
    const flight = new Flight(item, this.row, this.parts, fresh);
    this.#flights.add(flight);
    for (const id of flight.ids) this.#byCommand.set(id, flight);
    return flight;
  }

  #fly(flight: Flight): void {
    const done = flight.run().then((change) => {
      if (change) this.#landed(flight, change);
    }).catch((error) =>
      this.parts.deps.log.error("a rollout's gateway failed here", {
        rollout: this.row.id,
        mac: flight.item.mac,
        error: messageOf(error),
      })
    ).finally(() => this.#work.delete(done));
    this.#work.add(done);
  }

  #landed(flight: Flight, { status }: ItemChange): void {
    this.#flights.delete(flight);
    for (const id of flight.ids) this.#byCommand.delete(id);
    const counts = { succeeded: this.#succeeded, failed: this.#failed, skipped: this.#skipped };
    if (status === "succeeded" || status === "failed" || status === "skipped") {
      this.#left[flight.item.stage]!--;
      counts[status][flight.item.stage]!++;
    }
    this.parts.changed(this.row.id);
    if (this.#halt) this.#settle();
    else this.pump();
  }

  /** Whether the rollout has to halt, or is at its end; goes on to the next stage where this one went well. */
  async #judge(): Promise<boolean> {
    for (const { no, name, error_threshold } of this.#stages) {
      const failed = this.#failed[no]!, total = this.#judged(no);
      if (no > this.row.stage || failed === 0 || failed * 100 <= error_threshold * total) continue;
      return await this.#come(
        "paused",
        `stage "${name}": ${failed} of ${total} failed, more than ${error_threshold} %`,
      );
    }
    const { stage } = this.row;
    const left = this.#left.slice(0, stage + 1).reduce((sum, n) => sum + n, 0);
    if (left > 0) return false;
    const { name, success_threshold } = this.#stages[stage]!;
    const succeeded = this.#succeeded[stage]!, total = this.#judged(stage);
    if (succeeded * 100 < success_threshold * total) {
      return await this.#come(
        "paused",
        `stage "${name}": ${succeeded} of ${total} succeeded, fewer than ${success_threshold} %`,
      );
    }
    if (stage === this.#stages.length - 1) return await this.#come("finished", null);
    const row = await this.parts.store.advance(this.row.id, ["running"], { stage: stage + 1 });
    if (!row) return this.#gone();
    this.row = row;
    this.parts.changed(row.id);
    this.#again = true;
    return true;
  }

  /** How many gateways of a stage its thresholds are about: those that were skipped went neither well nor badly. */
  #judged(stage: number): number {
    return this.#stages[stage]!.total - this.#skipped[stage]!;
  }

  async #come(status: "paused" | "finished", reason: string | null): Promise<true> {
    const { id } = this.row;
    const row = await this.parts.store.advance(id, ["running"], {
      status,
      reason,
      ...(status === "finished" ? { finished_at: this.parts.deps.clock.now() } : {}),
    });
    if (!row) return this.#gone();
    if (reason !== null) this.parts.deps.log.warn("a rollout was paused", { rollout: id, reason });
    else this.parts.deps.log.info("a rollout has finished", { rollout: id });
    this.parts.changed(id);
    if (row) this.parts.moved(row);
    return this.#gone();
  }

  #gone(): true {
    this.drain("paused");
    return true;
  }

  #wake(ms: number): void {
    this.#timer?.cancel();
    if (!this.#stopped && !this.#halt) {
      this.#timer = this.parts.deps.clock.setTimer(() => this.pump(), Math.max(1, ms));
    }
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const flight of this.#flights) flight.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#pumping;
    await Promise.all(this.#work);
  }
}
