/**
 * The last hours of a few figures, for charts: a sample a minute, in memory.
 *
 * @module
 */
import type { Clock, Timer } from "../../base/mod.ts";

/** One figure to follow. */
export interface Series {
  readonly name: string;
  /** `level`: what it is at the moment. `total`: a counter; samples are what was added per second since the last. */
  readonly kind: "level" | "total";
  read(): number;
}

/** Samples of every series, the oldest first; the times are those of the last one, `stepMs` apart. */
export interface History {
  readonly stepMs: number;
  readonly until: number;
  readonly series: Readonly<Record<string, readonly number[]>>;
}

/** A ring of samples for each of the series. */
export class Recorder implements Disposable {
  readonly #values: Map<string, number[]>;
  readonly #before = new Map<string, number>();
  #at: number;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly series: readonly Series[],
    private readonly stepMs = 60_000,
    private readonly keep = 360,
  ) {
    this.#values = new Map(series.map(({ name }) => [name, []]));
    this.#at = clock.now();
    this.#sample();
  }

  /** What was recorded. */
  read(): History {
    return {
      stepMs: this.stepMs,
      until: this.#at,
      series: Object.fromEntries(this.#values),
    };
  }

  #sample(): void {
    this.#at = this.clock.now();
    for (const { name, kind, read } of this.series) {
      const now = read(), values = this.#values.get(name)!;
      const before = this.#before.get(name) ?? now;
      this.#before.set(name, now);
      values.push(kind === "level" ? now : Math.max(0, now - before) * 1000 / this.stepMs);
      if (values.length > this.keep) values.shift();
    }
    this.#timer = this.clock.setTimer(() => this.#sample(), this.stepMs);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }
}
