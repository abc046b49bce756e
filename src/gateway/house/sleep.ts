/**
 * Sleep, at once or in some minutes.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";
import { DriverError, type HouseServices } from "../driver/mod.ts";

/** What is to happen: whether to sleep, and in how many minutes (0: it happened). */
export interface SleepPlan {
  readonly asleep: boolean;
  readonly minutes: number;
}

const MAX_MINUTES = 24 * 60;

/** Plans of sleep. They are forgotten with a restart: what starts is awake. */
export class Sleep implements AsyncDisposable {
  #plan: { readonly asleep: boolean; readonly at: number; readonly timer: Timer } | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: { readonly clock: Clock; readonly log: Log; readonly service: HouseServices },
  ) {}

  /** What is planned; else how it is. Throws DriverError `unsupported` where the machine does not tell. */
  async get(): Promise<SleepPlan> {
    if (this.#plan) {
      const left = this.#plan.at - this.options.clock.monotonic();
      return { asleep: this.#plan.asleep, minutes: Math.max(1, Math.ceil(left / 60_000)) };
    }
    const { sleep } = await this.options.service.status();
    if (sleep === undefined) throw new DriverError("unsupported", "this machine does not sleep");
    return { asleep: sleep, minutes: 0 };
  }

  /** Sleeps or wakes; a later plan replaces an earlier one. Throws DriverError. */
  async set({ asleep, minutes }: SleepPlan): Promise<void> {
    const { clock, log, service } = this.options;
    if (!Number.isInteger(minutes) || minutes < 0 || minutes > MAX_MINUTES) {
      throw new DriverError("invalid", `SLEEPTimer is not 0 to ${MAX_MINUTES} minutes`);
    }
    if ((await service.status()).sleep === undefined) {
      throw new DriverError("unsupported", "this machine does not sleep");
    }
    this.#plan?.timer.cancel();
    this.#plan = undefined;
    if (minutes === 0) return await service.setSleep(asleep);
    const timer = clock.setTimer(() => {
      this.#plan = undefined;
      this.#working = service.setSleep(asleep).catch((error) =>
        log.warn("sleep as planned failed", { asleep, reason: messageOf(error) })
      );
    }, minutes * 60_000);
    this.#plan = { asleep, at: clock.monotonic() + minutes * 60_000, timer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plan?.timer.cancel();
    await this.#working;
  }
}
