/**
 * The timer of the lights: kept in the parameter tree, so that it survives a restart, and brought into force by the
 * clock on the wall.
 *
 * @module
 */
import type { Clock, Log } from "../../base/mod.ts";
import { DriverError, type HouseServices } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";
import { EVERY_DAY, Scheduler, type Timetable, windowTable, type Zone } from "../schedule/mod.ts";
import { heldOff } from "./held_off.ts";

const PATH = "InternetGatewayDevice.X_GATEHOUSE_LEDTimer.";

/** The lights are on from start to end, on these days. */
export interface LedWindow {
  readonly enabled: boolean;
  /** `HH:MM`, local time. */
  readonly start: string;
  readonly end: string;
  /** `DAY`, or days of the week as in `1,2,7`: 1 is Monday. */
  readonly cycle: string;
}

/** What {@linkcode LedTimer} works with. */
export interface LedTimerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly service: HouseServices;
  readonly tree: ParameterTree;
  readonly zone?: Zone | undefined;
}

/** Runs from the moment it is made. */
export class LedTimer implements AsyncDisposable {
  readonly #options: LedTimerOptions;
  readonly #scheduler: Scheduler;
  readonly #watch: Disposable;
  #replacing: Promise<void> = Promise.resolve();

  constructor(options: LedTimerOptions) {
    this.#options = options;
    const { clock, log, service, tree, zone } = options;
    this.#scheduler = new Scheduler({
      clock,
      log,
      what: "the lights",
      table: this.#table(),
      apply: (on) => service.setLed(on),
      heldOff: heldOff(tree, "LED"),
      ...(zone && { zone }),
    });
    // Whoever wrote it, also a restoration: what the tree says holds.
    this.#watch = tree.watch(PATH, () => {
      this.#replacing = this.#scheduler.replace(this.#table());
    });
  }

  /** As it is set. */
  get(): LedWindow {
    const { tree } = this.#options;
    const text = (name: string) => String(tree.peek(PATH + name) ?? "");
    return {
      enabled: tree.peek(`${PATH}Enable`) === true,
      start: text("StartTime"),
      end: text("EndTime"),
      cycle: text("ControlCycle"),
    };
  }

  /** Resolves when it is on the disk. Throws DriverError `invalid`, `unsupported`; ParameterError. */
  async set({ enabled, start, end, cycle }: LedWindow, writer: Writer): Promise<void> {
    daysOf(cycle);
    const { tree, service } = this.#options;
    if (enabled && (await service.status()).led === undefined) {
      throw new DriverError("unsupported", "there are no lights that can be switched");
    }
    await tree.set({
      [`${PATH}Enable`]: enabled,
      [`${PATH}StartTime`]: start,
      [`${PATH}EndTime`]: end,
      [`${PATH}ControlCycle`]: cycle,
    }, writer);
    await this.#replacing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#replacing;
    await this.#scheduler[Symbol.asyncDispose]();
  }

  #table(): Timetable {
    const { enabled, start, end, cycle } = this.get();
    return enabled ? windowTable(minuteOf(start), minuteOf(end), daysOf(cycle), true) : [];
  }
}

/** The days of a cycle, one bit each. Throws DriverError `invalid`. */
export function daysOf(cycle: string): number {
  if (cycle === "" || cycle.toUpperCase() === "DAY") return EVERY_DAY;
  if (!/^[1-7](?:,[1-7]){0,6}$/.test(cycle)) {
    throw new DriverError("invalid", "ControlCycle is not DAY, or days of the week as in 1,2,7");
  }
  return cycle.split(",").reduce((days, day) => days | 1 << (Number(day) - 1), 0);
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return 60 * hours + minutes;
}
