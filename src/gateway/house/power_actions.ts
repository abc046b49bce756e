/**
 * What ends the very conversation that it is asked for in: it is answered first, and done a moment later.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";
import { DriverError, type Power } from "../driver/mod.ts";

/** Long enough for an answer to reach a platform over a slow line, in milliseconds. */
export const ACTION_DELAY_MS = 3_000;

/** What {@linkcode PowerActions} works with. */
export interface PowerActionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly power: Power;
  /** Restores the parameters that the app platform may restore; how many changed. */
  readonly restore: () => Promise<number>;
  /** Told before a recovery that somebody here asked for. Resolves when it will not be forgotten. */
  readonly onRecovery?: ((by: string) => Promise<void>) | undefined;
}

/** Reboot and recovery, one at a time. */
export class PowerActions implements AsyncDisposable {
  #pending: { readonly name: string; readonly timer: Timer } | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(private readonly options: PowerActionsOptions) {}

  /** What is about to be done; undefined: nothing. */
  get pending(): string | undefined {
    return this.#pending?.name;
  }

  /** @throws {DriverError} `unsupported` where it can't be done, `busy` where something is about to be done already */
  reboot(): void {
    const { power } = this.options;
    power.check("reboot");
    this.#later("reboot", () => power.reboot());
  }

  /**
   * Restores what the app platform may restore (reference §9), and then lets the machine do what it was told that
   * recovery is, if it was. `by`: who here asked for it; undefined: the platform did. Throws as
   * {@linkcode PowerActions.reboot}.
   */
  recover(by: string | undefined): void {
    const { power, restore, log, onRecovery } = this.options;
    this.#later("recovery", async () => {
      // Said first: what the machine does may take everything with it.
      if (by !== undefined) await onRecovery?.(by);
      try {
        log.info("parameters restored", { changed: await restore() });
      } catch (error) {
        // What can't be brought into force now is the machine's to recover.
        log.error("the parameters could not be restored", { reason: messageOf(error) });
      }
      try {
        power.check("recover");
      } catch (error) {
        if (error instanceof DriverError && error.code === "unsupported") return;
        throw error;
      }
      await power.recover();
    });
  }

  /** What is about to be done is not done any more; what is being done is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#pending?.timer.cancel();
    this.#pending = undefined;
    await this.#working;
  }

  #later(name: string, act: () => Promise<void>): void {
    if (this.#pending) throw new DriverError("busy", `a ${this.#pending.name} is about to begin`);
    const { clock, log } = this.options;
    log.warn(`${name} asked for`, { inMs: ACTION_DELAY_MS });
    const timer = clock.setTimer(() => {
      this.#working = act()
        .catch((error) => log.error(`${name} failed`, { reason: messageOf(error) }))
        .finally(() => this.#pending = undefined);
    }, ACTION_DELAY_MS);
    this.#pending = { name, timer };
  }
}
