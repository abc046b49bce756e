/**
 * One webhook's deliveries: a few at a time, again and again with growing pauses, until they are taken or their time is
 * over.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { DeliveryStore } from "./deliveries.ts";
import type { Hook } from "./hooks.ts";
import type { DeliveryRow, DisabledReason } from "./schema.ts";
import type { Attempt } from "./sender.ts";

/** Deliveries under way at once; one where the try before failed, to see whether the receiver is back. */
export const AT_ONCE = 4;
/** The pause before a delivery's second try; it doubles up to the longest. */
const FIRST_PAUSE_MS = 5_000, LONGEST_PAUSE_MS = 3_600_000;
/** The pause of the whole lane after a failure, so that a queue of thousands does not hammer a receiver that is down. */
const LANE_PAUSE_MS = 1_000, LONGEST_LANE_PAUSE_MS = 60_000;
/** How long nothing may be delivered until the webhook is disabled. */
export const FAILING_MS = 5 * 86_400_000;
/** Pause before what the database refused is tried again. */
const AGAIN_MS = 5_000;

/** What a lane leans on. */
export interface LaneParts {
  readonly deps: Pick<Deps, "clock" | "log" | "metrics" | "random">;
  readonly deliveries: Pick<DeliveryStore, "next" | "settle" | "expire">;
  /** How often the rows are looked at though nobody said that there is something. */
  readonly lookMs: number;
  /** Sends one delivery once. */
  send(hook: Hook, row: DeliveryRow, signal: AbortSignal): Promise<Attempt>;
  /** Nothing is delivered since then; null: something was. */
  failing(hook: Hook, since: number | null): Promise<void>;
  /** The receiver is to be left alone. */
  disable(hook: Hook, reason: DisabledReason): Promise<void>;
}

/** A webhook's deliveries under way. Dispose of it to break them off: they begin again wherever the webhook is next. */
export class Lane implements AsyncDisposable {
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #failures = 0;
  #failingSince: number | null;
  /** Monotonic. */
  #pausedUntil = -Infinity;

  #hook: Hook;

  constructor(hook: Hook, private readonly parts: LaneParts) {
    this.#hook = hook;
    this.#failingSince = hook.row.failing_since;
    this.wake();
  }

