/**
 * Brings what is in the spool to the platform: in order, each message until it is answered.
 *
 * @module
 */
import {
  type Clock,
  formatHostPort,
  GatehouseError,
  type HostPort,
  type Log,
  messageOf,
  type Random,
  sleep,
} from "../../base/mod.ts";
import type { Network } from "../../net/mod.ts";
import { PushConnection } from "./connection.ts";
import type { Spool, SpoolEntry } from "./spool.ts";
import type { SpoolRecord } from "./spool_record.ts";
import type { PushTiming } from "./timing.ts";

/** Answers of the platform (reference §1, §5): it has the message; it is busy; time ran out on its side. */
const KEPT = 0, BUSY = -5, TIMED_OUT = -4;
/** How often a message is refused before it is given up: a platform that does not know the gateway refuses them all. */
const REFUSALS = 3;

/** What a sender works with. */
export interface SenderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly network: Network;
  readonly timing: PushTiming;
  readonly spool: Spool;
  readonly delivered: () => void;
  /** Told of a message that the platform will not have; resolves when that is written down. */
  readonly refused: (record: SpoolRecord, result: number) => Promise<void>;
  /** Told of a message that the disk lost. */
  readonly lost: (entry: SpoolEntry) => void;
}

/** How sending goes. */
export interface SenderStatus {
  /** `waiting`: for a registration that names a message server; `pausing`: after a failure. */
  readonly state: "idle" | "waiting" | "sending" | "pausing";
  readonly messageServer?: HostPort;
  /** Failures in a row. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly nextTryAt?: number;
  readonly lastError?: string;
  readonly lastErrorAt?: number;
  readonly lastDeliveredAt?: number;
}

/** Sends while there is something to send and somewhere to send it. */
export class Sender implements AsyncDisposable {
  readonly #stop = new AbortController();
  #wake = Promise.withResolvers<void>();
  /** Ends a pause. */
  #hurry = new AbortController();
  #target: HostPort | undefined;
  #connection: PushConnection | undefined;
  #connectedTo: string | undefined;
  #status: SenderStatus = { state: "waiting", failures: 0 };
  #refusals = { seq: 0, count: 0 };
  readonly #life: Promise<void>;

  constructor(private readonly options: SenderOptions) {
    this.#life = this.#live();
  }

  get status(): SenderStatus {
    return this.#status;
  }

  /** The message server, as registration names it; undefined: there is none. Also ends a pause. */
  target(to: HostPort | undefined): void {
    this.#target = to;
    this.#note({ messageServer: to });
    this.#hurry.abort();
    this.wake();
  }

  /** Something was added. */
  wake(): void {
    this.#wake.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#connection?.[Symbol.dispose]();
    this.wake();
    await this.#life;
  }

  async #live(): Promise<void> {
    const { spool, log } = this.options, { signal } = this.#stop;
    while (!signal.aborted) {
      const entry = spool.head, to = this.#target;
      if (!entry || !to) {
        this.#note({ state: entry ? "waiting" : "idle" });
        await this.#rest();
        continue;
      }
      try {
        await this.#send(entry, to);
      } catch (error) {
        this.#hangUp();
        if (signal.aborted) break;
        log.warn("a message can't be pushed now, trying again later", { reason: messageOf(error) });
        await this.#pause(error);
      }
    }
    this.#hangUp();
  }

  async #send(entry: SpoolEntry, to: HostPort): Promise<void> {
    const { spool, clock } = this.options;
    const record = await spool.read(entry);
    if (!record) {
      this.options.lost(entry);
      return spool.shift();
    }
    this.#note({ state: "sending" });
    const { plugin: pluginName, seq: _, ...rest } = record;
    const connection = await this.#connect(to);
    const result = await connection.ask({ method: "MessagePush", pluginName, ...rest });
    if (result === KEPT) {
      spool.shift();
      this.options.delivered();
      return this.#note({ failures: 0, lastDeliveredAt: clock.now() });
    }
    if (result === BUSY || result === TIMED_OUT) {
      throw new GatehouseError("busy", `the platform is busy (${result})`);
    }
    const count = this.#refusals.seq === record.seq ? this.#refusals.count + 1 : 1;
    this.#refusals = { seq: record.seq, count };
    if (count < REFUSALS) throw new GatehouseError("refused", `the platform refused the message (${result})`);
    await this.options.refused(record, result);
    this.#note({
      failures: 0,
      lastError: `the platform refused a message ${count} times (${result}): given up`,
      lastErrorAt: clock.now(),
    });
    spool.shift();
  }

  async #connect(to: HostPort): Promise<PushConnection> {
    const at = formatHostPort(to);
    if (this.#connection?.open && this.#connectedTo === at) return this.#connection;
    this.#hangUp();
    this.#connection = await PushConnection.open(to, { ...this.options, signal: this.#stop.signal });
    this.#connectedTo = at;
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
    return this.#connection;
  }

  #hangUp(): void {
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }

  /** Until there is something to do; what is not used for long is closed. */
  async #rest(): Promise<void> {
    const wake = this.#wake = Promise.withResolvers<void>();
    const { spool, clock, timing } = this.options;
    if ((spool.head && this.#target) || this.#stop.signal.aborted) return;
    const timer = this.#connection && clock.setTimer(() => this.#hangUp(), timing.idleMs);
    await wake.promise;
    timer?.cancel();
  }

  async #pause(error: unknown): Promise<void> {
    const { clock, random, timing } = this.options;
    const failures = this.#status.failures + 1;
    const busy = error instanceof GatehouseError && error.code === "busy";
    const first = busy ? timing.busyPauseMs : timing.firstPauseMs;
    const longest = Math.min(timing.longestPauseMs, first * 2 ** Math.min(failures - 1, 20));
    const ms = longest * (0.5 + random.float() / 2);
    this.#hurry = new AbortController();
    this.#note({
      state: "pausing",
      failures,
      nextTryAt: clock.now() + Math.round(ms),
      lastError: messageOf(error),
      lastErrorAt: clock.now(),
    });
    const { signal } = this.#hurry, stop = this.#stop.signal;
    await sleep(clock, ms, AbortSignal.any([signal, stop])).catch(async () => {
      // Everybody's platform came back at this moment.
      if (!stop.aborted) await sleep(clock, random.float() * timing.spreadMs, stop).catch(() => {});
    });
    this.#note({ nextTryAt: undefined });
  }

  #note(change: { [K in keyof SenderStatus]?: SenderStatus[K] | undefined }): void {
    const next: Record<string, unknown> = { ...this.#status, ...change };
    for (const name in next) if (next[name] === undefined) delete next[name];
    this.#status = next as unknown as SenderStatus;
  }
}
