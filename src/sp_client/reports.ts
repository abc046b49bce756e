/**
 * Reports and those who wait for them: matched by Msg_Id, whichever of the two is first, in bounded memory.
 *
 * @module
 */
import type { Clock, Timer } from "../base/mod.ts";
import { Stat, type StatusReport } from "../protocol/cmpp/mod.ts";
import { SpError } from "./errors.ts";

/** Reports kept for requests whose answers are not here yet; the longest kept go first. */
const EARLY = 10_000;
/** Times are rounded up to this, so that one timer serves many, in milliseconds. */
const ROUND_MS = 1_000;

interface Waiting {
  readonly due: number;
  readonly settle: PromiseWithResolvers<StatusReport>;
}

/** Who waits for which report. */
export class ReportBook {
  readonly #waiting = new Map<bigint, Waiting>();
  readonly #early = new Map<bigint, StatusReport>();
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #stopped = false;

  /** `most`: reports that may be waited for at the same time. */
  constructor(private readonly clock: Clock, private readonly most: number) {}

  /** Reports that are waited for. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Reports that nobody has asked for yet. */
  get early(): number {
    return this.#early.size;
  }

  /** The report of a message; UNKNOWN where it is not there within `ms`. @throws {SpError} `full` */
  expect(id: bigint, ms: number): Promise<StatusReport> {
    const early = this.#early.get(id);
    if (early) {
      this.#early.delete(id);
      return Promise.resolve(early);
    }
    if (this.#stopped) return Promise.resolve(unknown(id));
    const before = this.#waiting.get(id);
    if (before) return before.settle.promise;
    if (this.#waiting.size >= this.most) {
      return Promise.reject(new SpError("full", `${this.#waiting.size} reports are waited for already`));
    }
    const due = Math.ceil((this.clock.monotonic() + ms) / ROUND_MS) * ROUND_MS;
    const settle = Promise.withResolvers<StatusReport>();
    this.#waiting.set(id, { due, settle });
    this.#arm(due);
    return settle.promise;
  }

  /** A report is here. */
  match(report: StatusReport): void {
    const waiting = this.#waiting.get(report.Msg_Id);
    if (waiting) {
      this.#waiting.delete(report.Msg_Id);
      return waiting.settle.resolve(report);
    }
    this.#early.set(report.Msg_Id, report);
    if (this.#early.size > EARLY) this.#early.delete(this.#early.keys().next().value!);
  }

  /** Nothing more will come: whoever waits hears UNKNOWN. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const [id, { settle }] of this.#waiting) settle.resolve(unknown(id));
    this.#waiting.clear();
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.clock.setTimer(() => this.#look(), at - this.clock.monotonic());
  }

  #look(): void {
    this.#timerAt = Infinity;
    const now = this.clock.monotonic();
    let next = Infinity;
    for (const [id, { due, settle }] of this.#waiting) {
      if (due > now) {
        next = Math.min(next, due);
        continue;
      }
      this.#waiting.delete(id);
      settle.resolve(unknown(id));
    }
    if (next < Infinity) this.#arm(next);
  }
}

function unknown(Msg_Id: bigint): StatusReport {
  return {
    Msg_Id,
    Stat: Stat.unknown,
    Submit_time: "",
    Done_time: "",
    Dest_terminal_Id: "",
    SMSC_sequence: 0,
  };
}
