/**
 * One rollout under way: begins with gateways as its brakes allow, counts how they end, and stops where too many fail.
 *
 * Everything that matters is on disk before it is done: which gateway is begun with, under which command id. A
 * process that takes a rollout up again makes the commands that are missing, under their ids, and looks how the
 * others ended; so nothing is done twice and nothing forgotten.
 *
 * @module
 */
import { type Deps, messageOf, newId, sleep, type Timer } from "../../base/mod.ts";
import type { Commander } from "../commands/mod.ts";
import { type CommandRow, isFinal } from "../registry/mod.ts";
import type { ItemChange, RolloutStore } from "./store.ts";
import type { ItemRow, RolloutRow, StageRow } from "./schema.ts";
import { isOpen, opensIn, type Window } from "./window.ts";

/** Gateways begun with in one transaction. */
const BATCH = 50;
/** Pause before what the database refused is tried again, and the longest wait of a rollout that waits for nothing. */
const AGAIN_MS = 2_000;
const MINUTE_MS = 60_000;

/** What a runner leans on. */
export interface RunnerParts {
  readonly deps: Pick<Deps, "clock" | "log">;
  readonly store: RolloutStore;
  readonly commander: Pick<Commander, "create" | "find">;
  /** Told when something changed that people may be looking at. */
  readonly changed: (id: string) => void;
  /** Told when the rollout has come to another status. */
  readonly moved: (row: RolloutRow) => void;
  /** The rollout has come to an end or a halt: the runner is no longer needed. */
  readonly halted: (id: string) => void;
}

/** One rollout under way. */
export class Runner implements AsyncDisposable {
  readonly #inFlight = new Map<string, ItemRow>();
  readonly #stages: readonly StageRow[];
  readonly #window: Window | undefined;
  #succeeded: number[];
  #failed: number[];
  #left: number[];
  /** Begun with since `#minute`, for the rate. */
  #minute: number;
  #begun = 0;
  #timer: Timer | undefined;
  #pumping: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  readonly #stop = new AbortController();
  /** Nothing new begins; what is under way is seen to its end. */
  #draining: boolean;
  readonly #work = new Set<Promise<void>>();

  private constructor(
    private row: RolloutRow,
    stages: readonly StageRow[],
    private readonly parts: RunnerParts,
  ) {
    this.#stages = stages;
    this.#draining = row.status !== "running";
    this.#window = row.window === null ? undefined : JSON.parse(row.window);
    this.#succeeded = stages.map(() => 0);
    this.#failed = stages.map(() => 0);
    this.#left = stages.map(() => 0);
    this.#minute = parts.deps.clock.monotonic();
  }

  /** Takes a rollout up, from its beginning or from wherever an earlier process left it. */
  static async start(row: RolloutRow, parts: RunnerParts): Promise<Runner> {
    const runner = new Runner(row, await parts.store.stages(row.id), parts);
    for (const [stage, counts] of await parts.store.counts(row.id)) {
      runner.#succeeded[stage] = counts.succeeded;
      runner.#failed[stage] = counts.failed;
      runner.#left[stage] = counts.waiting + counts.issued;
    }
    for (const item of await parts.store.issued(row.id)) {
      runner.#inFlight.set(item.command_id!, item);
      runner.#behind(() => runner.#make(item));
    }
    runner.pump();
    return runner;
  }

  /** How many commands are under way. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** A command has changed; those of others are none of ours. */
  commandEnded(id: string): void {
    const item = this.#inFlight.get(id);
    if (item) this.#behind(() => this.#look(item));
  }

