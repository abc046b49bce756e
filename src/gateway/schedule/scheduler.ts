/**
 * Keeps something switched as a timetable says, by the clock on the wall.
 *
 * What somebody switches by hand holds until the timetable switches next. Changes of the clock, in either direction,
 * and of the time zone are noticed within {@linkcode LOOK_MS}, as is a machine's waking up.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";
import { machineZone, type Zone } from "./local_time.ts";
import { nextSwitch, type Standing, standingOf, type Timetable } from "./timetable.ts";

/** The longest time without a look at the clock. */
export const LOOK_MS = 30_000;
/** Before this moment the clock was not set yet: a box without a battery starts in 1970 and learns the time later. */
export const CLOCK_IS_SET = Date.UTC(2025, 0, 1);

/** What a {@linkcode Scheduler} works with. */
export interface SchedulerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Says in the log what is switched: `WiFi`. */
  readonly what: string;
  readonly table: Timetable;
  /** Switches. Where it rejects, it is tried again at the next look. */
  readonly apply: (on: boolean) => Promise<void>;
  /** Remembers over a restart that it was switched off by its timetable; default: nobody does. */
  readonly heldOff?: HeldOff | undefined;
  readonly zone?: Zone;
}

/** Whether something is off because a timetable said so. */
export interface HeldOff {
  get(): boolean;
  /** Resolves when it is on the disk. */
  set(heldOff: boolean): Promise<void>;
}

/** How a {@linkcode Scheduler} stands. */
export interface SchedulerStatus {
  /** What the timetable says now; undefined where it says nothing. */
  readonly standing: Standing | undefined;
  /** When it switches next. */
  readonly next: number | undefined;
  /** Why the last switching failed; undefined where it did not. */
  readonly error: string | undefined;
}

/** Begins at once: what the timetable says now is brought into force. */
export class Scheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  readonly #zone: Zone;
  #table: Timetable;
  /** What was switched last, and since when the timetable says so; undefined: it is to be switched anew. */
  #done: Standing | undefined;
  /** Whether this one has switched it off, and nothing on since. */
  #heldOff: boolean;
  #working: Promise<void> = Promise.resolve();
  #remembering: Promise<void> | undefined;
  #busy = false;
  #again = false;
  #timer: Timer | undefined;
  #error: string | undefined;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#zone = options.zone ?? machineZone;
    this.#table = options.table;
    // Whoever was killed before it could switch on what its last timetable had held off, does so now.
    this.#heldOff = options.heldOff?.get() ?? false;
    void this.#look();
  }

  status(): SchedulerStatus {
    const now = this.#options.clock.now();
    return {
      standing: now < CLOCK_IS_SET ? undefined : standingOf(this.#table, this.#zone, now),
      next: nextSwitch(this.#table, this.#zone, now),
      error: this.#error,
    };
  }

  /**
   * Puts another timetable into force. One that says nothing brings back what the earlier one had switched off. Resolves
   * when what it says now was tried.
   */
  async replace(table: Timetable): Promise<void> {
    this.#table = table;
    this.#done = undefined;
    await this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
    await this.#remembering;
  }

  /** One look at a time; one that is asked for meanwhile comes after it. */
  #look(): Promise<void> {
    if (!this.#busy) return this.#working = this.#lookAndSwitch();
    this.#again = true;
    return this.#working;
  }

  async #lookAndSwitch(): Promise<void> {
    this.#busy = true;
    do {
      this.#again = false;
      this.#timer?.cancel();
      const now = this.#options.clock.now();
      const standing = now < CLOCK_IS_SET ? undefined : standingOf(this.#table, this.#zone, now);
      if (standing) {
        if (standing.since !== this.#done?.since || standing.on !== this.#done.on) {
          await this.#switch(standing.on, standing);
        }
      } else if (this.#heldOff && nextSwitch(this.#table, this.#zone, now) === undefined) {
        await this.#switch(true, undefined);
      } else this.#error = undefined;
    } while (this.#again && !this.#stopped);
    // In one turn with the last look at `#again`: what is asked for from now on begins anew.
    this.#busy = false;
    if (!this.#stopped) this.#wait();
  }

  async #switch(on: boolean, standing: Standing | undefined): Promise<void> {
    if (this.#stopped) return;
    const { apply, log, what } = this.#options;
    try {
      await apply(on);
      this.#done = standing;
      if (this.#heldOff === on) this.#remember(!on);
      this.#error = undefined;
      log.info(`${what} switched by the timetable`, { on });
    } catch (error) {
      const reason = messageOf(error);
      // Once for each reason: it is tried again every half minute.
      if (reason !== this.#error) {
        log.warn(`${what} could not be switched: it is tried again`, { on, reason });
      }
      this.#error = reason;
    }
  }

  /** Nobody waits for the disk: a kill before that leaves what the timetable, or its end, sets right at the next start. */
  #remember(heldOff: boolean): void {
    const { log, what, heldOff: kept } = this.#options;
    this.#heldOff = heldOff;
    this.#remembering = kept?.set(heldOff).catch((error) =>
      log.warn(`whether ${what} is held off by its timetable could not be kept`, {
        heldOff,
        reason: messageOf(error),
      })
    );
  }

  #wait(): void {
    const { clock } = this.#options, now = clock.now();
    const next = nextSwitch(this.#table, this.#zone, now);
    // Where nothing will ever be switched, there is nothing to look for.
    if (next === undefined && this.#error === undefined) return;
    // A timer may fire a moment early: then the rest of the time is waited for.
    const delay = Math.max(1, Math.min(LOOK_MS, (next ?? Infinity) - now));
    this.#timer = clock.setTimer(() => void this.#look(), delay);
  }
}
