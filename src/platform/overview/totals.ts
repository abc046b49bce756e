/**
 * Counters of all nodes: each tells the others every few seconds what its own have grown by.
 *
 * @module
 */
import type { Deps, Timer } from "../../base/mod.ts";
import type { PlatformBus } from "../subjects.ts";

/** How often a node tells, in milliseconds: what was counted since is missing elsewhere. */
const TELL_MS = 10_000;

/** Sums over all nodes, of what was counted since this one started. What is lost on the way is missing, for charts. */
export class TotalsOfNodes implements Disposable {
  /** By name: what this node told last, and what the others have told. */
  readonly #told = new Map<string, number>();
  readonly #others = new Map<string, number>();
  readonly #subscription: Disposable;
  #timer: Timer;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "metrics">,
    private readonly bus: Pick<PlatformBus, "publish" | "subscribe">,
    private readonly names: readonly string[],
  ) {
    this.#subscription = bus.subscribe("totals.grown", ({ by }, from) => {
      if (!from) return;
      for (const name of names) {
        const grown = by?.[name];
        if (typeof grown !== "number" || !(grown >= 0 && grown < Infinity)) continue;
        this.#others.set(name, (this.#others.get(name) ?? 0) + grown);
      }
    });
    this.#timer = deps.clock.setTimer(() => this.#tell(), TELL_MS);
  }

  /** A counter's total over all nodes. */
  read(name: string): number {
    return this.deps.metrics.total(name) + (this.#others.get(name) ?? 0);
  }

  #tell(): void {
    const by: Record<string, number> = {};
    for (const name of this.names) {
      const now = this.deps.metrics.total(name), grown = now - (this.#told.get(name) ?? 0);
      this.#told.set(name, now);
      if (grown > 0) by[name] = grown;
    }
    if (Object.keys(by).length > 0) this.bus.publish("totals.grown", { by });
    this.#timer = this.deps.clock.setTimer(() => this.#tell(), TELL_MS);
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#subscription[Symbol.dispose]();
  }
}
