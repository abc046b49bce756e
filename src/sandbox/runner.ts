/**
 * The port to whatever runs guests for the manager: the manager's own process, or a plug-in host process.
 *
 * A guest is known by a number that the manager chooses and never uses twice; so is a call.
 *
 * @module
 */
import type { IsolateLimits, Program } from "./engine.ts";
import type { PluginErrorCode } from "./errors.ts";

/** What a guest is granted once its manifest was found good. */
export interface Grant extends IsolateLimits {
  /** Host functions it may see, as `system.cpuPercent`. */
  readonly functions: readonly string[];
}

/** Why a guest is no longer there. */
export interface GuestFault {
  readonly kind: "memory" | "crashed" | "overruns" | "stuck";
  readonly message: string;
}

/** How a runner lost all its guests. */
export interface RunnerDown {
  readonly reason: string;
  /** Whose doing it was, if that is known, and whether it was that it did not let go of the processor. */
  readonly guilty: number | undefined;
  readonly stuck: boolean;
  /** Whether a call of a guest may have run already. */
  readonly begun: (call: number, guest: number) => boolean;
}

/** What a {@linkcode Runner} tells its manager. Texts are JSON within the bounds of `json.ts`. */
export interface RunnerEvents {
  returned(call: number, text: string): void;
  failed(call: number, code: PluginErrorCode, message: string, stack?: string): void;
  hostCall(guest: number, seq: number, name: string, args: string): void;
  log(guest: number, level: string, text: string): void;
  /** So many lines for the log came too fast, and went no further. */
  dropped(guest: number, lines: number): void;
  /** Bytes in use inside the guest, told now and then. */
  usage(guest: number, bytes: number): void;
  /** The guest broke and was discarded. Its open calls get no answer any more. */
  fault(guest: number, fault: GuestFault): void;
  /** Every guest of this runner is gone. */
  down(down: RunnerDown): void;
}

/** Runs guests. */
export interface Runner extends AsyncDisposable {
  /** Loads a program into a new guest and gives its description as JSON; see `Isolate.load`. Rejects with a PluginError. */
  load(guest: number, program: Program, limits: IsolateLimits): Promise<string>;
  admit(guest: number, grant: Grant): void;
  call(guest: number, call: number, command: string, request: string): void;
  /** The answer to a host call of the guest: a JSON value, or where not `ok` a JSON string with the message. */
  answer(guest: number, seq: number, ok: boolean, text: string): void;
  /** Nobody waits for the call any more: if it was not begun, it need not be. */
  cancel(call: number): void;
  unload(guest: number): void;
  /** The process that holds the guests, if it is another one. */
  readonly pid: number | undefined;
  /** Resident bytes of that process; undefined where there is none. */
  residentBytes(): Promise<number | undefined>;
}
