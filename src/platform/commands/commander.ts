/**
 * Remote commands: taken, kept, queued per gateway, sent when there is a channel, and seen to their end.
 *
 * @module
 */
import { type Deps, messageOf, newId, sleep, type Timer } from "../../base/mod.ts";
import {
  type CommandChange,
  type CommandKind,
  type CommandRow,
  type CommandStore,
  isFinal,
  isRepeatable,
} from "../registry/mod.ts";
import type { ChannelOutcome, ChannelRequest, PlatformBus } from "../subjects.ts";
import { type ConnectionState, Connector } from "./connector.ts";
import { CommandError, type FailureCode } from "./errors.ts";
import { type PackageFinder, perform, type Verdict } from "./perform.ts";

/** A command as it is asked for. */
export interface CommandRequest {
  /** A gateway that is preset. */
  readonly mac: string;
  readonly kind: CommandKind;
  readonly plugin: string;
  readonly version: string;
  /** The inner request of a post. */
  readonly parameter?: Readonly<Record<string, unknown>>;
  /** Who asks. */
  readonly actor: string;
  /** Time until the command has ended one way or another. */
  readonly timeoutMs: number;
  /** An id of the caller's choosing (`newId()`): asking again with it asks for the same command, not for another. */
  readonly id?: string;
}

/** What commands lean on. */
export interface CommanderParts {
  readonly store: CommandStore;
  readonly bus: PlatformBus;
  readonly packageOf: PackageFinder;
}

/** Commands of one gateway under way at once, and waiting; tries of a command that may be repeated. */
const IN_FLIGHT = 32;
const QUEUE = 1000;
const TRIES = 3;
/** How long a stopping platform waits for commands under way. */
const DRAIN_MS = 5000;
/** Pause before an outcome that could not be written is tried again. */
const WRITE_AGAIN_MS = 1000;

interface Job {
  readonly row: CommandRow;
  readonly done: PromiseWithResolvers<CommandRow>;
  /** Ends a job that waits in the queue past its deadline. */
  timer: Timer | undefined;
  /** Somebody wants it given up while it is under way. */
  unwanted: boolean;
}

/** One gateway's commands. */
interface Lane {
  readonly queue: Job[];
  inFlight: number;
}

/** Runs every command of the platform. */
export class Commander implements AsyncDisposable {
  readonly #lanes = new Map<string, Lane>();
  readonly #jobs = new Map<string, Job>();
  readonly #connector: Connector;
  readonly #stop = new AbortController();
  #idle: PromiseWithResolvers<void> | undefined;
  #inFlight = 0;

