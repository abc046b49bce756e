/**
 * Remote commands: taken, kept, queued per gateway, sent when there is a channel, and seen to their end.
 *
 * @module
 */
import { type Deps, messageOf, newId, sleep, type Timer } from "../../base/mod.ts";
import { BusError } from "../../cluster/mod.ts";
import {
  type CommandChange,
  type CommandEventRow,
  type CommandKind,
  type CommandOwner,
  type CommandRow,
  type CommandStore,
  isFinal,
  isRepeatable,
  ORPHANED,
} from "../registry/mod.ts";
import type { ChannelOutcome, ChannelRequest, PlatformBus, Trigger, TriggerOutcome } from "../subjects.ts";
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
  /**
   * A post that may run beside other such posts. Everything else has its gateway for itself: what was asked before ends
   * first, what comes after waits.
   */
  readonly concurrent?: boolean;
  /** Doing it twice is doing it once. Unsaid: of everything but posts. */
  readonly repeatable?: boolean;
  /**
   * How often it is sent at most, where its answer was lost (only what is repeatable) or the gateway was busy, and
   * how long it rests before it is sent to a busy gateway again. Unsaid: three times, and busy is failed.
   */
  readonly retry?: { readonly attempts: number; readonly delayMs: number } | undefined;
  /** An id of the caller's choosing (`newId()`): asking again with it asks for the same command, not for another. */
  readonly id?: string;
}

/** What commands lean on. */
export interface CommanderParts {
  readonly store: CommandStore;
  readonly bus: PlatformBus;
  readonly packageOf: PackageFinder;
  /** Where there are several nodes: which of them this is. */
  readonly cluster?: CommandCluster | undefined;
}

/** What commands need to know of the nodes, where there are several. */
export interface CommandCluster {
  /** This node, in its life of the moment. */
  readonly self: CommandOwner;
  /** Whether its lease still holds. */
  readonly held: boolean;
  /** Calls `handler` when commands may have lost their node. */
  onGone(handler: (gone: CommandOwner) => void): void;
  /** Calls `handler` when this node has lost everything that it ran. */
  onRejoined(handler: () => void): void;
}

/** Concurrent posts of one gateway under way at once; commands waiting; tries of a command that may be repeated. */
const CONCURRENT = 32;
const QUEUE = 1000;
const TRIES = 3;
/** How long a stopping platform waits for commands under way. */
const DRAIN_MS = 5000;
/** Pause before an outcome that could not be written is tried again. */
const WRITE_AGAIN_MS = 1000;
/** Between looks at a command that another node runs, whose word may not get here; and for ones that lost their node. */
const LOOK_MS = 1000;
const ADOPT_MS = 10_000;
/** How long the node that runs a command may take to take it back. */
const CANCEL_MS = 10_000;
/** More than a trigger with all its resends may take. */
const MOVE_MS = 60_000;
/** Commands taken over at once. */
const ADOPT_ROWS = 500;

interface Job {
  readonly row: CommandRow;
  readonly done: PromiseWithResolvers<CommandRow>;
  /** Its deadline on the clock that does not jump: the row's is for people, and for the next process. */
  readonly dueAt: number;
  /** Ends a job that waits in the queue past its deadline. */
  timer: Timer | undefined;
  /** Somebody wants it given up while it is under way. */
  unwanted: boolean;
  /** It waits before it is sent again. */
  resting: boolean;
  /** This node, as it was when it took the command: where that is no longer true, the command is no longer its own. */
  readonly owner: CommandOwner | undefined;
  abandoned: boolean;
  /** Why it is not sent any more: its gateway is another customer's by now, or nobody's. */
  orphaned: Orphaned | undefined;
}

type Orphaned = Extract<FailureCode, "gateway_removed" | "gateway_reassigned">;

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

/** Runs every command of the platform. */
export class Commander implements AsyncDisposable {
  readonly #lanes = new Map<string, Lane>();
  readonly #jobs = new Map<string, Job>();
  readonly #connector: Connector;
  readonly #stop = new AbortController();
  #idle: PromiseWithResolvers<void> | undefined;
  #notes: Promise<unknown> = Promise.resolve();
  #inFlight = 0;
  #adopting: Promise<void> = Promise.resolve();
  #adoptTimer: Timer | undefined;
  #responder: Disposable | undefined;
  readonly #changes: Disposable;

