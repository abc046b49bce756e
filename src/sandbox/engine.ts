/**
 * The port to a JavaScript engine that runs one plug-in apart from everything else.
 *
 * The guest holds no host function at all. Whatever it wants (a reply, a call to a host function, a line for
 * the log) it leaves as text, and the host takes that text away after each stretch of running. So there is no
 * host object in the guest to pollute or to climb out by, and each border crossing is one string.
 *
 * @module
 */

/** The sources of a plug-in: module paths relative to its folder, `/` between segments. */
export interface Program {
  /** The path of the module that exports `manifest` and `commands`. */
  readonly entry: string;
  readonly modules: Readonly<Record<string, string>>;
}

/** What one guest may use. */
export interface IsolateLimits {
  /** The guest's whole memory, in bytes, at least {@linkcode SMALLEST_MEMORY}. */
  readonly memoryBytes: number;
  /** The longest that the guest may hold the processor in one go, in milliseconds. */
  readonly sliceMs: number;
}

/** The smallest memory that a guest can be given: what the engine itself asks for at its start. */
export const SMALLEST_MEMORY = 16 * 1024 * 1024;

/** Takes what a guest left for its host. Texts are JSON, whose nesting nobody has checked yet. */
export interface GuestOutput {
  /** The call returned `text` (the JSON of its result). */
  returned(call: number, text: string): void;
  /** The call threw `message`. */
  threw(call: number, message: string, stack: string): void;
  /** The guest calls the host function `name` (whatever it may be) with the JSON array `args`. */
  hostCall(seq: number, name: string, args: string): void;
  log(level: string, text: string): void;
  /** So many lines for the log were more than it may leave at once. */
  dropped(lines: number): void;
}

/**
 * How a stretch of running ended badly:
 * - `interrupted`: it held the processor too long and was broken off; the guest may go on;
 * - `stuck`: a built-in of the engine held the processor too long and was broken off; the guest must be discarded;
 * - `memory`: it asked for more memory than it may have; the guest must be discarded;
 * - `crashed`: the engine itself failed; the guest must be discarded.
 */
export class EngineFault extends Error {
  override readonly name = "EngineFault";

  constructor(
    readonly kind: "interrupted" | "stuck" | "memory" | "crashed",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The program itself is at fault: it does not parse, throws while loading, or exports the wrong things. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** One plug-in in its own engine. Every method may throw {@linkcode EngineFault}. */
export interface Isolate {
  /** Evaluates the program. Gives the JSON of `{ manifest, commands: string[], start, stop, health }`. */
  load(program: Program): string;
  /** Sets the final limits and which host functions the guest sees, as `system.cpuPercent`. */
  admit(functions: readonly string[], limits: IsolateLimits): void;
  /**
   * Starts a command with the JSON object `request`. `@start`, `@stop` and `@health` are the program's life-cycle functions.
   * The reply comes by {@linkcode GuestOutput}, before this returns or later.
   */
  invoke(call: number, command: string, request: string): void;
  /** Settles the guest's host call `seq` with the JSON value `text`, or where not `ok` with an error message. */
  answer(seq: number, ok: boolean, text: string): void;
  /** Whether work is left over that was broken off by an interrupt: {@linkcode Isolate.resume} goes on with it. */
  readonly unfinished: boolean;
  resume(): void;
  /** Bytes that the guest's memory takes at most now. It never shrinks. */
  readonly heapBytes: number;
  /** Bytes in use inside the guest. Costly (about 0.1 ms): not on a hot path. */
  usedBytes(): number;
  /** Lets go of everything. Safe to call at any time, also after a fault. */
  dispose(): void;
}

/** Makes isolates. */
export interface Engine {
  open(limits: IsolateLimits, output: GuestOutput): Promise<Isolate>;
}