  /** The row may have changed: where it leads elsewhere, or was enabled anew, what went wrong before is forgotten. */
  change(hook: Hook): void {
    const { url, failing_since } = hook.row, before = this.#hook.row;
    this.#hook = hook;
    if (url === before.url && (failing_since !== null || this.#failingSince === null)) return;
    this.#failingSince = failing_since;
    this.#failures = 0;
    this.#pausedUntil = -Infinity;
    this.wake();
  }

  /** Looks what is due. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    this.#again = true;
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.wake();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the lane was stopped"));
    this.#timer?.cancel();
    await this.#looking;
    await Promise.all(this.#underWay.values());
  }

  async #lookAll(): Promise<void> {
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false;
      try {
        await this.#look();
      } catch (error) {
        this.parts.deps.log.warn("a webhook's queue could not be read, trying again", {
          webhook: this.#hook.row.id,
          error: messageOf(error),
        });
        this.#wakeIn(AGAIN_MS);
      }
    }
  }

  async #look(): Promise<void> {
    const { clock } = this.parts.deps;
    const paused = this.#pausedUntil - clock.monotonic();
    if (paused > 0) return this.#wakeIn(paused);
    const room = (this.#failures > 0 ? 1 : AT_ONCE) - this.#underWay.size;
    if (room <= 0) return; // whatever ends wakes it
    const now = clock.now();
    // What ends while it is read may be read as it was before: whatever ends wakes this, and is read again.
    const busy = new Set(this.#underWay.keys());
    const waiting = (await this.parts.deliveries.next(this.#hook.row.id, busy.size + room + 1))
      .filter(({ id }) => !busy.has(id));
    if (waiting.some(({ deadline_at }) => deadline_at <= now)) {
      if (await this.parts.deliveries.expire(now) > 0) this.#again = true;
      else this.#wakeIn(AGAIN_MS);
      return;
    }
    const due = waiting.filter(({ next_try_at }) => (next_try_at ?? 0) <= now).slice(0, room);
    if (this.#stop.signal.aborted) return;
    for (const row of due) {
      const delivering = this.#deliver(row).finally(() => {
        this.#underWay.delete(row.id);
        this.wake();
      });
      this.#underWay.set(row.id, delivering);
    }
    const next = waiting[due.length];
    if (due.length < room) this.#wakeIn(next ? (next.next_try_at ?? 0) - now : Infinity);
  }

  async #deliver(row: DeliveryRow): Promise<void> {
    const { deps, deliveries } = this.parts, hook = this.#hook;
    try {
      const attempt = await this.parts.send(hook, row, this.#stop.signal);
      this.#measure(attempt);
      const now = deps.clock.now(), delivered = attempt.error === undefined;
      const pause = delivered ? 0 : pauseAfter(row.attempts + 1, attempt.retryAfterMs, deps.random.float());
      const over = delivered || attempt.status === 410 || now + pause >= row.deadline_at;
      await deliveries.settle(
        row,
        attempt,
        over
          ? { state: delivered ? "delivered" : "failed", endedAt: now }
          : { nextTryAt: now + Math.round(pause) },
      );
      this.#count(delivered ? "delivered" : over ? "failed" : "retried");
      await (delivered ? this.#wentWell(hook) : this.#wentWrong(hook, attempt));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // It is tried again: better told twice than not at all.
      deps.log.warn("a webhook's delivery was not noted", { webhook: hook.row.id, error: messageOf(error) });
      this.#pausedUntil = deps.clock.monotonic() + AGAIN_MS;
    }
  }

  async #wentWell(hook: Hook): Promise<void> {
    this.#failures = 0;
    this.#pausedUntil = -Infinity;
    if (this.#failingSince === null) return;
    this.#failingSince = null;
    await this.parts.failing(hook, null);
  }

  async #wentWrong(hook: Hook, { status, error, retryAfterMs = 0 }: Attempt): Promise<void> {
    const { clock, log } = this.parts.deps, now = clock.now();
    log.debug("a webhook's receiver did not take a delivery", { webhook: hook.row.id, error });
    const pause = Math.min(LANE_PAUSE_MS * 2 ** Math.min(this.#failures, 20), LONGEST_LANE_PAUSE_MS);
    this.#failures++;
    this.#pausedUntil = clock.monotonic() + Math.max(pause, Math.min(retryAfterMs, LONGEST_LANE_PAUSE_MS));
    const since = this.#failingSince ??= now;
    if (status === 410) await this.parts.disable(hook, "gone");
    else if (now - since >= FAILING_MS) await this.parts.disable(hook, "failing");
    else if (since === now) await this.parts.failing(hook, now);
  }

  #wakeIn(ms: number): void {
    this.#timer?.cancel();
    if (this.#stop.signal.aborted) return;
    this.#timer = this.parts.deps.clock.setTimer(
      () => this.wake(),
      Math.max(0, Math.min(ms, this.parts.lookMs)),
    );
  }

  #measure({ ms }: Attempt): void {
    this.parts.deps.metrics.histogram(
      "gatehouse_webhook_seconds",
      "How long receivers of webhooks take to answer, or not to",
    ).observe(ms / 1000);
  }

  #count(outcome: "delivered" | "failed" | "retried"): void {
    this.parts.deps.metrics.counter(
      "gatehouse_webhook_tries_total",
      "Tries to tell a webhook's receiver, by what came of them",
      { outcome },
    ).inc();
  }
}

/** The pause after a number of tries in milliseconds: doubling, the upper half of it at random, or as asked for. */
export function pauseAfter(tries: number, retryAfterMs = 0, random: number): number {
  const full = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 20), LONGEST_PAUSE_MS);
  return Math.max(full / 2 + random * full / 2, Math.min(retryAfterMs, LONGEST_PAUSE_MS));
}
