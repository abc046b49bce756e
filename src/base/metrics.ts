/**
 * Counters, gauges and histograms in Prometheus' text format (exposition format 0.0.4).
 *
 * Our own because a gateway has little memory: the usual client library costs 19 MB and 50 ms at start.
 *
 * @module
 */

/** Label names and values of one series. */
export type Labels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface Counter {
  inc(by?: number): void;
  readonly value: number;
}

/** A distribution of observed values, in seconds or bytes as its name says. */
export interface Histogram {
  observe(value: number): void;
}

/** A distribution as it is at the moment. */
export interface Distribution {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** Observed values per bucket; one more than bounds, the last is for what is beyond them. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
  readonly count: number;
}

/** Buckets that suit a latency in seconds, from a tenth of a millisecond to ten seconds. */
export const LATENCY_BUCKETS: readonly number[] = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
];

interface Family {
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly series: Map<string, () => string>;
  readonly handles: Map<string, unknown>;
}

/**
 * A set of metrics. Asking again for the same name and labels gives the same counter or histogram.
 *
 * @example
 * ```ts
 * import { Metrics } from "./mod.ts";
 * const metrics = new Metrics();
 * metrics.counter("gatehouse_heartbeats_total", "Heartbeats answered").inc();
 * if (!metrics.render().includes("gatehouse_heartbeats_total 1")) throw new Error("not counted");
 * ```
 */
export class Metrics {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#handle(name, help, "counter", labels, (write) => {
      const counter = { value: 0, inc: (by = 1) => void (counter.value += by) };
      write(() => sample(name, labels, counter.value));
      return counter;
    });
  }

  /** Registers a gauge whose value is read when the metrics are. Registering it again replaces the reader. */
  gauge(name: string, help: string, read: () => number, labels: Labels = {}): void {
    this.#family(name, help, "gauge").series.set(key(labels), () => sample(name, labels, read()));
  }

  histogram(
    name: string,
    help: string,
    labels: Labels = {},
    buckets: readonly number[] = LATENCY_BUCKETS,
  ): Histogram {
    return this.#handle(name, help, "histogram", labels, (write) => {
      const counts = new Float64Array(buckets.length);
      let sum = 0, count = 0;
      write(() => histogramSamples(name, labels, { bounds: buckets, counts, sum, count }));
      return {
        observe(value: number) {
          sum += value;
          count++;
          for (let i = 0; i < buckets.length; i++) {
            if (value <= buckets[i]!) return void counts[i]!++;
          }
        },
      };
    });
  }

  /**
   * Registers a family whose series are only known when the metrics are read: whoever calls bounds their number.
   * Registering it again replaces the reader.
   */
  collect(
    name: string,
    help: string,
    type: "counter" | "gauge",
    read: () => Iterable<readonly [Labels, number]>,
  ): void {
    this.#family(name, help, type).series.set("", () => {
      let text = "";
      for (const [labels, value] of read()) text += sample(name, labels, value);
      return text;
    });
  }

  /** As {@linkcode Metrics.collect}, for histograms. */
  collectHistograms(
    name: string,
    help: string,
    read: () => Iterable<readonly [Labels, Distribution]>,
  ): void {
    this.#family(name, help, "histogram").series.set("", () => {
      let text = "";
      for (const [labels, distribution] of read()) text += histogramSamples(name, labels, distribution);
      return text;
    });
  }

  /** The sum of a family's counters over all labels; 0 where there is none of that name. */
  total(name: string): number {
    let sum = 0;
    for (const handle of this.#families.get(name)?.handles.values() ?? []) {
      if (typeof handle === "object" && handle !== null && "value" in handle) sum += Number(handle.value);
    }
    return sum;
  }

  /** Everything as text for `GET /metrics`. */
  render(): string {
    let text = "";
    for (const [name, { help, type, series }] of this.#families) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
      for (const render of series.values()) text += render();
    }
    return text;
  }

  #family(name: string, help: string, type: Family["type"]): Family {
    let family = this.#families.get(name);
    if (!family) this.#families.set(name, family = { help, type, series: new Map(), handles: new Map() });
    if (family.type !== type) throw new TypeError(`metric "${name}" is a ${family.type}, not a ${type}`);
    return family;
  }

  #handle<T>(
    name: string,
    help: string,
    type: Family["type"],
    labels: Labels,
    make: (write: (render: () => string) => void) => T,
  ): T {
    const family = this.#family(name, help, type), id = key(labels);
    const known = family.handles.get(id);
    if (known) return known as T;
    const made = make((render) => family.series.set(id, render));
    family.handles.set(id, made);
    return made;
  }
}

function key(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort());
}

function histogramSamples(
  name: string,
  labels: Labels,
  { bounds, counts, sum, count }: Distribution,
): string {
  let lines = "", total = 0;
  bounds.forEach((bound, i) => {
    total += counts[i]!;
    lines += sample(`${name}_bucket`, { ...labels, le: String(bound) }, total);
  });
  return lines + sample(`${name}_bucket`, { ...labels, le: "+Inf" }, count) +
    sample(`${name}_sum`, labels, sum) + sample(`${name}_count`, labels, count);
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([k, v]) =>
    `${k}="${v.replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : "\\" + c)}"`
  );
  return `${name}${pairs.length ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}
