/**
 * How the database is, as seen by everything that is asked of it.
 *
 * @module
 */
import type { Deps, Health, Timer } from "../base/mod.ts";
import { StorageError } from "./errors.ts";
import { diagnose, type Fault, faultError } from "./faults.ts";

/** What a watch works with. */
export type WatchDeps = Pick<Deps, "clock" | "log" | "metrics">;

/** How often a database that failed, or that nobody asked anything, is asked, in milliseconds. */
const PROBE_MS = 2_000;
const QUIET_MS = 10_000;

const TAKEN = "another platform has taken the database over: restart this one";

/** Asks something of the database; `write`: something that only a database that can be written answers. */
export type Probe = (write: boolean) => Promise<unknown>;

/**
 * Keeps whether the database works: told of each success and failure, it logs the begin and the end of an outage
 * (once each, however many statements fail), counts, and asks by itself while nobody else does.
 */
export class DatabaseWatch implements Disposable {
  #fault: Fault | undefined;
  #detail = "";
  #since = 0;
  #heard = false;
  #timer: Timer | undefined;
  #stopped = false;

  /** `taken`: whether another process has the database now, for good. */
  constructor(private readonly deps: WatchDeps, private readonly taken: () => boolean = () => false) {
    deps.metrics.gauge(
      "gatehouse_database_up",
      "Whether the database works (1) or is away, slow, full or broken (0)",
      () => this.#fault === undefined && !this.taken() ? 1 : 0,
    );
  }

  /** `degraded` while the database does not work: what needs no database goes on. */
  health(): Health {
    if (this.taken()) return { status: "down", detail: TAKEN };
    if (this.#fault === undefined) return { status: "up" };
    const seconds = Math.round((this.deps.clock.monotonic() - this.#since) / 1000);
    return { status: "degraded", detail: `${this.#detail} (for ${seconds} s)` };
  }

  /** Before a statement. @throws {StorageError} `away` where another process has the database now */
  admit(): void {
    if (this.taken()) throw new StorageError("away", TAKEN);
  }

  /** A statement was done; `wrote` where what it wrote is on disk: reading still works on a full one. */
  succeeded(wrote: boolean): void {
    this.#heard = true;
    if (this.#fault === undefined) return;
    if (!wrote && (this.#fault === "full" || this.#fault === "broken")) return;
    const seconds = Math.round((this.deps.clock.monotonic() - this.#since) / 1000);
    this.deps.log.warn("the database works again", { after: this.#fault, seconds });
    this.#fault = undefined;
  }

  /** A statement failed with `error`: what is to be thrown instead. */
  failed(error: unknown): unknown {
    this.#heard = true;
    const found = diagnose(error);
    if (!found) return error;
    const shown = faultError(found.fault, error);
    this.deps.metrics.counter(
      "gatehouse_database_failures_total",
      "Statements that the database did not do, by why",
      { fault: found.fault },
    ).inc();
    if (!found.outage) return shown;
    if (this.#fault === undefined) {
      this.#since = this.deps.clock.monotonic();
      this.deps.log.error("the database does not work", { fault: found.fault, error: shown.message });
      this.#fault = found.fault;
      this.#schedule();
    }
    this.#fault = found.fault;
    this.#detail = shown.message;
    return shown;
  }

  /** Begins to ask: always where `quiet`, otherwise only during an outage. */
  start(probe: Probe, quiet: boolean): void {
    this.#probe = probe;
    this.#quiet = quiet;
    if (quiet) this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #probe: Probe | undefined;
  #quiet = false;

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#stopped || !this.#probe || (this.#fault === undefined && !this.#quiet)) return;
    const ms = this.#fault === undefined ? QUIET_MS : PROBE_MS;
    this.#timer = this.deps.clock.setTimer(() => void this.#look().finally(() => this.#schedule()), ms);
  }

  async #look(): Promise<void> {
    const heard = this.#heard;
    this.#heard = false;
    if (this.#fault === undefined && heard) return;
    try {
      await this.#probe!(this.#fault === "full" || this.#fault === "broken");
    } catch {
      // It was told of the failure on the way.
    }
  }
}
