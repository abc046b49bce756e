/**
 * What every part that can be started has in common, and what it is given to work with.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Random } from "./random.ts";

/** What the floors are handed from above: no globals, no singletons. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How a service is: `degraded` still serves, but something it leans on is away (`detail` says what). */
export interface Health {
  readonly status: "up" | "degraded" | "down";
  readonly detail?: string;
}

/** A running part of the house. Disposing of it stops it cleanly: what it answered is kept, its sockets are closed. */
export interface Service extends AsyncDisposable {
  readonly name: string;
  /** Where it listens, for people: `["udp 0.0.0.0:12113"]`. */
  readonly addresses: readonly string[];
  health(): Health;
}
