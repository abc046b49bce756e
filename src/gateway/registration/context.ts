/**
 * What the parts of registration share: their tools, the interval, and what is noted on the way.
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
import type { LastQuestion } from "./end_log.ts";
import type { Link } from "./link.ts";
import type {
  LastAnswer,
  NextTryReason,
  QuestionMethod,
  RegistrationCounts,
  RegistrationState,
  RegistrationStatus,
} from "./status.ts";
import type { RegistrationTiming } from "./timing.ts";
import { longWithoutNames, spreadWait } from "./waits.ts";

/** What a registration works with. */
export interface RegistrationDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly network: Network;
  readonly identity: Identity;
  readonly state: StateStore;
  readonly timing: RegistrationTiming;
  /** Milliseconds between heartbeats until a platform names another interval; absent: as `timing` says. */
  readonly heartbeatMs?: () => number;
  /** The gateway's own address as seen on the way to `towards` (an IP address). */
  readonly ipAddr: (towards: string) => string;
  /** Told of every change of state. */
  readonly onState?: (state: RegistrationState, before: RegistrationState) => void;
  /** Told when the own address on the way to the platform is another. */
  readonly onAddress?: (address: string) => void;
  /** Told when a platform orders a new device's defaults (result 3); what it restores is awaited. */
  readonly onDefaults?: () => Promise<void>;
}

/** What ended a wait in which the address and the clock were watched. */
export type WatchedEnd = "due" | "moved" | "gap";

/** The tools, and what is noted on the way. Moments are kept by the clock that never jumps. */
export class RegistrationContext {
  state: RegistrationState = "resolving";
  messageServer: HostPort | undefined;
  readonly counts: { -readonly [Count in keyof RegistrationCounts]: number } = {
    registrations: 0,
    heartbeats: 0,
    heartbeatsUnanswered: 0,
    distributionRounds: 0,
    operationsRounds: 0,
    failedRounds: 0,
    addressChanges: 0,
    clockGaps: 0,
  };
  #partner: HostPort | undefined;
  #lateChallenge: string | undefined;
  #asked: LastQuestion | undefined;
  #since: number;
  #intervalMs: number;
  /** Aborted when the interval was set here: whoever sleeps for one looks again. */
  #changed = new AbortController();
  readonly #answers = new Map<QuestionMethod, LastAnswer>();
  #next: { readonly at: number; readonly why: NextTryReason } | undefined;

  constructor(readonly deps: RegistrationDeps, readonly link: Link) {
    this.#since = deps.clock.monotonic();
    const known = deps.state.get().intervalSeconds;
    this.#intervalMs = known === undefined ? this.#usualMs() : this.#bounded(known);
  }

  /** Milliseconds between heartbeats, and between resends. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  get status(): RegistrationStatus {
    const { clock, state } = this.deps, { operations } = state.get();
    const wall = (moment: number) => Math.round(clock.now() + moment - clock.monotonic());
    const answers = [...this.#answers.values()].reverse().map((each) => ({ ...each, at: wall(each.at) }));
    return {
      state: this.state,
      since: wall(this.#since),
      intervalSeconds: this.#intervalMs / 1000,
      ...(operations && { operations }),
      ...(this.messageServer && { messageServer: this.messageServer }),
      ...(answers[0] && { lastResult: answers[0].result, lastAnswerAt: answers[0].at }),
      answers,
      ...(this.#next && { nextTryAt: wall(this.#next.at), nextTry: this.#next.why }),
      counts: { ...this.counts },
    };
  }

  enter(state: RegistrationState): void {
    if (state === this.state) return;
    const before = this.state;
    this.deps.log.debug("registration", { from: before, to: state });
    this.state = state;
    this.#since = this.deps.clock.monotonic();
    this.#next = undefined;
    this.deps.onState?.(state, before);
  }

  /** Says what comes next, and in how many milliseconds. */
  expect(why: NextTryReason, ms: number): void {
    this.#next = { at: this.deps.clock.monotonic() + ms, why };
  }

  /** What was asked last, and the result that came. */
  get asked(): LastQuestion | undefined {
    return this.#asked;
  }

  /** Takes note of a question that goes out. */
  asks(question: QuestionMethod): void {
    this.#asked = { question };
  }

