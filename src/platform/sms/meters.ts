/**
 * What passes through the gateway, as metrics, and by minute and hour for whoever looks at it now.
 *
 * @module
 */
import type { Clock, Counter, Histogram, Metrics } from "../../base/mod.ts";

/** Values of one label at most: a centre or a gateway may make up as many as it likes. */
const MOST_VALUES = 50;
/** The largest Result that the standard has a meaning for; a provider's others are counted as one. */
const LARGEST_RESULT = 13;
/** Times from SUBMIT to a message's end, in seconds: a centre takes moments, a phone that is off takes days. */
const END_BUCKETS = [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400, 172_800, 259_200];

/** What a span counts. */
export interface Passed {
  /** Messages taken from providers, each number counted. */
  readonly submitted: number;
  /** Messages that ended delivered, and otherwise. */
  readonly delivered: number;
  readonly failed: number;
  /** Messages from phones that providers took. */
  readonly mo: number;
}

const SPANS = {
  minute: { ms: 60_000, kept: 120 },
  hour: { ms: 3_600_000, kept: 48 },
} as const;
/** What is counted by. */
export type Span = keyof typeof SPANS;

/** What waits for a provider. */
export interface QueueSize {
  readonly sp_id: string;
  readonly kind: string;
  readonly count: number;
}

/** Counts. Everything here is in memory: it begins anew with the program. */
export class Meters {
  readonly #delivers = new Map<string, Counter>();
  readonly #ends = new Map<string, Counter>();
  readonly #answer: Histogram;
  readonly #end: Histogram;
  readonly #spans: Readonly<Record<Span, Spans>>;
  #queues: readonly QueueSize[] = [];

  constructor(private readonly deps: { readonly clock: Clock; readonly metrics: Metrics }) {
    const { clock, metrics } = deps;
    this.#answer = metrics.histogram("gatehouse_sms_submit_seconds", "From SUBMIT to SUBMIT_RESP");
    this.#end = metrics.histogram(
      "gatehouse_sms_end_seconds",
      "From SUBMIT to how the message ended",
      {},
      END_BUCKETS,
    );
    metrics.collect(
      "gatehouse_sms_provider_queue",
      "Reports (kind report) and messages from phones (mo) that wait for a provider; the longest queues, the rest as other",
      "gauge",
      () => longest(this.#queues).map(({ sp_id, kind, count }) => [{ sp_id, kind }, count] as const),
    );
    this.#spans = { minute: new Spans(clock, SPANS.minute), hour: new Spans(clock, SPANS.hour) };
  }

  /** A SUBMIT that came at `began` (monotonic) is answered. */
  answered(began: number): void {
    this.#answer.observe((this.deps.clock.monotonic() - began) / 1000);
  }

  /** So many messages of a provider were taken. */
  accepted(messages: number): void {
    this.#count("submitted", messages);
  }

  /** A message that came at `submittedAt` has ended. */
  ended(stat: string, delivered: boolean, submittedAt: number): void {
    this.#end.observe(Math.max(0, this.deps.clock.now() - submittedAt) / 1000);
    this.#countEnd(stat);
    this.#count(delivered ? "delivered" : "failed", 1);
  }

  /** A provider answered a DELIVER. */
  taken(kind: "report" | "mo", result: number): void {
    const shown = result <= LARGEST_RESULT ? String(result) : "other", key = `${kind} ${shown}`;
    let counter = this.#delivers.get(key);
    if (!counter) {
      counter = this.deps.metrics.counter(
        "gatehouse_sms_delivers_total",
        "DELIVERs that providers answered, by what they carried and the Result",
        { kind, result: shown },
      );
      this.#delivers.set(key, counter);
    }
    counter.inc();
    if (kind === "mo" && result === 0) this.#count("mo", 1);
  }

  /** What waits for providers, as it was last looked at; gives it back. */
  queues<Size extends QueueSize>(sizes: Size[]): Size[] {
    this.#queues = sizes;
    return sizes;
  }

  /** What passed in each of the last spans, the oldest first; the last one is not over yet. */
  series(by: Span): { readonly at: number; readonly passed: Passed }[] {
    return this.#spans[by].list();
  }

  #count(name: keyof Passed, by: number): void {
    this.#spans.minute.count(name, by);
    this.#spans.hour.count(name, by);
  }

  #countEnd(stat: string): void {
    let counter = this.#ends.get(stat);
    if (!counter) {
      const room = this.#ends.size < MOST_VALUES;
      counter = this.deps.metrics.counter("gatehouse_sms_ended_total", "Messages by how they ended", {
        stat: room ? stat : "other",
      });
      // What is beyond them is not remembered, or it would cost memory in place of series.
      if (room) this.#ends.set(stat, counter);
    }
    counter.inc();
  }
}

/** The last spans of one length. */
class Spans {
  readonly #passed: { at: number; passed: { -readonly [Name in keyof Passed]: number } }[] = [];

  constructor(private readonly clock: Clock, private readonly span: { ms: number; kept: number }) {}

  count(name: keyof Passed, by: number): void {
    this.#now()[name] += by;
  }

  list(): { readonly at: number; readonly passed: Passed }[] {
    this.#now();
    const last = this.#passed.at(-1)!.at, known = new Map(this.#passed.map(({ at, passed }) => [at, passed]));
    return Array.from({ length: this.span.kept }, (_, i) => {
      const at = last - (this.span.kept - 1 - i) * this.span.ms;
      return { at, passed: { ...known.get(at) ?? none() } };
    });
  }

  #now() {
    const at = Math.floor(this.clock.now() / this.span.ms) * this.span.ms, last = this.#passed.at(-1);
    // A clock that goes back counts on where it was.
    if (last && last.at >= at) return last.passed;
    const passed = none();
    this.#passed.push({ at, passed });
    if (this.#passed.length > this.span.kept) this.#passed.shift();
    return passed;
  }
}

function none() {
  return { submitted: 0, delivered: 0, failed: 0, mo: 0 };
}

/** The longest queues by themselves, and the rest of each kind as one. */
function longest(queues: readonly QueueSize[]): QueueSize[] {
  const ordered = [...queues].sort((a, b) => b.count - a.count), rest = new Map<string, number>();
  for (const { kind, count } of ordered.slice(MOST_VALUES)) rest.set(kind, (rest.get(kind) ?? 0) + count);
  return [
    ...ordered.slice(0, MOST_VALUES),
    ...[...rest].map(([kind, count]) => ({ sp_id: "other", kind, count })),
  ];
}
