/**
 * Reboot, recovery, upgrade by commands that the operator configures; the clock by `date`.
 *
 * @module
 */
import { DriverError, unsupported } from "../errors.ts";
import type { Runner } from "../linux/mod.ts";
import type { Firmware, Power } from "./power.ts";

/** The commands, in words; what is absent is not possible on this machine. */
export interface PowerCommands {
  readonly reboot?: readonly string[] | undefined;
  readonly recover?: readonly string[] | undefined;
  /** Gets the path of the firmware as its last word, and mode and method on its standard input, as JSON. */
  readonly upgrade?: readonly string[] | undefined;
}

const FLAGS = {
  reboot: "--reboot-command",
  recover: "--recovery-command",
  upgrade: "--upgrade-command",
} as const;
/** An upgrade writes the whole flash. */
const UPGRADE_MS = 30 * 60_000;
const ACTION_MS = 60_000;

/** The {@linkcode Power} of Linux. */
export class LinuxPower implements Power {
  constructor(private readonly runner: Runner, private readonly commands: PowerCommands) {}

  check(action: keyof PowerCommands): void {
    if (!this.commands[action]) throw unsupported(`this gateway was not told how to: set ${FLAGS[action]}`);
  }

  reboot(): Promise<void> {
    return this.#run("reboot", [], { timeoutMs: ACTION_MS });
  }

  recover(): Promise<void> {
    return this.#run("recover", [], { timeoutMs: ACTION_MS });
  }

  upgrade({ path, mode, method }: Firmware, signal: AbortSignal): Promise<void> {
    const input = JSON.stringify({ mode, method }) + "\n";
    return this.#run("upgrade", [path], { timeoutMs: UPGRADE_MS, signal, input });
  }

  async setTime(now: number): Promise<void> {
    if (!Number.isFinite(now) || Math.abs(now) > 8.64e15) throw new DriverError("invalid", "not a time");
    const text = new Date(now).toISOString().slice(0, 19).replace("T", " ");
    await this.runner.output("date", ["-u", "-s", text]);
  }

  async #run(
    action: keyof PowerCommands,
    more: string[],
    options: Parameters<Runner["run"]>[2],
  ): Promise<void> {
    this.check(action);
    const [program, ...args] = this.commands[action]!;
    await this.runner.output(program!, [...args, ...more], options);
  }
}
