/**
 * How many gateways may come in a second, and when those that came too many are to come again.
 *
 * After an outage a whole province is back at once. Serving them all at once serves none in time: so many a second are
 * let in, and everybody else is answered at once, with an interval (reference §2, §3: `Interval` in an answer replaces
 * the gateway's own). Each interval is a place in a queue that only exists as a moment: nothing is kept of who waits.
 *
 * @module
 */
import { type Clock, type Deps, type Random, TokenBucket } from "../../base/mod.ts";

/** How gateways are let in. */
export interface AdmissionSettings {
  /** Registrations that are begun with a second. */
  readonly perSecond: number;
  /** Seconds that a gateway is put off at least, and at most. */
  readonly shortestSeconds?: number;
  readonly longestSeconds?: number;
}

/**
 * Of the rate, the share that is promised to those that were put off. The rest is for those that come unannounced
 * meanwhile, so that a promise can be kept.
 */
const PROMISED = 0.8;
const SHORTEST_SECONDS = 5;
const LONGEST_SECONDS = 3600;

/** Lets gateways in at a rate. */
export class Admission {
  readonly #bucket: TokenBucket;
  readonly #promised: number;
  readonly #shortestMs: number;
  readonly #longestMs: number;
  /** The moment (monotonic) that was promised last. */
  #last = -Infinity;
  #putOff = 0;

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly random: Pick<Random, "float">,
    { perSecond, shortestSeconds = SHORTEST_SECONDS, longestSeconds = LONGEST_SECONDS }: AdmissionSettings,
  ) {
    this.#bucket = new TokenBucket(clock, perSecond);
    this.#promised = perSecond * PROMISED;
    this.#shortestMs = shortestSeconds * 1000;
    this.#longestMs = Math.max(shortestSeconds, longestSeconds) * 1000;
  }

  /** 0: come in. Otherwise the whole seconds after which to come again; `full` where there is no room in any case. */
  ask(full = false): number {
    if (!full && this.#bucket.take()) return 0;
    this.#putOff++;
    const now = this.clock.monotonic(), earliest = now + this.#shortestMs;
    const place = Math.max(this.#last + 1000 / this.#promised, earliest);
    // More than fit into the longest time: where in it they come is left to chance, and they will be put off again.
    if (place - now > this.#longestMs) {
      const spread = this.#longestMs - this.#shortestMs;
      return Math.ceil((this.#shortestMs + this.random.float() * spread) / 1000);
    }
    this.#last = place;
    return Math.ceil((place - now) / 1000);
  }

  /** How many were put off so far. */
  get putOff(): number {
    return this.#putOff;
  }

  /** Seconds until the last promise is due: how long the queue is. */
  get queueSeconds(): number {
    return Math.max(0, (this.#last - this.clock.monotonic()) / 1000);
  }
}

/** The admission of a service, shown in the metrics; undefined where it is to let everybody in. */
export function admissionOf(
  { clock, random, metrics }: Pick<Deps, "clock" | "random" | "metrics">,
  service: string,
  perSecond: number | undefined,
): Admission | undefined {
  if (perSecond === undefined) return undefined;
  const admission = new Admission(clock, random, { perSecond });
  metrics.gauge(
    "gatehouse_registration_queue_seconds",
    "Seconds until the last gateway that was put off is to come again",
    () => admission.queueSeconds,
    { service },
  );
  metrics.gauge(
    "gatehouse_registrations_put_off",
    "Registrations that were put off since the start",
    () => admission.putOff,
    { service },
  );
  return admission;
}
