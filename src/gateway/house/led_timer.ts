/**
 * The timer of the lights: kept in the parameter tree, so that it survives a restart, and brought into force by the
 * clock on the wall.
 *
 * @module
 */
import type { Clock, Log } from "../../base/mod.ts";
import { DriverError, type HouseServices } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";
import { Scheduler, type Timetable, type Zone } from "../schedule/mod.ts";
import { type DayWindow, tableOf, windowAt, windowValues } from "./day_window.ts";
import { heldOff } from "./held_off.ts";

const PATH = "InternetGatewayDevice.X_GATEHOUSE_LEDTimer.";

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
  get(): DayWindow {
    return windowAt(this.#options.tree, PATH);
  }

  /** Resolves when it is on the disk. Throws DriverError `invalid`, `unsupported`; ParameterError. */
  async set(window: DayWindow, writer: Writer): Promise<void> {
    const values = windowValues(PATH, window);
    const { tree, service } = this.#options;
    if (window.enabled && (await service.status()).led === undefined) {
      throw new DriverError("unsupported", "there are no lights that can be switched");
    }
    await tree.set(values, writer);
    await this.#replacing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#replacing;
    await this.#scheduler[Symbol.asyncDispose]();
  }

  #table(): Timetable {
    const window = this.get();
    return window.enabled ? tableOf(window) : [];
  }
}
