/**
 * Restarting a home gateway that does not exist: what a restart would change in its parts is changed.
 *
 * @module
 */
import type { Firmware, Power } from "./power.ts";

/** What happened to it. */
export interface PowerEvents {
  readonly restarted: () => void;
  readonly recovered: () => void;
  readonly clockSet: (now: number) => void;
}

/** The {@linkcode Power} that simulates. */
export class SimulatedPower implements Power {
  constructor(private readonly events: PowerEvents) {}

  check(): void {}

  reboot(): Promise<void> {
    this.events.restarted();
    return Promise.resolve();
  }

  recover(): Promise<void> {
    this.events.recovered();
    this.events.restarted();
    return Promise.resolve();
  }

  /** Takes the file as it is and starts again with it. */
  upgrade(_firmware: Firmware): Promise<void> {
    this.events.restarted();
    return Promise.resolve();
  }

  setTime(now: number): Promise<void> {
    this.events.clockSet(now);
    return Promise.resolve();
  }
}
