/**
 * What is written down of commands as they go on, and told to whoever waits.
 *
 * @module
 */
import { type Deps, messageOf, sleep } from "../../base/mod.ts";
import {
  type CommandChange,
  type CommandEventRow,
  type CommandRow,
  type CommandStore,
  isFinal,
  ORPHANED,
} from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { Job, Lanes, Orphaned } from "./lanes.ts";

/** Pause before what could not be written is tried again. */
export const WRITE_AGAIN_MS = 1000;

/** What the ledger leans on. */
export interface LedgerParts {
  readonly store: CommandStore;
  readonly bus: Pick<PlatformBus, "publish">;
  /** Aborts when the platform stops. */
  readonly stop: AbortSignal;
}

/** Writes what becomes of commands. */
export class Ledger {
  #notes: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly parts: LedgerParts,
    private readonly lanes: Lanes,
  ) {}

  /** Another node has the command by now: what became of it is in its row. */
  abandon(job: Job): void {
    if (this.lanes.get(job.row.id) !== job) return;
    this.lanes.unqueue(job);
    this.lanes.forget(job);
    job.abandoned = true;
    job.done.resolve(job.row);
  }

  /** Notes why a command will be sent once more; losing that costs nothing but the note. */
  explain(row: CommandRow, reason: CommandEventRow["reason"], detail: string): void {
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

  /** Ends a job that is not sent any more, since its gateway is not whom it was for. */
  orphan(job: Job, why: Orphaned): Promise<void> {
    return this.finish(job, { status: "cancelled", error_code: why, error: ORPHANED[why] });
  }

  /** Ends a job: when its waiters hear of it, it is on disk. */
  async finish(job: Job, change: CommandChange): Promise<void> {
    const full = { ...change, finished_at: this.deps.clock.now() };
    while (true) {
      try {
        if (!await this.parts.store.update(job.row.id, full, job.owner)) return this.abandon(job);
        break;
      } catch (error) {
        this.deps.log.error("a command's end was not written, trying again", {
          ...named(job.row),
          error: messageOf(error),
        });
        await sleep(this.deps.clock, WRITE_AGAIN_MS, this.parts.stop).catch(() => {});
        if (this.parts.stop.aborted) break; // the next process finds it open
      }
    }
    Object.assign(job.row, full);
    this.lanes.forget(job);
    this.tell(job);
    job.done.resolve(job.row);
  }

  /** Writes an interim state; losing one costs nothing but that state. */
  note(job: Job, change: CommandChange): void {
    Object.assign(job.row, change);
    this.parts.store.update(job.row.id, change, job.owner).then((written) => {
      if (!written) this.abandon(job);
    }).catch((error) =>
      this.deps.log.warn("a command's progress was not written", {
        ...named(job.row),
        error: messageOf(error),
      })
    );
    this.tell(job);
  }

  /** Tells of a change that is written, or about to be. */
  tell({ row: { id, mac, status } }: Job): void {
    this.parts.bus.publish("command.changed", { id, mac, status });
    if (isFinal(status)) {
      this.deps.metrics.counter("gatehouse_commands_total", "Commands by how they ended", { status }).inc();
    }
  }

  /** Waits until nothing is left to write. */
  async flush(): Promise<void> {
    await this.#notes;
    await this.parts.store.flush();
  }
}

/** What a log says of a command. */
export function named({ id, mac }: CommandRow) {
  return { command: id, mac };
}
