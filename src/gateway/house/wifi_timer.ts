/**
 * When WiFi is on the air: a window of the day and a list of switchings, kept in the parameter tree (the apps'
 * platform's alone, reference §9) and brought into force by the clock on the wall. Both hold together.
 *
 * @module
 */
import type { Clock, Log } from "../../base/mod.ts";
import type { Wifi } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";
import { Scheduler, type SchedulerStatus, type Timetable, type Zone } from "../schedule/mod.ts";
import { type DayWindow, minuteOf, tableOf, windowAt, windowValues } from "./day_window.ts";
import { heldOff } from "./held_off.ts";

const PATH = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.";
const ENTRY = `${PATH}Entry.`;

/** One switching a week. */
export interface WifiSwitch {
  /** 1 (Monday) to 7. */
  readonly weekday: number;
  /** `HH:MM`, local time. */
  readonly time: string;
  /** What it is switched to. */
  readonly active: boolean;
  readonly enabled: boolean;
}

/** What {@linkcode WifiTimer} works with. */
export interface WifiTimerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly wifi: Wifi;
  readonly tree: ParameterTree;
  readonly zone?: Zone | undefined;
}

/** Runs from the moment it is made. */
export class WifiTimer implements AsyncDisposable {
  readonly #options: WifiTimerOptions;
  readonly #scheduler: Scheduler;
  readonly #watch: Disposable;
  /** While a list is being written, its rows are not looked at one by one. */
  #writing = 0;
  #replacing: Promise<void> = Promise.resolve();

  constructor(options: WifiTimerOptions) {
    this.#options = options;
    const { clock, log, wifi, tree, zone } = options;
    this.#scheduler = new Scheduler({
      clock,
      log,
      what: "WiFi",
      table: this.#table(),
      apply: (on) => wifi.setRadio(on),
      heldOff: heldOff(tree, "WiFi"),
      ...(zone && { zone }),
    });
    // Whoever wrote it, also a restoration: what the tree says holds.
    this.#watch = tree.watch(PATH, () => {
      if (this.#writing === 0) this.#replace();
    });
  }

  /** The window as it is set. */
  window(): DayWindow {
    return windowAt(this.#options.tree, PATH);
  }

  /** The list as it is set. */
  list(): WifiSwitch[] {
    const { tree } = this.#options;
    return tree.instances(ENTRY).map((row) => ({
      weekday: Number(tree.peek(`${ENTRY}${row}.Weekday`)),
      time: String(tree.peek(`${ENTRY}${row}.Time`)),
      active: tree.peek(`${ENTRY}${row}.Active`) === true,
      enabled: tree.peek(`${ENTRY}${row}.Enable`) === true,
    }));
  }

  /** What holds now, and when it changes. */
  status(): SchedulerStatus {
    return this.#scheduler.status();
  }

  /** Resolves when it is on the disk and in force. Throws DriverError `invalid`, `unsupported`; ParameterError. */
  async setWindow(window: DayWindow, writer: Writer): Promise<void> {
    const values = windowValues(PATH, window);
    // Where there is no WiFi, that is the answer.
    await this.#options.wifi.radioOn();
    await this.#write((tree) => tree.set(values, writer));
  }

  /** Replaces the list. As {@linkcode WifiTimer.setWindow}; what is wrong with an entry leaves all as it was. */
  async setList(entries: readonly WifiSwitch[], writer: Writer): Promise<void> {
    await this.#options.wifi.radioOn();
    await this.#write(async (tree) => {
      const rows = entries.map(({ weekday, time, active, enabled }) => ({
        Weekday: weekday,
        Time: time,
        Active: active,
        Enable: enabled,
      }));
      await tree.replace(ENTRY, rows, writer);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#replacing;
    await this.#scheduler[Symbol.asyncDispose]();
  }

  async #write(work: (tree: ParameterTree) => Promise<unknown>): Promise<void> {
    this.#writing++;
    try {
      await work(this.#options.tree);
    } finally {
      this.#writing--;
      this.#replace();
    }
    await this.#replacing;
  }

  #replace(): void {
    this.#replacing = this.#scheduler.replace(this.#table());
  }

  #table(): Timetable {
    const list = this.list().map((one) => ({
      days: 1 << (one.weekday - 1),
      minute: minuteOf(one.time),
      on: one.active,
      enabled: one.enabled,
    }));
    return [...tableOf(this.window()), ...list];
  }
}
