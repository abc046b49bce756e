/**
 * Waiting for commands, and following them, whichever node runs them.
 *
 * @module
 */
import { type Deps, sleep } from "../../base/mod.ts";
import { type CommandRow, type CommandStore, isFinal } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { Lanes } from "./lanes.ts";

/** Between looks at a command that another node runs, whose word may not get here. */
const LOOK_MS = 1000;

/** What following leans on. */
export interface FollowerParts {
  readonly store: Pick<CommandStore, "find">;
  readonly bus: Pick<PlatformBus, "subscribe">;
  /** Whether commands may be another node's. */
  readonly several: boolean;
  /** Aborts when the platform stops. */
  readonly stop: AbortSignal;
}

/** Looks how commands go on. */
export class Follower {
  constructor(
    private readonly deps: Pick<Deps, "clock">,
    private readonly parts: FollowerParts,
    private readonly lanes: Lanes,
  ) {}

  /** The command as it is now; undefined where there is none. */
  async find(id: string): Promise<CommandRow | undefined> {
    const job = this.lanes.get(id);
    return job ? { ...job.row } : await this.parts.store.find(id);
  }

  /** Waits for a command's end, at most `ms`: answers it as it is then. */
  async wait(id: string, ms: number, signal?: AbortSignal): Promise<CommandRow | undefined> {
    const job = this.lanes.get(id);
    if (!job) {
      return this.parts.several ? await this.#waitElsewhere(id, ms, signal) : await this.parts.store.find(id);
    }
    const began = this.deps.clock.monotonic();
    // By hand: a combined signal for each waiting request would cost more than the request.
    const { promise, resolve } = Promise.withResolvers<void>(), over = () => resolve();
    const timer = this.deps.clock.setTimer(over, ms);
    signal?.addEventListener("abort", over);
    this.parts.stop.addEventListener("abort", over);
    if (!signal?.aborted && !this.parts.stop.aborted) await Promise.race([job.done.promise, promise]);
    this.parts.stop.removeEventListener("abort", over);
    signal?.removeEventListener("abort", over);
    timer.cancel();
    if (!job.abandoned) return { ...job.row };
    return await this.#waitElsewhere(id, ms - (this.deps.clock.monotonic() - began), signal);
  }

  /** Waits for a command that another node runs: on its word, and on the row where that does not get here. */
  async #waitElsewhere(id: string, ms: number, signal?: AbortSignal): Promise<CommandRow | undefined> {
    const end = this.deps.clock.monotonic() + ms,
      over = AbortSignal.any([this.parts.stop, ...signal ? [signal] : []]);
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
        const timer = this.parts.several ? this.deps.clock.setTimer(wake, LOOK_MS) : undefined;
        await changed.promise;
        timer?.cancel();
        changed = Promise.withResolvers();
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }
}
