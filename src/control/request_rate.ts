/**
 * How often somebody may ask: a bucket for each principal, and one for each network that does not say who it is.
 * Whoever asks more often is told when to come again.
 *
 * @module
 */
import { type Clock, TokenBucket } from "../base/mod.ts";
import { actorOf, type Principal } from "./auth.ts";
import { networkOf } from "./client_address.ts";
import { problem } from "./problem.ts";

/** How often one caller may ask. */
export interface RequestRate {
  /** Requests a minute on average; so many may come at once. */
  readonly perMinute: number;
}

/** Callers remembered; those that asked longest ago are forgotten first, and begin with a full bucket. */
const MAX_CALLERS = 50_000;

/** Counts requests. */
export class RequestRates {
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly rate: RequestRate,
  ) {}

  /**
   * Counts one request of `principal`, or where there is none of the network of `address`.
   *
   * @throws {ProblemError} 429 `rate_limited`, with `Retry-After` and `RateLimit`
   */
  take(principal: Principal | undefined, address: string): void {
    const { perMinute } = this.rate;
    const key = principal ? actorOf(principal) : `network ${networkOf(address)}`;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.clock, perMinute / 60, perMinute);
    // Put in anew, so that the map is in the order of the last requests.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (bucket.take()) return;
    const seconds = Math.max(1, Math.ceil(60 / perMinute));
    throw problem(429, "rate_limited", `more than ${perMinute} requests a minute: ask less often`, {
      retryAfterSeconds: seconds,
      headers: {
        "ratelimit-policy": `"default";q=${perMinute};w=60`,
        "ratelimit": `"default";r=0;t=${seconds}`,
      },
    });
  }
}
