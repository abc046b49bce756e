/**
 * What people should know of before the phone rings: looked at now and then, raised when it was seen twice, cleared when
 * it was gone twice. What the machine does not tell is no alarm and ends none.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import type { Clock, Timer } from "../base/mod.ts";
import type { Driver } from "./driver/mod.ts";
import type { AgentMessages, Severity } from "./push/mod.ts";
import type { RegistrationStatus } from "./registration/mod.ts";
import { CLOCK_IS_SET } from "./schedule/mod.ts";

/** How often everything is looked at, in milliseconds. */
export const ALARM_LOOK_MS = 60_000;
/** Looks in a row that have to agree. */
const LOOKS = 2;

/** Something to look at. */
export interface AlarmCondition {
  /** Stable, for programs. */
  readonly code: string;
  readonly severity: Severity;
  /** Only every so many looks; default 1. */
  readonly every?: number;
  /**
   * What is wrong, in words; null: nothing; undefined: the machine does not tell. `raised`: whether it is so already,
   * for a threshold that is not the same up and down. What it rejects with counts as undefined.
   */
  look(raised: boolean): Promise<string | null | undefined>;
}

/** Looks from the moment it is made. */
export class AlarmWatch implements AsyncDisposable {
  /** How often in a row each one was other than what was said last. */
  readonly #changing = new Map<string, number>();
  #looks = 0;
  #timer: Timer | undefined;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly agent: Pick<AgentMessages, "raise" | "clear" | "raised">,
    private readonly conditions: readonly AlarmCondition[],
  ) {
    this.#wait();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#timer = this.clock.setTimer(() => {
      this.#working = this.#look().finally(() => this.#wait());
    }, ALARM_LOOK_MS);
  }

  async #look(): Promise<void> {
    const { agent } = this, look = this.#looks++;
    for (const { code, severity, every = 1, look: ask } of this.conditions) {
      if (look % every !== 0 || this.#stopped) continue;
      const raised = agent.raised(code);
      const wrong = await ask(raised).catch(() => undefined);
      if (wrong === undefined) continue;
      if ((wrong !== null) === raised) {
        this.#changing.delete(code);
        continue;
      }
      const seen = (this.#changing.get(code) ?? 0) + 1;
      this.#changing.set(code, seen);
      if (seen < LOOKS) continue;
      this.#changing.delete(code);
      if (wrong === null) agent.clear(code);
      else agent.raise(code, severity, wrong);
    }
  }
}

/** What {@linkcode alarmConditions} looks at. */
export interface AlarmSources {
  readonly clock: Pick<Clock, "now">;
  readonly driver: Pick<Driver, "memory" | "pon">;
  /** The folder whose disk is to have room. */
  readonly dataDir: string;
  readonly registration: () => Pick<RegistrationStatus, "nextTry">;
}

/** Percent of the machine's memory in use. */
const MEMORY = { raise: 95, clear: 90 };
/** Percent of the disk that is free. */
const DISK = { raise: 5, clear: 8 };
/** dBm: what receivers of class B+ are still sure to hear (ITU-T G.984.2). */
const RX_POWER = { raise: -28, clear: -27 };
/** °C: the most that optical modules are made for, in their commercial grade. */
const OPTICS = { raise: 70, clear: 65 };

/** Every condition that this machine can tell about. */
export function alarmConditions({ clock, driver, dataDir, registration }: AlarmSources): AlarmCondition[] {
  return [
    {
      code: "clock_not_set",
      severity: "warning",
      look: () =>
        Promise.resolve(
          clock.now() < CLOCK_IS_SET ? "the clock is not set: no timer switches anything" : null,
        ),
    },
    {
      code: "name_not_found",
      severity: "warning",
      look: () =>
        Promise.resolve(registration().nextTry === "name" ? "the platform's name can't be looked up" : null),
    },
    {
      code: "memory_low",
      severity: "warning",
      look: async (raised) => {
        const { percent } = await driver.memory();
        return percent > (raised ? MEMORY.clear : MEMORY.raise)
          ? `${Math.round(percent)} % of memory is in use`
          : null;
      },
    },
    {
      code: "disk_full",
      severity: "critical",
      look: async (raised) => {
        const { blocks, bavail } = await statfs(dataDir);
        if (!(blocks > 0)) return undefined;
        const free = 100 * bavail / blocks;
        return free < (raised ? DISK.clear : DISK.raise) ? `${free.toFixed(1)} % of the disk is free` : null;
      },
    },
    {
      code: "optical_power_low",
      severity: "warning",
      every: 5,
      look: async (raised) => {
        const { rxPower } = await driver.pon.optics();
        if (rxPower === undefined) return undefined;
        return rxPower < (raised ? RX_POWER.clear : RX_POWER.raise) ? `${rxPower} dBm arrive by fibre` : null;
      },
    },
    {
      code: "optical_temperature_high",
      severity: "warning",
      every: 5,
      look: async (raised) => {
        const { temperature } = await driver.pon.optics();
        if (temperature === undefined) return undefined;
        return temperature > (raised ? OPTICS.clear : OPTICS.raise)
          ? `the optical module has ${temperature} °C`
          : null;
      },
    },
  ];
}
