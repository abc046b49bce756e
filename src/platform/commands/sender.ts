/**
 * Sending: whose turn it is, what the gateway is told, and what follows from how that went.
 *
 * @module
 */
import { type Deps, messageOf, sleep } from "../../base/mod.ts";
import { BusError } from "../../cluster/mod.ts";
import type { ChannelOutcome, ChannelRequest, PlatformBus, Trigger, TriggerOutcome } from "../subjects.ts";
import type { Connector } from "./connector.ts";
import type { FailureCode } from "./errors.ts";
import type { Job, Lanes } from "./lanes.ts";
import { type Ledger, named, WRITE_AGAIN_MS } from "./ledger.ts";
import { type PackageFinder, perform, type Verdict } from "./perform.ts";
import type { CommandCluster } from "./request.ts";
import type { CommandStore } from "../registry/mod.ts";

/** More than a trigger with all its resends may take. */
const MOVE_MS = 60_000;

/** What the sender leans on. */
export interface SenderParts {
  readonly store: Pick<CommandStore, "update">;
  readonly bus: Pick<PlatformBus, "request">;
  readonly packageOf: PackageFinder;
  readonly cluster?: CommandCluster | undefined;
  readonly connector: Connector;
  /** Aborts when the platform stops. */
  readonly stop: AbortSignal;
}

/** Sends commands, each gateway's in their order. */
export class Sender {
  constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly parts: SenderParts,
    private readonly lanes: Lanes,
    private readonly ledger: Ledger,
  ) {}

  /** Lets a command wait for its turn, and for its gateway. */
  enqueue(job: Job): void {
    if (job.orphaned) return void this.ledger.orphan(job, job.orphaned);
    this.lanes.queue(job, () => {
      const { reason } = this.parts.connector.state(job.row.mac);
      void this.ledger.finish(job, {
        status: "timed_out",
        error_code: "not_delivered",
        error: `not delivered ${job.row.attempt > 0 ? "once more " : ""}by its deadline${
          reason ? `: ${reason}` : ""
        }`,
      });
    });
    this.pump(job.row.mac);
  }

  /** Sends what a gateway's lane has room for, or calls the gateway. */
  pump(mac: string): void {
    if (this.parts.stop.aborted) return;
    for (let job = this.lanes.next(mac); job; job = this.lanes.next(mac)) {
      if (!this.parts.connector.isOpen(mac)) return this.parts.connector.want(mac);
      this.lanes.unqueue(job);
      this.lanes.began(job);
      void this.#send(job);
    }
  }

  /** Writes down that it goes out, before it does: a restart must know that it may have been done. */
  async #send(job: Job): Promise<void> {
    const change = { status: "sent", attempt: job.row.attempt + 1, sent_at: this.deps.clock.now() } as const;
    try {
      if (!await this.parts.store.update(job.row.id, change, job.owner)) {
        this.ledger.abandon(job);
        return this.ended(job);
      }
    } catch (error) {
      this.deps.log.error("a command was not sent, since that could not be written", {
        ...named(job.row),
        error: messageOf(error),
      });
      await sleep(this.deps.clock, WRITE_AGAIN_MS, this.parts.stop).catch(() => {});
      if (!job.abandoned) this.enqueue(job);
      return this.ended(job);
    }
    Object.assign(job.row, change);
    this.ledger.tell(job);
    await this.run(job);
  }

  /** Performs a command that is written down as sent. */
  async run(job: Job): Promise<void> {
    const { row } = job;
    let verdict: Verdict;
    try {
      verdict = await perform(row, {
        clock: this.deps.clock,
        exchange: (message) => this.#exchange(job, message),
        move: (mode, host, port) => this.#move(job, { kind: "redistribute", mode, host, port }),
        packageOf: this.parts.packageOf,
        acked: () => this.ledger.note(job, { status: "acked", acked_at: this.deps.clock.now() }),
        progress: (percent) => {
          if (percent !== row.progress) this.ledger.note(job, { progress: percent });
        },
        unwanted: () => job.unwanted,
      });
    } catch (error) {
      this.deps.log.error("a command failed here", { ...named(row), error: messageOf(error) });
      verdict = { kind: "lost", reason: "internal error" };
    }
    await this.#conclude(job, verdict);
    this.ended(job);
  }

  async #move({ row, dueAt }: Job, trigger: Trigger): Promise<TriggerOutcome> {
    const left = dueAt - this.deps.clock.monotonic();
    if (left <= 0) return "unanswered";
    try {
      const ms = Math.min(left, MOVE_MS);
      return await this.parts.bus.request("access.trigger", { mac: row.mac, trigger }, ms);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return error.code === "no_responder" ? "offline" : "unanswered";
    }
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
    await sleep(this.deps.clock, WRITE_AGAIN_MS, this.parts.stop).catch(() => {});
    return { kind: "closed" };
  }

  /** What can happen between nodes, in the words of a channel. */
  async #acrossNodes(mac: string, asked: Promise<ChannelOutcome>): Promise<ChannelOutcome> {
    try {
      const outcome = await asked;
      if (outcome.kind === "closed") this.parts.connector.lost(mac);
      return outcome;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.code === "timeout") return { kind: "timeout" };
      this.parts.connector.lost(mac);
      return error.code === "no_responder" ? { kind: "closed" } : { kind: "lost", reason: error.message };
    }
  }

  async #conclude(job: Job, verdict: Verdict): Promise<void> {
    const { row } = job;
    if (job.abandoned) return; // its row says what became of it
    switch (verdict.kind) {
      case "succeeded":
        return await this.ledger.finish(job, {
          status: "succeeded",
          result: verdict.result,
          reply: text(verdict.reply),
          ...(row.kind === "install" ? { progress: 100 } : {}),
        });
      case "failed":
        if (verdict.code === "gateway_busy" && this.#rest(job, verdict.error)) return;
        return await this.ledger.finish(job, {
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
        this.ledger.explain(row, "lost", verdict.reason);
        break;
      case "cancelled":
        return await this.ledger.finish(job, { status: "cancelled" });
      case "not_sent":
        this.ledger.explain(row, "not_sent", "the channel had closed");
        break;
    }
    this.ledger.note(job, { status: "queued" });
    this.enqueue(job);
  }

  /** Lets a command rest that the gateway was too busy for; false where it has no further try. */
  #rest(job: Job, error: string): boolean {
    const { row } = job, delay = row.retry_delay_ms;
    if (delay === null || job.orphaned || row.attempt >= row.max_attempts) return false;
    if (this.deps.clock.monotonic() + delay >= job.dueAt || this.parts.stop.aborted) return false;
    this.ledger.explain(row, "busy", error);
    this.ledger.note(job, { status: "queued" });
    this.lanes.rest(job, delay, () => this.enqueue(job));
    return true;
  }

  #fail(job: Job, status: "failed" | "timed_out", code: FailureCode, error: string): Promise<void> {
    return this.ledger.finish(job, { status, error_code: code, error });
  }

  /** A command is under way no more: the next has its turn. */
  ended(job: Job): void {
    this.lanes.ended(job);
    this.pump(job.row.mac);
  }
}

function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
