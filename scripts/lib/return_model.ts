/**
 * What a million gateways do together when their platform comes back. One gateway is a few numbers here; how long it
 * waits is computed by registration's own functions (`waits.ts`), and a test holds this model against the real
 * registration, to the millisecond.
 *
 * @module
 */
import type { Random } from "../../src/base/mod.ts";
import {
  longWithoutNames,
  type RegistrationTiming,
  spreadWait,
  startWait,
  waitBetweenRounds,
} from "../../src/gateway/registration/mod.ts";

/** A gateway that gets no answers. Moments are milliseconds. */
export class Unanswered {
  #sends = 0;
  #failed = 0;

  /** `step`: what it was doing when the answers stopped. */
  constructor(
    private readonly timing: RegistrationTiming,
    private readonly intervalMs: number,
    private readonly random: () => number,
    private step: "heartbeats" | "operations" | "distribution" | "names",
  ) {}

  /** The datagram (or look-up) of the moment `at` was in vain; the moment of the next one. */
  next(at: number): number {
    const { timing, intervalMs } = this;
    const waited = at + timing.answerWaitMs, apart = Math.max(intervalMs, timing.answerWaitMs);
    this.#sends++;
    switch (this.step) {
      case "names":
        return at + timing.dnsRetryMs;
      case "heartbeats":
        if (this.#sends < timing.lostHeartbeats) return at + intervalMs;
        return this.#distribute(at + Math.min(timing.answerWaitMs, intervalMs));
      case "operations":
      case "distribution":
        if (this.#sends < timing.bootTries) return at + apart;
        this.#sends = 0;
        this.#failed++;
        if (this.step === "operations" && this.#failed >= timing.roundsBeforeDistribution) {
          return this.#distribute(waited);
        }
        return waited +
          waitBetweenRounds(timing, intervalMs, {
            failed: this.#failed,
            unanswered: true,
            random: this.random(),
          });
    }
  }

  /** The name was found at the moment `at`: when its first datagram goes out. */
  found(at: number): number {
    const long = longWithoutNames(this.timing, this.intervalMs, this.#sends);
    return long ? at + spreadWait(this.intervalMs, this.random()) : at;
  }

  #distribute(at: number): number {
    this.step = "distribution";
    this.#sends = 0;
    this.#failed = 0;
    return at + spreadWait(this.intervalMs, this.random());
  }
}

/** An outage, for all gateways at once. */
export interface Outage {
  readonly name: string;
  /**
   * - `silence`: both platforms stop answering registered gateways
   * - `power`: the gateways themselves are off, and their power comes back at the same moment
   * - `names`: as `power`, and the name service stays away after that
   */
  readonly kind: "silence" | "power" | "names";
  /** Until everything works again. */
  readonly seconds: number;
  readonly startSpreadSeconds?: number;
  /** Gateways that the platform can take in a second; default: all. */
  readonly capacity?: number;
}

/** How they came back. */
export interface Return {
  /** Gateways taken in, in each second after the outage. */
  readonly perSecond: readonly number[];
  /** Datagrams that wanted to be, in each second. */
  readonly triesPerSecond: readonly number[];
  readonly peak: number;
  /** Over the seconds until 99 % were back. */
  readonly mean: number;
  readonly secondsTo99: number;
}

/** How long a home gateway takes to start, and by how much that differs from one to another. */
const START_SECONDS = 40, START_DIFFERS_SECONDS = 4;

/** Lives through an outage with `count` gateways. */
export function simulateReturn(
  outage: Outage,
  timing: RegistrationTiming,
  count: number,
  { float }: Pick<Random, "float">,
  waits: () => number = float,
): Return {
  const end = outage.seconds * 1000, { heartbeatMs: interval } = timing, { capacity = Infinity } = outage;
  const spread = { ...timing, startSpreadMs: 1000 * (outage.startSpreadSeconds ?? 0) };
  const gateways = Array.from({ length: count }, () => {
    const step = outage.kind === "silence" ? "heartbeats" : outage.kind === "power" ? "operations" : "names";
    return new Unanswered(timing, interval, waits, step);
  });
  const calendar = new Calendar();
  for (let i = 0; i < count; i++) {
    if (outage.kind === "silence") {
      calendar.add(i, float() * interval);
      continue;
    }
    const on = outage.kind === "power" ? end : 0;
    const up = on + 1000 * (START_SECONDS + float() * START_DIFFERS_SECONDS);
    calendar.add(i, up + (outage.kind === "power" ? startWait(spread, true, waits()) : 0));
  }
  const found = new Uint8Array(count), perSecond: number[] = [], tries: number[] = [];
  let back = 0;
  for (let second = 0; back < count; second++) {
    const now = second - outage.seconds;
    for (const { gateway, at } of calendar.take(second)) {
      const one = gateways[gateway]!;
      if (outage.kind === "names" && !found[gateway]) {
        if (at < end) calendar.add(gateway, one.next(at));
        else {
          found[gateway] = 1;
          calendar.add(gateway, one.found(at));
        }
        continue;
      }
      if (at >= end) {
        tries[now] = (tries[now] ?? 0) + 1;
        if ((perSecond[now] ?? 0) < capacity) {
          perSecond[now] = (perSecond[now] ?? 0) + 1;
          back++;
          continue;
        }
      }
      calendar.add(gateway, one.next(at));
    }
  }
  return summary(Array.from(perSecond, (n) => n ?? 0), Array.from(tries, (n) => n ?? 0), count);
}

function summary(perSecond: number[], triesPerSecond: number[], count: number): Return {
  const first = perSecond.findIndex((n) => n > 0);
  let sum = 0, last = first;
  while (sum < 0.99 * count) sum += perSecond[last++]!;
  const peak = perSecond.reduce((most, n) => Math.max(most, n), 0);
  return { perSecond, triesPerSecond, peak, mean: sum / (last - first), secondsTo99: last };
}

/** Events by the second in which they are due. */
class Calendar {
  readonly #seconds = new Map<number, { gateway: number; at: number }[]>();

  add(gateway: number, at: number): void {
    const second = Math.floor(at / 1000), due = this.#seconds.get(second);
    if (due) due.push({ gateway, at });
    else this.#seconds.set(second, [{ gateway, at }]);
  }

  /** What is due in a second, in order; what is added to that second meanwhile comes after it. */
  *take(second: number): Iterable<{ gateway: number; at: number }> {
    const due = this.#seconds.get(second);
    if (!due) return;
    due.sort((a, b) => a.at - b.at);
    for (let i = 0; i < due.length; i++) yield due[i]!;
    this.#seconds.delete(second);
  }
}
