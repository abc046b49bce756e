/**
 * What is known of the plug-ins in figures and lines: calls, errors by kind, latencies, the last lines of each log.
 * Kept by name, so that an upgrade goes on where the version before it stopped.
 *
 * @module
 */
import { type Clock, type Labels, LATENCY_BUCKETS, type Log, type Metrics } from "../base/mod.ts";
import type { PluginErrorCode } from "./errors.ts";
import { keepingLog, LogLines } from "./log_lines.ts";
import type { PluginState, PluginStatus } from "./types.ts";

/** How long calls took, from their arrival to their answer. */
export interface Latency {
  readonly count: number;
  /** All of them together, in milliseconds. */
  readonly sumMs: number;
  readonly maxMs: number;
  /** So long at most took half of them, and 99 of 100: read off the buckets, so no better than these. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How many took no longer than `leMs` and longer than the bound before it; the last bound is null: any time. */
  readonly buckets: readonly { readonly leMs: number | null; readonly count: number }[];
}

/** Figures of one plug-in. Calls that were turned away before they began have no latency. */
export interface Figures {
  readonly errorsByKind: Readonly<Partial<Record<PluginErrorCode, number>>>;
  readonly latency: Latency;
  /** Lines of its log that are kept. */
  readonly logLines: number;
}

const BOUNDS_MS: readonly number[] = LATENCY_BUCKETS.map((seconds) => seconds * 1000);

/** The books about one plug-in. */
export class PluginBook {
  readonly lines: LogLines;
  readonly #results = new Map<"ok" | PluginErrorCode, number>();
  readonly #buckets = new Float64Array(BOUNDS_MS.length + 1);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  constructor(clock: Pick<Clock, "now">, nextSeq: () => number) {
    this.lines = new LogLines(clock, nextSeq);
  }

  /** Books the end of a call; `ms`: how long it took, where it was begun at all. */
  count(result: "ok" | PluginErrorCode, ms?: number): void {
    this.#results.set(result, (this.#results.get(result) ?? 0) + 1);
    if (ms === undefined) return;
    this.#count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
    let at = 0;
    while (at < BOUNDS_MS.length && ms > BOUNDS_MS[at]!) at++;
    this.#buckets[at]!++;
  }

  /** Calls by result, `ok` among them. */
  get results(): ReadonlyMap<"ok" | PluginErrorCode, number> {
    return this.#results;
  }

  figures(): Figures {
    const errors = Object.fromEntries([...this.#results].filter(([result]) => result !== "ok"));
    return {
      errorsByKind: errors,
      latency: {
        count: this.#count,
        sumMs: rounded(this.#sumMs),
        maxMs: rounded(this.#maxMs),
        p50Ms: this.#quantile(0.5),
        p99Ms: this.#quantile(0.99),
        buckets: [...this.#buckets].map((count, i) => ({ leMs: BOUNDS_MS[i] ?? null, count })),
      },
      logLines: this.lines.size,
    };
  }

  /** The distribution as {@linkcode Metrics} takes it, in seconds. */
  distribution() {
    return {
      bounds: LATENCY_BUCKETS,
      counts: this.#buckets,
      sum: this.#sumMs / 1000,
      count: this.#count,
    };
  }

  /** Within its bucket the calls are taken as evenly spread; no more than the longest. */
  #quantile(share: number): number {
    if (this.#count === 0) return 0;
    let before = 0;
    for (let i = 0; i <= BOUNDS_MS.length; i++) {
      const inside = this.#buckets[i]!;
      if (inside > 0 && before + inside >= share * this.#count) {
        const low = i === 0 ? 0 : BOUNDS_MS[i - 1]!, high = Math.min(BOUNDS_MS[i] ?? Infinity, this.#maxMs);
        return rounded(low + Math.max(0, high - low) * (share * this.#count - before) / inside);
      }
      before += inside;
    }
    return rounded(this.#maxMs);
  }
}

/** The books about all plug-ins. There are never more than `most` and those that `inUse` says are needed. */
export class Books {
  readonly #books = new Map<string, PluginBook>();
  #seq = 0;

  constructor(
    private readonly clock: Pick<Clock, "now">,
    private readonly most: number,
    private readonly inUse: (name: string) => boolean,
  ) {}

  /** The book of a plug-in; an empty one where there was none. */
  of(name: string): PluginBook {
    let book = this.#books.get(name);
    if (!book) {
      for (const other of this.#books.keys()) {
        if (this.#books.size < this.most) break;
        if (!this.inUse(other)) this.#books.delete(other);
      }
      this.#books.set(name, book = new PluginBook(this.clock, () => ++this.#seq));
    }
    return book;
  }

  /** A log that also writes into the book. */
  logOf(name: string, log: Log): Log {
    return keepingLog(log, () => this.of(name).lines);
  }

  forget(name: string): void {
    this.#books.delete(name);
  }
}

const STATES: readonly PluginState[] = [
  "installed",
  "loading",
  "running",
  "stopping",
  "stopped",
  "errored",
  "broken",
];

/**
 * Has the figures of those plug-ins that there are at the time shown among the metrics: no series stays of one that
 * was removed, so there are no more than the greatest number of plug-ins allows.
 */
export function showFigures(metrics: Metrics, books: Books, list: () => readonly PluginStatus[]): void {
  const each = (read: (status: PluginStatus) => Iterable<readonly [Labels, number]>) => () =>
    list().flatMap((status) => [...read(status)]);
  const simple = (
    name: string,
    help: string,
    type: "counter" | "gauge",
    read: (status: PluginStatus) => number | undefined,
  ) =>
    metrics.collect(
      name,
      help,
      type,
      each((status) => {
        const value = read(status);
        return value === undefined ? [] : [[{ plugin: status.name }, value]];
      }),
    );
  metrics.collect(
    "gatehouse_plugin_calls_total",
    "Calls of plug-ins, by result",
    "counter",
    each(({ name }) =>
      [...books.of(name).results].map(([result, count]) => [{ plugin: name, result }, count] as const)
    ),
  );
  metrics.collect(
    "gatehouse_plugin_state",
    "1 for the state that a plug-in is in",
    "gauge",
    each(({ name, state }) =>
      STATES.map((one) => [{ plugin: name, state: one }, one === state ? 1 : 0] as const)
    ),
  );
  simple("gatehouse_plugin_restarts_total", "Starts after a failure", "counter", (status) => status.restarts);
  simple("gatehouse_plugin_calls_in_flight", "Calls that wait for an answer", "gauge", (status) => {
    return status.inFlight;
  });
  simple("gatehouse_plugin_memory_bytes", "Bytes in use inside a plug-in, as last measured", "gauge", (s) => {
    return s.memoryBytes;
  });
  metrics.collectHistograms(
    "gatehouse_plugin_call_seconds",
    "Time from the arrival of a call to its answer",
    () => list().map(({ name }) => [{ plugin: name }, books.of(name).distribution()] as const),
  );
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
