/**
 * What the parts of registration share: their tools, the interval, and the status that people see.
 *
 * @module
 */
import {
  type Clock,
  formatHostPort,
  type HostPort,
  type Log,
  messageOf,
  type Random,
  sleep,
} from "../../base/mod.ts";
import type { Network } from "../../net/mod.ts";
import type { Identity } from "../identity.ts";
import type { StateStore } from "../state/mod.ts";
import type { Link } from "./link.ts";
import type { RegistrationTiming } from "./timing.ts";

/**
 * Where registration stands: looking a name up, talking to distribution, talking to the operations platform,
 * registered, pausing before the next try, silent after a refusal, or stopped.
 */
export type RegistrationState =
  | "resolving"
  | "distribution"
  | "registering"
  | "registered"
  | "waiting"
  | "silent"
  | "stopped";

/** Registration for people; times are milliseconds since 1970. */
export interface RegistrationStatus {
  readonly state: RegistrationState;
  readonly since: number;
  readonly intervalSeconds: number;
  readonly operations?: HostPort;
  readonly messageServer?: HostPort;
  readonly lastResult?: number;
  readonly lastAnswerAt?: number;
  readonly nextTryAt?: number;
}

/** What a registration works with. */
export interface RegistrationDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly network: Network;
  readonly identity: Identity;
  readonly state: StateStore;
  readonly timing: RegistrationTiming;
  /** The gateway's own address as seen on the way to `towards` (an IP address). */
  readonly ipAddr: (towards: string) => string;
}

/** The tools, and what is noted on the way. */
export class RegistrationContext {
  state: RegistrationState = "resolving";
  messageServer: HostPort | undefined;
  #partner: string | undefined;
  #lateChallenge: string | undefined;
  #since: number;
  #intervalMs: number;
  #last: { result: number; at: number } | undefined;
  #nextTryAt: number | undefined;

  constructor(readonly deps: RegistrationDeps, readonly link: Link) {
    this.#since = deps.clock.now();
    const known = deps.state.get().intervalSeconds;
    this.#intervalMs = known === undefined ? deps.timing.heartbeatMs : this.#bounded(known);
  }

  /** Milliseconds between heartbeats, and between resends. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  get status(): RegistrationStatus {
    const { operations } = this.deps.state.get();
    return {
      state: this.state,
      since: this.#since,
      intervalSeconds: this.#intervalMs / 1000,
      ...(operations && { operations }),
      ...(this.messageServer && { messageServer: this.messageServer }),
      ...(this.#last && { lastResult: this.#last.result, lastAnswerAt: this.#last.at }),
      ...(this.#nextTryAt === undefined ? {} : { nextTryAt: this.#nextTryAt }),
    };
  }

  enter(state: RegistrationState): void {
    if (state === this.state) return;
    this.deps.log.debug("registration", { from: this.state, to: state });
    this.state = state;
    this.#since = this.deps.clock.now();
  }

  /** Takes note of an answer, and takes its interval at once. */
  answered(reply: { readonly result: number; readonly interval?: number }): void {
    this.#last = { result: reply.result, at: this.deps.clock.now() };
    if (reply.interval === undefined || reply.interval === 0) return;
    const ms = this.#bounded(reply.interval);
    if (ms === this.#intervalMs) return;
    this.#intervalMs = ms;
    this.#keep({ intervalSeconds: ms / 1000 });
  }

  /** Begins a conversation with a platform: challenges of an earlier one are void. */
  converse(to: HostPort): void {
    this.#partner = formatHostPort(to);
    this.#lateChallenge = undefined;
  }

  /** A challenge that came between two questions, as the answer to a Boot that arrived twice. False: from elsewhere. */
  lateChallenge(challenge: string, from: HostPort): boolean {
    if (this.#partner !== formatHostPort(from)) return false;
    this.#lateChallenge = challenge;
    return true;
  }

  /** The last challenge that the platform made: the one it will check. */
  latestOf(challenge: string | undefined): string | undefined {
    return this.#lateChallenge ?? challenge;
  }

  /** Forgets what platforms taught it. */
  async restoreDefaults(): Promise<void> {
    this.#intervalMs = this.deps.timing.heartbeatMs;
    this.messageServer = undefined;
    await this.deps.state.update({ operations: undefined, intervalSeconds: undefined });
  }

  /** Waits, and says until when. */
  async wait(state: "waiting" | "silent", ms: number, signal: AbortSignal): Promise<void> {
    this.enter(state);
    this.#nextTryAt = this.deps.clock.now() + ms;
    try {
      await sleep(this.deps.clock, ms, signal);
    } finally {
      this.#nextTryAt = undefined;
    }
  }

  /** The IP address of a host, however long it takes to find one. */
  async resolve(host: string, signal: AbortSignal): Promise<string> {
    for (;;) {
      try {
        const address = await this.deps.network.lookup(host);
        signal.throwIfAborted();
        return address;
      } catch (error) {
        signal.throwIfAborted();
        this.deps.log.warn("host name not found, trying again", { host, reason: messageOf(error) });
      }
      this.enter("resolving");
      await sleep(this.deps.clock, this.deps.timing.dnsRetryMs, signal);
    }
  }

  #bounded(seconds: number): number {
    const { shortestIntervalMs, longestIntervalMs } = this.deps.timing;
    return Math.min(Math.max(seconds * 1000, shortestIntervalMs), longestIntervalMs);
  }

  #keep(change: { intervalSeconds: number }): void {
    this.deps.state.update(change).catch((error) => {
      this.deps.log.error("the state could not be kept", { reason: messageOf(error) });
    });
  }
}
