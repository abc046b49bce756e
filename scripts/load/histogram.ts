/**
 * Times by how often they came, in buckets that grow by a tenth: millions of them in a few kilobytes, and histograms of
 * several processes add up.
 *
 * @module
 */

/** Each bucket ends a tenth above the one before; the first ends at `LEAST` milliseconds. */
const GROWTH = Math.log(1.1), LEAST = 0.01;
const BUCKETS = 220;

/** What a histogram says in a report, in milliseconds. */
export interface Quantiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** A histogram as JSON carries it. */
export interface HistogramData {
  readonly counts: readonly number[];
  readonly sum: number;
  readonly max: number;
}

/** A histogram of milliseconds, up to about three hours; quantiles are right to a tenth. */
export class Histogram {
  readonly #counts: number[];
  #sum = 0;
  #max = 0;

  constructor(data?: HistogramData) {
    this.#counts = data ? [...data.counts] : new Array<number>(BUCKETS).fill(0);
    this.#sum = data?.sum ?? 0;
    this.#max = data?.max ?? 0;
  }

  add(ms: number): void {
    const bucket = ms <= LEAST ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / LEAST) / GROWTH));
    this.#counts[bucket]!++;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
  }

  /** Takes in what another one counted. */
  merge({ counts, sum, max }: HistogramData): void {
    counts.forEach((count, i) => this.#counts[i]! += count);
    this.#sum += sum;
    this.#max = Math.max(this.#max, max);
  }

  get count(): number {
    return this.#counts.reduce((all, count) => all + count, 0);
  }

  /** The time that `share` (0 to 1) of all stayed under: the end of its bucket, and never more than the longest. */
  quantile(share: number): number {
    const wanted = share * this.count;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i]!;
      if (seen >= wanted && seen > 0) return Math.min(this.#max, LEAST * Math.exp(i * GROWTH));
    }
    return this.#max;
  }

  quantiles(): Quantiles {
    const { count } = this, round = (ms: number) => Math.round(ms * 100) / 100;
    return {
      count,
      mean: round(count === 0 ? 0 : this.#sum / count),
      p50: round(this.quantile(0.5)),
      p90: round(this.quantile(0.9)),
      p99: round(this.quantile(0.99)),
      max: round(this.#max),
    };
  }

  toJSON(): HistogramData {
    return { counts: [...this.#counts], sum: this.#sum, max: this.#max };
  }
}