  private constructor(private readonly deps: Deps, private readonly parts: CommanderParts) {
    this.#connector = new Connector(
      deps,
      parts.bus,
      (mac) => (this.#lanes.get(mac)?.queue.length ?? 0) > 0,
      (mac) => this.#pump(mac),
    );
    deps.metrics.gauge("gatehouse_commands_open", "Commands that have not ended", () => this.#jobs.size);
  }

  /** Starts, and takes up what an earlier process left open. */
  static async start(deps: Deps, parts: CommanderParts): Promise<Commander> {
    const commander = new Commander(deps, parts);
    for (const row of await parts.store.open()) await commander.#resume(row);
    return commander;
  }

  /**
   * Takes a command. When this resolves its row is on disk.
   * @throws {CommandError} `queue_full` or `stopping`; and what storage throws: then there is no command
   */
  async create(request: CommandRequest): Promise<CommandRow> {
    if (this.#stop.signal.aborted) {
      throw new CommandError("stopping", "the platform is stopping: ask again later");
    }
    const known = request.id === undefined ? undefined : await this.find(request.id);
    if (known) return known;
    const { mac } = request, lane = this.#lane(mac);
    if (lane.queue.length >= QUEUE) {
      throw new CommandError("queue_full", `${QUEUE} commands wait for gateway ${mac} already`);
    }
    const now = this.deps.clock.now();
    // Where it can go out at once its row says so from the start: one write less on the way.
    const atOnce = this.#connector.isOpen(mac) && lane.queue.length === 0 && lane.inFlight < IN_FLIGHT;
    const row: CommandRow = {
      id: request.id ?? newId(),
      mac,
      kind: request.kind,
      plugin: request.plugin,
      version: request.version,
      parameter: JSON.stringify(request.parameter ?? {}),
      actor: request.actor,
      status: atOnce ? "sent" : "queued",
      result: null,
      reply: null,
      error_code: null,
      error: null,
      progress: null,
      attempt: atOnce ? 1 : 0,
      created_at: now,
      deadline_at: now + request.timeoutMs,
      sent_at: atOnce ? now : null,
      acked_at: null,
      finished_at: null,
    };
    const job = this.#job(row);
    if (atOnce) this.#began(lane);
    try {
      await this.parts.store.insert(row);
    } catch (error) {
      this.#jobs.delete(row.id);
      if (atOnce) this.#ended(mac, lane);
      throw error;
    }
    if (atOnce) void this.#run(job, lane);
    else this.#enqueue(job);
    return { ...row };
  }

  /** The command as it is now; undefined where there is none. */
  async find(id: string): Promise<CommandRow | undefined> {
    const job = this.#jobs.get(id);
    return job ? { ...job.row } : await this.parts.store.find(id);
  }

  /** Waits for a command's end, at most `ms`: answers it as it is then. */
  async wait(id: string, ms: number, signal?: AbortSignal): Promise<CommandRow | undefined> {
    const job = this.#jobs.get(id);
    if (!job) return await this.parts.store.find(id);
    // By hand: a combined signal for each waiting request would cost more than the request.
    const { promise, resolve } = Promise.withResolvers<void>(), over = () => resolve();
    const timer = this.deps.clock.setTimer(over, ms);
    signal?.addEventListener("abort", over);
    this.#stop.signal.addEventListener("abort", over);
    if (!signal?.aborted && !this.#stop.signal.aborted) await Promise.race([job.done.promise, promise]);
    this.#stop.signal.removeEventListener("abort", over);
    signal?.removeEventListener("abort", over);
    timer.cancel();
    return { ...job.row };
  }

  /**
   * A command as it is now and after each change, until it has ended or the signal aborts. Changes that come faster
   * than they are taken are told as one.
   */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<CommandRow> {
    let changed = Promise.withResolvers<void>();
    const wake = () => changed.resolve();
    using _ = this.parts.bus.subscribe("command.changed", (command) => {
      if (command.id === id) wake();
    });
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const row = await this.find(id);
        if (!row) return;
        yield row;
        if (isFinal(row.status)) return;
        await changed.promise;
        changed = Promise.withResolvers();
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  /**
   * Takes a command back that still waits, and asks the gateway to give an installation up that is under way: true,
   * and the row tells how that went. Whatever else is under way or has ended stays as it is: false.
   */
  async cancel(id: string): Promise<boolean> {
    const job = this.#jobs.get(id);
    if (!job) return false;
    if (this.#unqueue(job)) {
      await this.#finish(job, { status: "cancelled" });
      return true;
    }
    if (job.row.kind !== "install") return false;
    job.unwanted = true;
    return true;
  }

  /** Wants the gateway on its channel for `forMs`. */
  connect(mac: string, forMs: number): void {
    this.#connector.want(mac, forMs);
  }

  connection(mac: string): ConnectionState {
    return this.#connector.state(mac);
  }

  /** Takes no more commands, gives those under way a moment, and leaves the rest to the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new CommandError("stopping", "the platform is stopping"));
    if (this.#inFlight > 0) {
      this.#idle = Promise.withResolvers();
      const over = new AbortController();
      await Promise.race([
        this.#idle.promise,
        sleep(this.deps.clock, DRAIN_MS, over.signal).catch(() => {}),
      ]);
      over.abort();
    }
    this.#connector[Symbol.dispose]();
    for (const { timer } of this.#jobs.values()) timer?.cancel();
    await this.parts.store.flush();
  }

  async #resume(row: CommandRow): Promise<void> {
    const job = this.#job(row);
    if (row.status !== "queued" && !isRepeatable(row.kind)) {
      const error =
        "the platform was restarted while the command was under way: whether it was done is not known";
      return await this.#finish(job, { status: "failed", error_code: "outcome_unknown", error });
    }
    if (row.status !== "queued") this.#note(job, { status: "queued" });
    this.#enqueue(job);
  }

  #job(row: CommandRow): Job {
    const job: Job = { row, done: Promise.withResolvers(), timer: undefined, unwanted: false };
    this.#jobs.set(row.id, job);
    return job;
  }

  #lane(mac: string): Lane {
    let lane = this.#lanes.get(mac);
    if (!lane) this.#lanes.set(mac, lane = { queue: [], inFlight: 0 });
    return lane;
  }

  #enqueue(job: Job): void {
    const lane = this.#lane(job.row.mac), left = job.row.deadline_at - this.deps.clock.now();
    lane.queue.push(job);
    job.timer = this.deps.clock.setTimer(() => {
      if (!this.#unqueue(job)) return;
      const { reason } = this.#connector.state(job.row.mac);
      void this.#finish(job, {
        status: "timed_out",
        error_code: "not_delivered",
        error: `not delivered by its deadline${reason ? `: ${reason}` : ""}`,
      });
    }, left);
    this.#pump(job.row.mac);
  }

  #unqueue(job: Job): boolean {
    const queue = this.#lanes.get(job.row.mac)?.queue, at = queue?.indexOf(job) ?? -1;
    if (at < 0) return false;
    queue!.splice(at, 1);
    job.timer?.cancel();
    job.timer = undefined;
    return true;
  }

  #pump(mac: string): void {
    const lane = this.#lanes.get(mac);
    if (!lane || this.#stop.signal.aborted) return;
    while (lane.queue.length > 0 && lane.inFlight < IN_FLIGHT) {
      if (!this.#connector.isOpen(mac)) return this.#connector.want(mac);
      const job = lane.queue[0]!;
      this.#unqueue(job);
      this.#began(lane);
      void this.#send(job, lane);
    }
  }

  /** Writes down that it goes out, before it does: a restart must know that it may have been done. */
  async #send(job: Job, lane: Lane): Promise<void> {
    const change = { status: "sent", attempt: job.row.attempt + 1, sent_at: this.deps.clock.now() } as const;
    try {
      await this.parts.store.update(job.row.id, change);
    } catch (error) {
      this.deps.log.error("a command was not sent, since that could not be written", {
        id: job.row.id,
        error: messageOf(error),
      });
      await sleep(this.deps.clock, WRITE_AGAIN_MS, this.#stop.signal).catch(() => {});
      this.#enqueue(job);
      return this.#ended(job.row.mac, lane);
    }
    Object.assign(job.row, change);
    this.#tell(job);
    await this.#run(job, lane);
  }

  /** Performs a command that is written down as sent. */
  async #run(job: Job, lane: Lane): Promise<void> {
    const { row } = job;
    let verdict: Verdict;
    try {
      verdict = await perform(row, {
        clock: this.deps.clock,
        exchange: (message) => this.#exchange(row, message),
        packageOf: this.parts.packageOf,
        acked: () => this.#note(job, { status: "acked", acked_at: this.deps.clock.now() }),
        progress: (percent) => {
          if (percent !== row.progress) this.#note(job, { progress: percent });
        },
        unwanted: () => job.unwanted,
      });
    } catch (error) {
      this.deps.log.error("a command failed here", { id: row.id, error: messageOf(error) });
      verdict = { kind: "lost", reason: "internal error" };
    }
    await this.#conclude(job, verdict);
    this.#ended(row.mac, lane);
  }

  #exchange(row: CommandRow, message: ChannelRequest): Promise<ChannelOutcome> {
    const left = row.deadline_at - this.deps.clock.now();
    if (left <= 0) return Promise.resolve({ kind: "timeout" });
    return this.parts.bus.request(
      "channel.exchange",
      { mac: row.mac, message, timeoutMs: left },
      left + 1000,
    );
  }

  async #conclude(job: Job, verdict: Verdict): Promise<void> {
    const { row } = job;
    switch (verdict.kind) {
      case "succeeded":
        return await this.#finish(job, {
          status: "succeeded",
          result: verdict.result,
          reply: text(verdict.reply),
          ...(row.kind === "install" ? { progress: 100 } : {}),
        });
      case "failed":
        return await this.#finish(job, {
          status: "failed",
          result: verdict.result ?? null,
          reply: text(verdict.reply),
          error_code: verdict.code,
          error: verdict.error,
        });
      case "timeout":
        return await this.#fail(job, "timed_out", "no_answer", "sent, but not answered by its deadline");
      case "lost":
        if (!isRepeatable(row.kind) || row.attempt >= TRIES) {
          const error = `sent, but the answer was lost (${verdict.reason}): whether it was done is not known`;
          return await this.#fail(job, "failed", "outcome_unknown", error);
        }
        break;
      case "cancelled":
        return await this.#finish(job, { status: "cancelled" });
      case "not_sent":
        break;
    }
    this.#note(job, { status: "queued" });
    this.#enqueue(job);
  }

  #fail(job: Job, status: "failed" | "timed_out", code: FailureCode, error: string): Promise<void> {
    return this.#finish(job, { status, error_code: code, error });
  }

  /** Ends a job: when its waiters hear of it, it is on disk. */
  async #finish(job: Job, change: CommandChange): Promise<void> {
    const full = { ...change, finished_at: this.deps.clock.now() };
    while (true) {
      try {
        await this.parts.store.update(job.row.id, full);
        break;
      } catch (error) {
        this.deps.log.error("a command's end was not written, trying again", {
          id: job.row.id,
          error: messageOf(error),
        });
        await sleep(this.deps.clock, WRITE_AGAIN_MS, this.#stop.signal).catch(() => {});
        if (this.#stop.signal.aborted) break; // the next process finds it open
      }
    }
    Object.assign(job.row, full);
    this.#jobs.delete(job.row.id);
    this.#tell(job);
    job.done.resolve(job.row);
  }

  /** Writes an interim state; losing one costs nothing but that state. */
  #note(job: Job, change: CommandChange): void {
    Object.assign(job.row, change);
    this.parts.store.update(job.row.id, change).catch((error) =>
      this.deps.log.warn("a command's progress was not written", { id: job.row.id, error: messageOf(error) })
    );
    this.#tell(job);
  }

  #tell({ row: { id, mac, status } }: Job): void {
    this.parts.bus.publish("command.changed", { id, mac, status });
    if (isFinal(status)) {
      this.deps.metrics.counter("gatehouse_commands_total", "Commands by how they ended", { status }).inc();
    }
  }

  #began(lane: Lane): void {
    lane.inFlight++;
    this.#inFlight++;
  }

  #ended(mac: string, lane: Lane): void {
    lane.inFlight--;
    if (--this.#inFlight === 0) this.#idle?.resolve();
    if (lane.queue.length > 0) this.#pump(mac);
    else if (lane.inFlight === 0) this.#lanes.delete(mac);
  }
}

function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