  private constructor(private readonly deps: Deps, private readonly parts: CommanderParts) {
    this.#connector = new Connector(
      deps,
      parts.bus,
      (mac) => (this.#lanes.get(mac)?.queue.length ?? 0) > 0,
      (mac) => this.#pump(mac),
      parts.cluster !== undefined,
    );
    this.#changes = parts.bus.subscribe("gateway.changed", ({ mac, removed, reassigned }) => {
      if (removed || reassigned) this.#orphan(mac, removed ? "gateway_removed" : "gateway_reassigned");
    });
    deps.metrics.gauge("gatehouse_commands_open", "Commands that have not ended", () => this.#jobs.size);
  }

  /** Starts, and takes up what an earlier process left open. */
  static async start(deps: Deps, parts: CommanderParts): Promise<Commander> {
    const commander = new Commander(deps, parts);
    if (parts.cluster) await commander.#join(parts.cluster);
    else for (const row of await parts.store.open()) await commander.#resume(row);
    return commander;
  }

  /** Among several nodes each command is one node's; those of a node that is gone are taken over. */
  async #join(cluster: CommandCluster): Promise<void> {
    this.#responder = this.parts.bus.respond("command.cancel", ({ id }) => this.#cancelHere(id));
    cluster.onGone(({ node }) => {
      this.#connector.gone(node);
      void this.#adopt();
    });
    cluster.onRejoined(() => {
      for (const job of [...this.#jobs.values()]) this.#abandon(job);
    });
    const again = () => {
      this.#adoptTimer = this.deps.clock.setTimer(() => void this.#adopt().then(again), ADOPT_MS);
    };
    again();
    await this.#adopt();
  }

  #adopt(): Promise<void> {
    return this.#adopting = this.#adopting.then(async () => {
      try {
        while (!this.#stop.signal.aborted) {
          const rows = await this.parts.store.takeOver(this.parts.cluster!.self, ADOPT_ROWS);
          for (const row of rows) await this.#resume(row);
          if (rows.length > 0) this.deps.log.info("commands taken over", { count: rows.length });
          if (rows.length < ADOPT_ROWS) return;
        }
      } catch (error) {
        this.deps.log.warn("commands could not be taken over, trying again", { error: messageOf(error) });
      }
    });
  }

  /** Another node has the command by now: what became of it is in its row. */
  #abandon(job: Job): void {
    if (this.#jobs.get(job.row.id) !== job) return;
    this.#unqueue(job);
    this.#forget(job);
    job.abandoned = true;
    job.done.resolve(job.row);
  }

  /**
   * Takes a command. When this resolves its row is on disk.
   * @throws {CommandError} `queue_full` or `stopping`; and what storage throws: then there is no command
   */
  async create(request: CommandRequest): Promise<CommandRow> {
    if (this.#stop.signal.aborted) {
      throw new CommandError("stopping", "the platform is stopping: ask again later");
    }
    if (this.parts.cluster?.held === false) {
      throw new CommandError(
        "no_lease",
        "this node is out of touch with the others: ask again, or another node",
      );
    }
    const known = request.id === undefined ? undefined : await this.find(request.id);
    if (known) return known;
    const { mac } = request, lane = this.#lanes.get(mac);
    if (lane && lane.queue.length >= QUEUE) {
      throw new CommandError("queue_full", `${QUEUE} commands wait for gateway ${mac} already`);
    }
    const now = this.deps.clock.now();
    // Where it can go out at once its row says so from the start: one write less on the way.
    const exclusive = request.kind !== "post" || !request.concurrent;
    const atOnce = this.#connector.isOpen(mac) &&
      (!lane || lane.queue.length === 0 && hasRoom(lane, exclusive));
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
      exclusive: exclusive ? 1 : 0,
      repeatable: request.repeatable ?? isRepeatable(request.kind) ? 1 : 0,
      max_attempts: request.retry?.attempts ?? TRIES,
      retry_delay_ms: request.retry?.delayMs ?? null,
      ...this.parts.cluster?.self,
    };
    const job = this.#job(row);
    if (atOnce) this.#began(job);
    try {
      await this.parts.store.insert(row);
    } catch (error) {
      this.#forget(job);
      if (atOnce) this.#ended(job);
      throw error;
    }
    if (!atOnce) this.#enqueue(job);
    else if (job.orphaned) {
      await this.#finish(job, takenFrom(job.orphaned));
      this.#ended(job);
    } else void this.#run(job);
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
    if (!job) {
      return this.parts.cluster ? await this.#waitElsewhere(id, ms, signal) : await this.parts.store.find(id);
    }
    const began = this.deps.clock.monotonic();
    // By hand: a combined signal for each waiting request would cost more than the request.
    const { promise, resolve } = Promise.withResolvers<void>(), over = () => resolve();
    const timer = this.deps.clock.setTimer(over, ms);
    signal?.addEventListener("abort", over);
    this.#stop.signal.addEventListener("abort", over);
    if (!signal?.aborted && !this.#stop.signal.aborted) await Promise.race([job.done.promise, promise]);
    this.#stop.signal.removeEventListener("abort", over);
    signal?.removeEventListener("abort", over);
    timer.cancel();
    if (!job.abandoned) return { ...job.row };
    return await this.#waitElsewhere(id, ms - (this.deps.clock.monotonic() - began), signal);
  }

  /** Waits for a command that another node runs: on its word, and on the row where that does not get here. */
  async #waitElsewhere(id: string, ms: number, signal?: AbortSignal): Promise<CommandRow | undefined> {
    const end = this.deps.clock.monotonic() + ms,
      over = AbortSignal.any([this.#stop.signal, ...signal ? [signal] : []]);
    let wake = () => {};
    using _ = this.parts.bus.subscribe("command.changed", (command) => {
      if (command.id === id && isFinal(command.status)) wake();
    });
    for (;;) {
      const { promise: changed, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const row = await this.parts.store.find(id), left = end - this.deps.clock.monotonic();
      if (!row || isFinal(row.status) || left <= 0 || over.aborted) return row;
      const patience = new AbortController();
      const pause = sleep(
        this.deps.clock,
        Math.min(left, LOOK_MS),
        AbortSignal.any([over, patience.signal]),
      ).catch(() => {});
      await Promise.race([changed, pause]);
      patience.abort();
    }
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
        // The word of another node may not get here.
        const timer = this.parts.cluster && this.deps.clock.setTimer(wake, LOOK_MS);
        await changed.promise;
        timer?.cancel();
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
    if (!this.parts.cluster || this.#jobs.has(id)) return await this.#cancelHere(id);
    return await this.parts.bus.request("command.cancel", { id }, CANCEL_MS);
  }

  /** A gateway is no longer whom its commands were for: those that wait are not sent, and nothing is sent again. */
  #orphan(mac: string, why: Orphaned): void {
    for (const job of [...this.#lanes.get(mac)?.jobs ?? []]) {
      job.orphaned = why;
      if (this.#unqueue(job)) void this.#finish(job, takenFrom(why));
    }
  }

  async #cancelHere(id: string): Promise<boolean> {
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
    this.#responder?.[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
    this.#adoptTimer?.cancel();
    await this.#adopting;
    this.#connector[Symbol.dispose]();
    for (const { timer } of this.#jobs.values()) timer?.cancel();
    await this.#notes;
    await this.parts.store.flush();
  }

  async #resume(row: CommandRow): Promise<void> {
    const job = this.#job(row);
    if (row.status !== "queued" && !row.repeatable) {
      const error = this.parts.cluster
        ? "the node that ran the command went away while it was under way: whether it was done is not known"
        : "the platform was restarted while the command was under way: whether it was done is not known";
      return await this.#finish(job, { status: "failed", error_code: "outcome_unknown", error });
    }
    if (row.status !== "queued") {
      this.#explain(row, "restarted", "the platform was restarted while it was under way");
      this.#note(job, { status: "queued" });
    }
    this.#enqueue(job);
  }

  #job(row: CommandRow): Job {
    const job: Job = {
      row,
      done: Promise.withResolvers(),
      dueAt: this.deps.clock.monotonic() + row.deadline_at - this.deps.clock.now(),
      timer: undefined,
      unwanted: false,
      resting: false,
      owner: ownerOf(row),
      abandoned: false,
      orphaned: undefined,
    };
    this.#jobs.set(row.id, job);
    this.#lane(row.mac).jobs.add(job);
    return job;
  }

  #forget(job: Job): void {
    this.#jobs.delete(job.row.id);
    this.#lanes.get(job.row.mac)?.jobs.delete(job);
    this.#tidy(job.row.mac);
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

  #enqueue(job: Job): void {
    if (job.orphaned) return void this.#finish(job, takenFrom(job.orphaned));
    const lane = this.#lane(job.row.mac), left = job.dueAt - this.deps.clock.monotonic();
    lane.queue.push(job);
    job.timer = this.deps.clock.setTimer(() => {
      if (!this.#unqueue(job)) return;
      const { reason } = this.#connector.state(job.row.mac);
      void this.#finish(job, {
        status: "timed_out",
        error_code: "not_delivered",
        error: `not delivered ${job.row.attempt > 0 ? "once more " : ""}by its deadline${
          reason ? `: ${reason}` : ""
        }`,
      });
    }, left);
    this.#pump(job.row.mac);
  }

  #unqueue(job: Job): boolean {
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

  #pump(mac: string): void {
    const lane = this.#lanes.get(mac);
    if (!lane || this.#stop.signal.aborted) return;
    while (lane.queue.length > 0 && hasRoom(lane, lane.queue[0]!.row.exclusive === 1)) {
      if (!this.#connector.isOpen(mac)) return this.#connector.want(mac);
      const job = lane.queue[0]!;
      this.#unqueue(job);
      this.#began(job);
      void this.#send(job);
    }
  }

  /** Writes down that it goes out, before it does: a restart must know that it may have been done. */
  async #send(job: Job): Promise<void> {
    const change = { status: "sent", attempt: job.row.attempt + 1, sent_at: this.deps.clock.now() } as const;
    try {
      if (!await this.parts.store.update(job.row.id, change, job.owner)) {
        this.#abandon(job);
        return this.#ended(job);
      }
    } catch (error) {
      this.deps.log.error("a command was not sent, since that could not be written", {
        ...named(job.row),
        error: messageOf(error),
      });
      await sleep(this.deps.clock, WRITE_AGAIN_MS, this.#stop.signal).catch(() => {});
      if (!job.abandoned) this.#enqueue(job);
      return this.#ended(job);
    }
    Object.assign(job.row, change);
    this.#tell(job);
    await this.#run(job);
  }

  /** Performs a command that is written down as sent. */
  async #run(job: Job): Promise<void> {
    const { row } = job;
    let verdict: Verdict;
    try {
      verdict = await perform(row, {
        clock: this.deps.clock,
        exchange: (message) => this.#exchange(job, message),
        move: (mode, host, port) => this.#move(job, { kind: "redistribute", mode, host, port }),
        packageOf: this.parts.packageOf,
        acked: () => this.#note(job, { status: "acked", acked_at: this.deps.clock.now() }),
        progress: (percent) => {
          if (percent !== row.progress) this.#note(job, { progress: percent });
        },
        unwanted: () => job.unwanted,
      });
    } catch (error) {
      this.deps.log.error("a command failed here", { ...named(row), error: messageOf(error) });
      verdict = { kind: "lost", reason: "internal error" };
    }
    await this.#conclude(job, verdict);
    this.#ended(job);
  }

  async #move({ row, dueAt }: Job, trigger: Trigger): Promise<TriggerOutcome> {
    const left = dueAt - this.deps.clock.monotonic();
    if (left <= 0) return "unanswered";
    return await this.parts.bus.request("access.trigger", { mac: row.mac, trigger }, Math.min(left, MOVE_MS));
  }

  #exchange({ row, dueAt }: Job, message: ChannelRequest): Promise<ChannelOutcome> {
    const left = dueAt - this.deps.clock.monotonic();
    if (left <= 0) return Promise.resolve({ kind: "timeout" });
    if (this.parts.cluster?.held === false) return this.#outOfTouch();
    const asked = this.parts.bus.request(
      "channel.exchange",
      { mac: row.mac, message, timeoutMs: left },
      left + 1000,
    );
    return this.parts.cluster ? this.#acrossNodes(row.mac, asked) : asked;
  }

  /** Others may have the command by now, or are about to: nothing goes out before that is known. */
  async #outOfTouch(): Promise<ChannelOutcome> {
    await sleep(this.deps.clock, WRITE_AGAIN_MS, this.#stop.signal).catch(() => {});
    return { kind: "closed" };
  }

  /** What can happen between nodes, in the words of a channel. */
  async #acrossNodes(mac: string, asked: Promise<ChannelOutcome>): Promise<ChannelOutcome> {
    try {
      const outcome = await asked;
      if (outcome.kind === "closed") this.#connector.lost(mac);
      return outcome;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.code === "timeout") return { kind: "timeout" };
      this.#connector.lost(mac);
      return error.code === "no_responder" ? { kind: "closed" } : { kind: "lost", reason: error.message };
    }
  }

  async #conclude(job: Job, verdict: Verdict): Promise<void> {
    const { row } = job;
    if (job.abandoned) return; // its row says what became of it
    switch (verdict.kind) {
      case "succeeded":
        return await this.#finish(job, {
          status: "succeeded",
          result: verdict.result,
          reply: text(verdict.reply),
          ...(row.kind === "install" ? { progress: 100 } : {}),
        });
      case "failed":
        if (verdict.code === "gateway_busy" && this.#rest(job, verdict.error)) return;
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
        if (!row.repeatable || row.attempt >= row.max_attempts || job.orphaned) {
          const error = `sent, but the answer was lost (${verdict.reason}): whether it was done is not known`;
          return await this.#fail(job, "failed", "outcome_unknown", error);
        }
        this.#explain(row, "lost", verdict.reason);
        break;
      case "cancelled":
        return await this.#finish(job, { status: "cancelled" });
      case "not_sent":
        this.#explain(row, "not_sent", "the channel had closed");
        break;
    }
    this.#note(job, { status: "queued" });
    this.#enqueue(job);
  }

  /** Lets a command rest that the gateway was too busy for; false where it has no further try. */
  #rest(job: Job, error: string): boolean {
    const { row } = job, delay = row.retry_delay_ms;
    if (delay === null || job.orphaned || row.attempt >= row.max_attempts) return false;
    if (this.deps.clock.monotonic() + delay >= job.dueAt || this.#stop.signal.aborted) return false;
    this.#explain(row, "busy", error);
    this.#note(job, { status: "queued" });
    job.resting = true;
    job.timer = this.deps.clock.setTimer(() => {
      job.resting = false;
      this.#enqueue(job);
    }, delay);
    return true;
  }

  /** Notes why a command will be sent once more; losing that costs nothing but the note. */
  #explain(row: CommandRow, reason: CommandEventRow["reason"], detail: string): void {
    const event = {
      command_id: row.id,
      at: this.deps.clock.now(),
      attempt: row.attempt,
      sent_at: row.sent_at,
      reason,
      detail,
    };
    this.#notes = Promise.all([
      this.#notes,
      this.parts.store.note(event).catch((error) =>
        this.deps.log.warn("why a command is sent again was not written", {
          ...named(row),
          error: messageOf(error),
        })
      ),
    ]);
  }

  #fail(job: Job, status: "failed" | "timed_out", code: FailureCode, error: string): Promise<void> {
    return this.#finish(job, { status, error_code: code, error });
  }

  /** Ends a job: when its waiters hear of it, it is on disk. */
  async #finish(job: Job, change: CommandChange): Promise<void> {
    const full = { ...change, finished_at: this.deps.clock.now() };
    while (true) {
      try {
        if (!await this.parts.store.update(job.row.id, full, job.owner)) return this.#abandon(job);
        break;
      } catch (error) {
        this.deps.log.error("a command's end was not written, trying again", {
          ...named(job.row),
          error: messageOf(error),
        });
        await sleep(this.deps.clock, WRITE_AGAIN_MS, this.#stop.signal).catch(() => {});
        if (this.#stop.signal.aborted) break; // the next process finds it open
      }
    }
    Object.assign(job.row, full);
    this.#forget(job);
    this.#tell(job);
    job.done.resolve(job.row);
  }

  /** Writes an interim state; losing one costs nothing but that state. */
  #note(job: Job, change: CommandChange): void {
    Object.assign(job.row, change);
    this.parts.store.update(job.row.id, change, job.owner).then((written) => {
      if (!written) this.#abandon(job);
    }).catch((error) =>
      this.deps.log.warn("a command's progress was not written", {
        ...named(job.row),
        error: messageOf(error),
      })
    );
    this.#tell(job);
  }

  #tell({ row: { id, mac, status } }: Job): void {
    this.parts.bus.publish("command.changed", { id, mac, status });
    if (isFinal(status)) {
      this.deps.metrics.counter("gatehouse_commands_total", "Commands by how they ended", { status }).inc();
    }
  }

  #began({ row }: Job): void {
    const lane = this.#lane(row.mac);
    lane.inFlight++;
    if (row.exclusive) lane.alone = true;
    this.#inFlight++;
  }

  #ended({ row: { mac } }: Job): void {
    const lane = this.#lane(mac);
    if (--lane.inFlight === 0) lane.alone = false;
    if (--this.#inFlight === 0) this.#idle?.resolve();
    if (lane.queue.length > 0) this.#pump(mac);
    else this.#tidy(mac);
  }
}

/** How a command ends that is not sent any more. */
function takenFrom(why: Orphaned): CommandChange {
  return { status: "cancelled", error_code: why, error: ORPHANED[why] };
}

/** What a log says of a command. */
function named({ id, mac }: CommandRow) {
  return { command: id, mac };
}

function ownerOf({ node, epoch }: CommandRow): CommandOwner | undefined {
  return typeof node === "string" && typeof epoch === "number" ? { node, epoch } : undefined;
}

/** Whether one more may run. */
function hasRoom({ inFlight, alone }: Lane, exclusive: boolean): boolean {
  return exclusive ? inFlight === 0 : !alone && inFlight < CONCURRENT;
}

function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
