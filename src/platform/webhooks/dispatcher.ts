/**
 * Who delivers: a lane for each enabled webhook, on the one node that sees to them.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { DeliveryStore } from "./deliveries.ts";
import type { Hooks } from "./hooks.ts";
import { Lane, type LaneParts } from "./lane.ts";

/** How long ended deliveries are kept, and how many of one webhook. */
const KEEP_MS = 7 * 86_400_000, KEEP = 10_000;
/** How often a node asks whether the work is its own; how often the queue is counted; how often old rows are removed. */
const DUTY_MS = 2_000, COUNT_MS = 15_000, TIDY_MS = 3_600_000;
/** How often lanes look of their own accord: among several nodes, word of a new row may be lost. */
const LOOK_SHARED_MS = 5_000, LOOK_MS = 60_000;

/** What a dispatcher leans on. */
export interface DispatcherParts extends Omit<LaneParts, "deliveries" | "lookMs"> {
  readonly deps: Pick<Deps, "clock" | "log" | "metrics" | "random">;
  readonly bus: Pick<PlatformBus, "subscribe">;
  readonly hooks: Hooks;
  readonly deliveries: DeliveryStore;
  /** Among several nodes: whether this one delivers for all. */
  readonly duty?: (() => Promise<boolean>) | undefined;
  /** Sees to what a node that is gone has left in the outbox. */
  readonly overlooked?: () => void;
}

/** The lanes of this node. */
export class Dispatcher implements AsyncDisposable {
  readonly #lanes = new Map<string, Lane>();
  readonly #subscription: Disposable;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #active = false;
  #waiting = 0;
  #countedAt = -Infinity;
  #tidiedAt = -Infinity;
  #stopped = false;

  constructor(private readonly parts: DispatcherParts) {
    const { bus, hooks, deps } = parts;
    this.#subscription = bus.subscribe("webhook.queued", ({ ids }) => {
      for (const id of ids) this.#lanes.get(id)?.wake();
    });
    hooks.onChange(() => this.#look());
    deps.metrics.gauge(
      "gatehouse_webhook_waiting",
      "Deliveries that wait, as the node that sees to them counted a moment ago",
      () => this.#waiting,
    );
    this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#subscription[Symbol.dispose]();
    await this.#looking;
    await this.#stopLanes();
  }

  #look(): void {
    this.#looking = this.#looking.then(() => this.#lookNow()).catch((error) =>
      this.parts.deps.log.warn("webhooks could not be seen to, trying again", { error: messageOf(error) })
    ).then(() => this.#schedule());
  }

  #schedule(): void {
    this.#timer?.cancel();
    // Where nobody wants to be told, nobody looks: a change to the webhooks does.
    if (this.#stopped || this.parts.hooks.size === 0) return;
    const { clock } = this.parts.deps;
    this.#timer = clock.setTimer(() => this.#look(), this.parts.duty ? DUTY_MS : COUNT_MS);
  }

  async #lookNow(): Promise<void> {
    const { hooks, duty } = this.parts;
    if (this.#stopped) return;
    this.#active = hooks.size > 0 && (duty === undefined || await duty());
    if (!this.#active) {
      this.#waiting = 0;
      return await this.#stopLanes();
    }
    await this.#stopLanes((id) => hooks.get(id) === undefined);
    for (const hook of hooks.all) {
      const lane = this.#lanes.get(hook.row.id);
      if (lane) lane.change(hook);
      else this.#lanes.set(hook.row.id, new Lane(hook, this.#laneParts()));
    }
    this.parts.overlooked?.();
    await this.#keepTidy();
  }

  #laneParts(): LaneParts {
    return { ...this.parts, lookMs: this.parts.duty ? LOOK_SHARED_MS : LOOK_MS };
  }

  async #stopLanes(which: (id: string) => boolean = () => true): Promise<void> {
    const stopped = [...this.#lanes].filter(([id]) => which(id));
    for (const [id] of stopped) this.#lanes.delete(id);
    await Promise.all(stopped.map(([, lane]) => lane[Symbol.asyncDispose]()));
  }

  async #keepTidy(): Promise<void> {
    const { deliveries, deps: { clock }, hooks } = this.parts, now = clock.monotonic();
    if (now - this.#countedAt >= COUNT_MS) {
      this.#countedAt = now;
      await deliveries.expire(clock.now());
      this.#waiting = [...(await deliveries.waiting()).values()].reduce((sum, count) => sum + count, 0);
    }
    if (now - this.#tidiedAt >= TIDY_MS) {
      this.#tidiedAt = now;
      while (await deliveries.forgetBefore(clock.now() - KEEP_MS) > 0) if (this.#stopped) return;
      for (const { row } of hooks.all) {
        while (await deliveries.forgetBeyond(row.id, KEEP) > 0) if (this.#stopped) return;
      }
    }
  }
}
