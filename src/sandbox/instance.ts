/**
 * A program that is loaded, and a call on its way to it.
 *
 * @module
 */
import { type Deps, type Log, type Timer, TokenBucket } from "../base/mod.ts";
import type { PluginError } from "./errors.ts";
import { LineBrake } from "./line_brake.ts";
import type { Manifest, ProgramFacts } from "./manifest.ts";
import type { GuestFault, Runner } from "./runner.ts";
import type { HostFunction, PluginAdmission } from "./types.ts";

/** How many seconds' worth of log lines a plug-in may write at once. */
const LOG_BURST_SECONDS = 5;

/** A call on its way. It may be handed from one guest to another while it was not begun. */
export class OpenCall {
  readonly id: number;
  guest: Guest | undefined;
  timer: Timer | undefined;
  retried = false;
  readonly resolve: (text: string) => void;
  readonly reject: (error: PluginError) => void;

  constructor(
    id: number,
    readonly command: string,
    readonly request: string,
    resolve: (text: string) => void,
    reject: (error: PluginError) => void,
    readonly caller?: string | undefined,
  ) {
    this.id = id;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** A loaded plug-in program in its engine. */
export class Guest {
  readonly open = new Set<OpenCall>();
  readonly ended = new AbortController();
  bytes = 0;
  hostCalls = 0;
  readonly logs: LineBrake;
  readonly messages: TokenBucket;
  /** What it did, where it is gone by its own doing. */
  fault: GuestFault | undefined;
  /** Told when its last call finishes. */
  readonly onIdle = new Set<() => void>();

  /** `runner`: where it runs; `admission`: how far it is trusted, where somebody was asked; renewed when that changes. */
  constructor(
    readonly id: number,
    readonly runner: Runner,
    public admission: PluginAdmission | undefined,
    readonly manifest: Manifest,
    readonly facts: ProgramFacts,
    readonly functions: ReadonlyMap<string, HostFunction>,
    readonly log: Log,
    clock: Deps["clock"],
  ) {
    const { logsPerSecond, messagesPerMinute } = manifest.limits;
    this.logs = new LineBrake(clock, logsPerSecond, logsPerSecond * LOG_BURST_SECONDS, (lines) => {
      log.warn(`${lines} log line${lines === 1 ? "" : "s"} came too fast: dropped`);
    });
    this.ended.signal.addEventListener("abort", () => this.logs[Symbol.dispose]());
    this.messages = new TokenBucket(clock, messagesPerMinute / 60, messagesPerMinute);
  }

  /** On whose behalf it acts, where all its open calls agree about that. */
  get caller(): string | undefined {
    let caller: string | undefined;
    for (const call of this.open) {
      if (call.caller === undefined || (caller !== undefined && call.caller !== caller)) return undefined;
      caller = call.caller;
    }
    return caller;
  }

  get tier(): string | undefined {
    return this.admission?.tier;
  }
}