  /** Takes note of an answer, and takes its interval at once. */
  answered(
    method: QuestionMethod,
    from: HostPort,
    reply: { readonly result: number; readonly interval?: number },
  ): void {
    this.#asked = { question: method, result: reply.result };
    this.#answers.delete(method); // the youngest is the last
    this.#answers.set(method, { method, result: reply.result, from, at: this.deps.clock.monotonic() });
    if (reply.interval === undefined || reply.interval === 0) return;
    const ms = this.#bounded(reply.interval);
    if (ms === this.#intervalMs) return;
    this.#intervalMs = ms;
    void this.keep({ intervalSeconds: ms / 1000 });
  }

  /** Somebody set the interval here: it holds at once, and until a platform names another. */
  async heartbeatEvery(seconds: number): Promise<void> {
    this.#intervalMs = this.#bounded(seconds);
    const changed = this.#changed;
    this.#changed = new AbortController();
    changed.abort();
    await this.deps.state.update({ intervalSeconds: undefined });
  }

  /** Begins a conversation with a platform: challenges of an earlier one are void. */
  converse(to: HostPort): void {
    this.#partner = to;
    this.#lateChallenge = undefined;
  }

  /** A challenge that came between two questions, as the answer to a Boot that arrived twice. False: from elsewhere. */
  lateChallenge(challenge: string, from: HostPort): boolean {
    if (!this.#partner || formatHostPort(this.#partner) !== formatHostPort(from)) return false;
    this.#lateChallenge = challenge;
    return true;
  }

  /** The last challenge that the platform made: the one it will check. */
  latestOf(challenge: string | undefined): string | undefined {
    return this.#lateChallenge ?? challenge;
  }

  /** Forgets what platforms taught it, and has restored what else a new device has no claim to. */
  async restoreDefaults(): Promise<void> {
    this.#intervalMs = this.#usualMs();
    this.messageServer = undefined;
    await this.keep({ operations: undefined, intervalSeconds: undefined });
    await this.deps.onDefaults?.();
  }

  /**
   * Waits, and says until when and why. `waiting` ends early where the own address changes: the way to the platform
   * may be open again. Silence is kept whatever happens.
   */
  async wait(
    state: "waiting" | "silent",
    why: NextTryReason,
    ms: number,
    signal: AbortSignal,
  ): Promise<void> {
    this.enter(state);
    this.expect(why, ms);
    const { clock, log } = this.deps;
    log.info("registration waits", { why, seconds: Math.ceil(ms / 1000) });
    if (state === "silent") return await sleep(clock, ms, signal);
    const partner = this.#partner, end = clock.monotonic() + ms;
    while (await this.watch(end, partner?.host, this.#addressTo(partner?.host), signal) === "gap");
  }

  /**
   * Sleeps until the monotonic moment `until`, which may move meanwhile; ends early with `moved` where the own address on the way to `towards`
   * is no longer `address`, and with `gap` where the wall clock went on by an interval more than the time that was
   * slept: the machine was suspended, or its clock was set.
   */
  async watch(
    until: number | (() => number),
    towards: string | undefined,
    address: string | undefined,
    signal: AbortSignal,
  ): Promise<WatchedEnd> {
    const { clock, timing } = this.deps;
    for (;;) {
      const before = clock.monotonic(), wallBefore = clock.now(), left = momentOf(until) - before;
      if (left <= 0) return "due";
      await this.#nap(Math.min(left, timing.addressCheckMs), signal);
      const current = this.#addressTo(towards);
      if (current !== undefined && current !== address) {
        this.counts.addressChanges++;
        this.deps.log.info("the own address changed", { from: address, to: current });
        this.deps.onAddress?.(current);
        return "moved";
      }
      if (clock.now() - wallBefore - (clock.monotonic() - before) >= this.#intervalMs) {
        this.counts.clockGaps++;
        return "gap";
      }
    }
  }

  /**
   * The IP address of a host. Looks it up `tries` times (for ever if that is undefined); undefined where it was not
   * found. After a long time without names it waits a random part of an interval, as all gateways find theirs now.
   */
  async resolve(host: string, signal: AbortSignal, tries?: number): Promise<string | undefined> {
    const { network, log, clock, timing, random } = this.deps;
    for (let failures = 0;;) {
      let address: string | undefined;
      try {
        address = await network.lookup(host);
        signal.throwIfAborted();
      } catch (error) {
        signal.throwIfAborted();
        log.warn("host name not found, trying again", { host, reason: messageOf(error) });
      }
      if (address !== undefined) {
        if (longWithoutNames(timing, this.#intervalMs, failures)) {
          await this.wait("waiting", "spread", spreadWait(this.#intervalMs, random.float()), signal);
        }
        return address;
      }
      this.enter("resolving");
      this.expect("name", timing.dnsRetryMs);
      await sleep(clock, timing.dnsRetryMs, signal);
      if (++failures === tries) return undefined;
    }
  }

  /** The own address on the way to `towards`; undefined while there is none: that is no address to tell a platform. */
  #addressTo(towards: string | undefined): string | undefined {
    if (towards === undefined) return undefined;
    const address = this.deps.ipAddr(towards);
    return address === "" || address === "0.0.0.0" ? undefined : address;
  }

  /** Sleeps, and not on where the interval is changed. */
  async #nap(ms: number, signal: AbortSignal): Promise<void> {
    const changed = this.#changed.signal;
    try {
      await sleep(this.deps.clock, ms, AbortSignal.any([signal, changed]));
    } catch (error) {
      if (signal.aborted || !changed.aborted) throw error;
    }
  }

  #usualMs(): number {
    return this.deps.heartbeatMs?.() ?? this.deps.timing.heartbeatMs;
  }

  #bounded(seconds: number): number {
    const { shortestIntervalMs, longestIntervalMs } = this.deps.timing;
    return Math.min(Math.max(seconds * 1000, shortestIntervalMs), longestIntervalMs);
  }

  /** Changes the state. It holds also where the disk does not take it: only a restart would find the one before. */
  async keep(change: Parameters<StateStore["update"]>[0]): Promise<void> {
    try {
      await this.deps.state.update(change);
    } catch (error) {
      this.deps.log.error("the state could not be kept", { reason: messageOf(error) });
    }
  }
}

function momentOf(moment: number | (() => number)): number {
  return typeof moment === "number" ? moment : moment();
}
