/**
 * One plug-in as the manager keeps it: where it comes from, what state it is in, what it went through.
 *
 * @module
 */
import type { Timer } from "../base/mod.ts";
import type { Program } from "./engine.ts";
import type { Figures } from "./figures.ts";
import type { Guest, OpenCall } from "./guests.ts";
import type { Manifest, Right } from "./manifest.ts";
import type { PluginState, PluginStatus } from "./types.ts";

/** Failures within an hour that break a plug-in, and the pauses before it is started again after the earlier ones. */
export const FAILURES_TO_BREAK = 3;
const FAILURE_WINDOW_MS = 3_600_000;
const PAUSES_MS = [1_000, 10_000];

/** A plug-in in the manager's books. */
export class Plugin {
  manifest: Manifest | undefined;
  /** The program that runs or is to run: what the folder held when it was last found good. */
  program: Program | undefined;
  fingerprint: string | undefined;
  state: PluginState = "installed";
  error: string | undefined;
  active: Guest | undefined;
  /** Guests of earlier versions that finish their calls, with their programs. */
  readonly draining = new Map<Guest, Program>();
  /** Calls that wait for the plug-in to come back after its host process was lost. */
  readonly waiting = new Set<OpenCall>();
  /** Calls that wait for others to end, in the order that they came. */
  readonly queue = new Set<OpenCall>();
  restarts = 0;
  calls = 0;
  errors = 0;
  removed = false;
  backoff: Timer | undefined;
  /** How far it is trusted, where somebody is asked. */
  tier: string | undefined;
  /** Its name before the last restart, where it was not loaded since. */
  formerName: string | undefined;
  /** It is down because it may not run. */
  untrusted = false;
  /** The name that it could not have because another plug-in has it. */
  wants: string | undefined;
  #failures: number[] = [];

  /** When a version took over from another, by the clock that never jumps. */
  switchedAt: number | undefined;

  /** `entry`: its file or folder in the plug-ins folder. */
  constructor(public entry: string) {}

  get name(): string {
    return this.manifest?.name ?? this.formerName ?? this.entry.replace(/\.(js|ts|ghp)$/, "");
  }

  /** Books a failure: how long to pause before it is started again, or undefined where it is broken now. */
  failed(now: number): number | undefined {
    this.#failures = this.#failures.filter((at) => now - at < FAILURE_WINDOW_MS);
    this.#failures.push(now);
    if (this.#failures.length >= FAILURES_TO_BREAK) return undefined;
    return PAUSES_MS[this.#failures.length - 1] ?? PAUSES_MS.at(-1);
  }

  forgive(): void {
    this.#failures = [];
  }

  get inFlight(): number {
    return this.waiting.size + (this.active?.open.size ?? 0);
  }

  status(
    now: number,
    desired: "running" | "stopped",
    rightOf: (command: string) => Right,
    figures: Figures,
  ): PluginStatus {
    const { manifest } = this;
    return {
      name: this.name,
      version: manifest?.version,
      description: manifest?.description,
      author: manifest?.author,
      state: this.state,
      desired,
      commands: Object.keys(manifest?.commands ?? {}).map((name) => ({ name, right: rightOf(name) })),
      capabilities: manifest?.capabilities ?? [],
      limits: manifest?.limits,
      tier: this.tier,
      error: this.error,
      restarts: this.restarts,
      failures: this.#failures.filter((at) => now - at < FAILURE_WINDOW_MS).length,
      calls: this.calls,
      errors: this.errors,
      inFlight: this.inFlight,
      memoryBytes: this.active?.bytes,
      source: this.entry,
      figures,
    };
  }
}