  /** Begins with nothing more; what is under way goes on to its end and is counted. */
  drain(): void {
    this.#draining = true;
    this.#timer?.cancel();
    if (this.#inFlight.size === 0) this.parts.halted(this.row.id);
  }

  /** Looks how the commands under way are: word of them may have been lost between nodes. */
  lookAgain(): void {
    for (const item of this.#inFlight.values()) this.#behind(() => this.#look(item));
  }

  /** Whether it begins with nothing more. */
  get draining(): boolean {
    return this.#draining;
  }

  /** The ids of the commands that are under way. */
  get commands(): string[] {
    return [...this.#inFlight.keys()];
  }

  /** Goes on, as far as stage, window, rate and number under way allow. */
  pump(): void {
    if (this.#stopped || this.#draining) return;
    this.#again = true;
    this.#pumping ??= this.#pumpAll().finally(() => this.#pumping = undefined);
  }

  async #pumpAll(): Promise<void> {
    while (this.#again && !this.#stopped && !this.#draining) {
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
    const room = Math.min(BATCH, this.row.max_in_flight - this.#inFlight.size, this.#allowance());
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
    await this.parts.store.issue(id, begun);
    this.#begun += begun.length;
    for (const { item } of begun) {
      if (item.status === "skipped") {
        this.#left[item.stage]!--;
        continue;
      }
      this.#inFlight.set(item.command_id!, item);
      this.#behind(() => this.#make(item));
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

  /** Makes the command of a gateway that was begun with; where it is there already, looks how it is. */
  async #make(item: ItemRow): Promise<void> {
    const { row } = this;
    const command = await this.parts.commander.create({
      id: item.command_id!,
      mac: item.mac,
      kind: item.kind ?? row.kind,
      plugin: row.plugin,
      version: item.version ?? (item.kind === "uninstall" ? "" : row.version),
      parameter: JSON.parse(row.parameter),
      actor: `rollout:${row.id}`,
      timeoutMs: row.command_timeout_ms,
    });
    if (isFinal(command.status)) await this.#end(item, command);
  }

  async #look(item: ItemRow): Promise<void> {
    const command = await this.parts.commander.find(item.command_id!);
    if (command && isFinal(command.status)) await this.#end(item, command);
  }

  async #end(item: ItemRow, command: CommandRow): Promise<void> {
    // The same end may be heard of twice.
    if (!this.#inFlight.has(command.id)) return;
    const good = command.status === "succeeded";
    const again = !good && item.attempt < this.row.max_attempts && command.status !== "cancelled";
    const change: ItemChange = good
      ? { status: "succeeded", error_code: null, error: null, finished_at: this.parts.deps.clock.now() }
      : {
        status: again ? "waiting" : "failed",
        ...(again ? { command_id: null } : {}),
        error_code: command.error_code ?? command.status,
        error: command.error,
        ...(again ? {} : { finished_at: this.parts.deps.clock.now() }),
      };
    await this.parts.store.update(this.row.id, item.mac, change);
    if (!this.#inFlight.delete(command.id)) return;
    if (!again) {
      this.#left[item.stage]!--;
      (good ? this.#succeeded : this.#failed)[item.stage]!++;
    }
    this.parts.changed(this.row.id);
    if (this.#draining && this.#inFlight.size === 0) this.parts.halted(this.row.id);
    else this.pump();
  }

  /** Whether the rollout has to halt, or is at its end; goes on to the next stage where this one went well. */
  async #judge(): Promise<boolean> {
    for (const { no, name, total, error_threshold } of this.#stages) {
      const failed = this.#failed[no]!;
      if (no > this.row.stage || failed === 0 || failed * 100 <= error_threshold * total) continue;
      return await this.#halt(
        "paused",
        `stage "${name}": ${failed} of ${total} failed, more than ${error_threshold} %`,
      );
    }
    const { stage } = this.row;
    const left = this.#left.slice(0, stage + 1).reduce((sum, n) => sum + n, 0);
    if (left > 0) return false;
    const { name, total, success_threshold } = this.#stages[stage]!;
    const succeeded = this.#succeeded[stage]!;
    if (succeeded * 100 < success_threshold * total) {
      return await this.#halt(
        "paused",
        `stage "${name}": ${succeeded} of ${total} succeeded, fewer than ${success_threshold} %`,
      );
    }
    if (stage === this.#stages.length - 1) return await this.#halt("finished", null);
    const row = await this.parts.store.advance(this.row.id, ["running"], { stage: stage + 1 });
    if (!row) return this.#gone();
    this.row = row;
    this.parts.changed(row.id);
    this.#again = true;
    return true;
  }

  async #halt(status: "paused" | "finished", reason: string | null): Promise<true> {
    const { id } = this.row;
    const row = await this.parts.store.advance(id, ["running"], {
      status,
      reason,
      ...(status === "finished" ? { finished_at: this.parts.deps.clock.now() } : {}),
    });
    if (reason !== null) this.parts.deps.log.warn("a rollout was paused", { rollout: id, reason });
    else this.parts.deps.log.info("a rollout has finished", { rollout: id });
    this.parts.changed(id);
    if (row) this.parts.moved(row);
    return this.#gone();
  }

  #gone(): true {
    this.drain();
    return true;
  }

  #wake(ms: number): void {
    this.#timer?.cancel();
    if (!this.#stopped && !this.#draining) {
      this.#timer = this.parts.deps.clock.setTimer(() => this.pump(), Math.max(1, ms));
    }
  }

  /** Does something behind what goes on, again and again until it is done; whoever takes the rollout up does the rest. */
  #behind(work: () => Promise<void>): void {
    const done = this.#persist(work).finally(() => this.#work.delete(done));
    this.#work.add(done);
  }

  async #persist(work: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await work();
      } catch (error) {
        this.parts.deps.log.warn("a rollout's gateway could not be seen to; it is tried again", {
          rollout: this.row.id,
          error: messageOf(error),
        });
        await sleep(this.parts.deps.clock, AGAIN_MS, this.#stop.signal).catch(() => {});
      }
    }
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#stop.abort();
    this.#timer?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#pumping;
    await Promise.all(this.#work);
  }
}
