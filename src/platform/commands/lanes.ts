/**
 * What waits and what runs on each gateway: one lane a gateway.
 *
 * @module
 */
import type { Clock, Timer } from "../../base/mod.ts";
import type { CommandOwner, CommandRow } from "../registry/mod.ts";
import type { FailureCode } from "./errors.ts";

/** Concurrent posts of one gateway under way at once. */
const CONCURRENT = 32;

/** Why a command is not sent any more: its gateway is another customer's by now, or nobody's. */
export type Orphaned = Extract<FailureCode, "gateway_removed" | "gateway_reassigned">;

/** A command that has not ended. */
export interface Job {
  readonly row: CommandRow;
  readonly done: PromiseWithResolvers<CommandRow>;
  /** Its deadline on the clock that does not jump: the row's is for people, and for the next process. */
  readonly dueAt: number;
  /** Ends a job that waits past its deadline, or its rest. */
  timer: Timer | undefined;
  /** Somebody wants it given up while it is under way. */
  unwanted: boolean;
  /** It waits before it is sent again. */
  resting: boolean;
  /** This node, as it was when it took the command: where that is no longer true, the command is no longer its own. */
  readonly owner: CommandOwner | undefined;
  abandoned: boolean;
  orphaned: Orphaned | undefined;
}

/** One gateway's commands. */
interface Lane {
  /** All that have not ended. */
  readonly jobs: Set<Job>;
  /** Those that wait. */
  readonly queue: Job[];
  inFlight: number;
  /** What runs there runs alone. */
  alone: boolean;
}

/** All lanes. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #jobs = new Map<string, Job>();
  #chars = 0;
  #inFlight = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(private readonly clock: Clock) {}

  /** How many commands have not ended. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Characters of the parameters of these. */
  get chars(): number {
    return this.#chars;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  all(): Job[] {
    return [...this.#jobs.values()];
  }

  /** All of a gateway's that have not ended. */
  of(mac: string): Job[] {
    return [...this.#lanes.get(mac)?.jobs ?? []];
  }

  /** How many wait for a gateway. */
  waiting(mac: string): number {
    return this.#lanes.get(mac)?.queue.length ?? 0;
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return (this.#idle ??= Promise.withResolvers()).promise;
  }

  /** Takes a command on. It neither waits nor runs yet. */
  add(row: CommandRow): Job {
    const { node, epoch } = row;
    const job: Job = {
      row,
      done: Promise.withResolvers(),
      dueAt: this.clock.monotonic() + row.deadline_at - this.clock.now(),
      timer: undefined,
      unwanted: false,
      resting: false,
      owner: typeof node === "string" && typeof epoch === "number" ? { node, epoch } : undefined,
      abandoned: false,
      orphaned: undefined,
    };
    this.#jobs.set(row.id, job);
    this.#chars += row.parameter.length;
    this.#lane(row.mac).jobs.add(job);
    return job;
  }

  /** A command has ended, or is another node's. */
  forget(job: Job): void {
    if (this.#jobs.delete(job.row.id)) this.#chars -= job.row.parameter.length;
    this.#lanes.get(job.row.mac)?.jobs.delete(job);
    this.#tidy(job.row.mac);
  }

  /** Lets a command wait for its turn; `late` is called where that does not come by its deadline. */
  queue(job: Job, late: () => void): void {
    this.#lane(job.row.mac).queue.push(job);
    job.timer = this.clock.setTimer(() => {
      if (this.unqueue(job)) late();
    }, job.dueAt - this.clock.monotonic());
  }

  /** Lets a command rest before it waits again; `over` is called then. */
  rest(job: Job, ms: number, over: () => void): void {
    job.resting = true;
    job.timer = this.clock.setTimer(() => {
      job.resting = false;
      over();
    }, ms);
  }

  /** Takes a command out that waits or rests; false where it does neither. */
  unqueue(job: Job): boolean {
    if (job.resting) {
      job.resting = false;
      job.timer?.cancel();
      return true;
    }
    const queue = this.#lanes.get(job.row.mac)?.queue, at = queue?.indexOf(job) ?? -1;
    if (at < 0) return false;
    queue!.splice(at, 1);
    job.timer?.cancel();
    job.timer = undefined;
    return true;
  }

  /** The command of a gateway whose turn it is; undefined where none waits, or it has to wait for others. */
  next(mac: string): Job | undefined {
    const [first] = this.#lanes.get(mac)?.queue ?? [];
    return first && this.hasRoom(mac, first.row.exclusive === 1) ? first : undefined;
  }

  /** Whether one more may run. */
  hasRoom(mac: string, exclusive: boolean): boolean {
    const { inFlight = 0, alone = false } = this.#lanes.get(mac) ?? {};
    return exclusive ? inFlight === 0 : !alone && inFlight < CONCURRENT;
  }

  began({ row }: Job): void {
    const lane = this.#lane(row.mac);
    lane.inFlight++;
    if (row.exclusive) lane.alone = true;
    this.#inFlight++;
  }

  ended({ row: { mac } }: Job): void {
    const lane = this.#lane(mac);
    if (--lane.inFlight === 0) lane.alone = false;
    if (--this.#inFlight === 0) this.#idle?.resolve();
    this.#tidy(mac);
  }

  #lane(mac: string): Lane {
    let lane = this.#lanes.get(mac);
    if (!lane) this.#lanes.set(mac, lane = { jobs: new Set(), queue: [], inFlight: 0, alone: false });
    return lane;
  }

  #tidy(mac: string): void {
    const lane = this.#lanes.get(mac);
    if (lane && lane.jobs.size === 0 && lane.inFlight === 0) this.#lanes.delete(mac);
  }
}
