/**
 * Runs guests in this process and shares the processor between them fairly: the inline isolation as it is, and
 * the inside of a plug-in host.
 *
 * Work is done at once while the processor is free. After {@linkcode TURN_MS} of running, the rest waits for the
 * next turn of the event loop and is then served one piece per guest in rotation, so that a guest with many long
 * calls delays the others by one of its slices at most.
 *
 * @module
 */
import { type Clock, messageOf, type Timer, TokenBucket } from "../base/mod.ts";
import {
  type Engine,
  EngineFault,
  type GuestOutput,
  type Isolate,
  type IsolateLimits,
  type Program,
  ProgramError,
} from "./engine.ts";
import { PluginError } from "./errors.ts";
import { faultOf } from "./json.ts";
import { LineBrake } from "./line_brake.ts";
import type { Grant, Runner, RunnerEvents } from "./runner.ts";

/** How long guests may run before the event loop gets its turn, in milliseconds. */
const TURN_MS = 15;
/** Interrupted slices that are forgiven in a row, and how fast the patience grows back (one in six seconds). */
const OVERRUNS = 10;
const OVERRUNS_PER_SECOND = 1 / 6;
/** Log lines of a guest that leave this process: what any guest may be allowed. Each one's own limit is upheld outside. */
const LOG_BURST = 500;
const LOGS_PER_SECOND = 100;
/** After how many calls the memory in use is measured again. */
const USAGE_EVERY = 1024;

/** What an executor tells beyond a {@linkcode RunnerEvents}; both are for the host process. */
export interface ExecutorHooks {
  /** A stretch of `guest` begins. */
  enter?(guest: number): void;
  /** The call was begun and is not answered yet. */
  begun?(call: number): void;
  /** A stretch of queued work ended, outside any call of the executor's methods. */
  turned?(): void;
}

interface Guest {
  readonly id: number;
  readonly isolate: Isolate;
  readonly overruns: TokenBucket;
  readonly open: Set<number>;
  readonly queue: Work[];
  readonly logs: LineBrake;
  calls: number;
  heap: number;
}

type Work =
  | { readonly kind: "call"; readonly call: number; readonly command: string; readonly request: string }
  | { readonly kind: "answer"; readonly seq: number; readonly ok: boolean; readonly text: string }
  | { readonly kind: "resume" };

/** A {@linkcode Runner} in this process. */
export class Executor implements Runner {
  readonly pid = undefined;
  readonly #guests = new Map<number, Guest>();
  readonly #unloaded = new Set<number>();
  #loading = 0;
  #spent = 0;
  #lastEnd = 0;
  #cooling = false;
  #turn: Timer | undefined;
  #running = false;

  constructor(
    private readonly clock: Pick<Clock, "monotonic" | "setTimer">,
    private readonly engine: Engine,
    private readonly events: Omit<RunnerEvents, "down">,
    private readonly hooks: ExecutorHooks = {},
  ) {}

  async load(id: number, program: Program, limits: IsolateLimits): Promise<string> {
    let guest: Guest | undefined;
    this.#loading++;
    const logs = new LineBrake(this.clock, LOGS_PER_SECOND, LOG_BURST, (lines) => {
      this.events.dropped(id, lines);
      this.hooks.turned?.();
    });
    try {
      const output = this.#outputOf(id, logs, () => guest);
      const isolate = await this.engine.open(limits, output);
      guest = {
        id,
        isolate,
        overruns: new TokenBucket(this.clock, OVERRUNS_PER_SECOND, OVERRUNS),
        open: new Set(),
        queue: [],
        logs,
        calls: 0,
        heap: isolate.heapBytes,
      };
      this.hooks.enter?.(id);
      const text = isolate.load(program), fault = faultOf(text, "the plug-in's description of itself");
      if (fault) throw new PluginError("invalid", fault);
      if (this.#unloaded.has(id)) throw new PluginError("closed", "it was unloaded while it was loading");
      this.#guests.set(id, guest);
      return text;
    } catch (error) {
      guest?.isolate.dispose();
      logs[Symbol.dispose]();
      throw loadError(error);
    } finally {
      if (--this.#loading === 0) this.#unloaded.clear();
    }
  }

  admit(id: number, grant: Grant): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    try {
      guest.isolate.admit(grant.functions, grant);
      this.#measure(guest);
    } catch (error) {
      this.#discard(guest, error);
    }
  }

  call(id: number, call: number, command: string, request: string): void {
    const guest = this.#guests.get(id);
    if (!guest) return this.events.failed(call, "crashed", "the plug-in is not loaded any more");
    this.#give(guest, { kind: "call", call, command, request });
  }

  answer(id: number, seq: number, ok: boolean, text: string): void {
    const guest = this.#guests.get(id);
    if (guest) this.#give(guest, { kind: "answer", seq, ok, text });
  }

  cancel(call: number): void {
    for (const guest of this.#guests.values()) {
      guest.open.delete(call);
      const at = guest.queue.findIndex((work) => work.kind === "call" && work.call === call);
      if (at >= 0) guest.queue.splice(at, 1);
    }
  }

  unload(id: number): void {
    const guest = this.#guests.get(id);
    if (guest) {
      this.#guests.delete(id);
      guest.isolate.dispose();
      guest.logs[Symbol.dispose]();
    } else if (this.#loading > 0) this.#unloaded.add(id);
  }

  /** Whether work waits for the next turn. */
  get queued(): boolean {
    return this.#cooling;
  }

  residentBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#guests.keys()]) this.unload(id);
    this.#turn?.cancel();
    return Promise.resolve();
  }

  #give(guest: Guest, work: Work): void {
    // A host function that answers at once would otherwise enter the guest again while it is being left.
    if (!this.#cooling && !this.#running) return this.#run(guest, work);
    guest.queue.push(work);
    this.#coolDown();
  }

  #run(guest: Guest, work: Work): void {
    const start = this.clock.monotonic();
    if (start - this.#lastEnd > 1) this.#spent = 0; // the event loop had its turn meanwhile
    this.hooks.enter?.(guest.id);
    this.#running = true;
    try {
      if (work.kind === "call") {
        guest.open.add(work.call);
        guest.isolate.invoke(work.call, work.command, work.request);
        if (guest.open.has(work.call)) this.hooks.begun?.(work.call);
        if (++guest.calls % USAGE_EVERY === 0) this.#measure(guest);
      } else if (work.kind === "answer") guest.isolate.answer(work.seq, work.ok, work.text);
      else guest.isolate.resume();
      if (guest.isolate.heapBytes !== guest.heap) this.#measure(guest);
    } catch (error) {
      this.#broken(guest, work, error);
    } finally {
      this.#running = false;
    }
    const end = this.#lastEnd = this.clock.monotonic();
    this.#spent += end - start;
    if (this.#spent > TURN_MS) this.#coolDown();
  }

  #broken(guest: Guest, work: Work, error: unknown): void {
    if (!(error instanceof EngineFault) || error.kind !== "interrupted") return this.#discard(guest, error);
    if (work.kind === "call" && guest.open.delete(work.call)) {
      this.events.failed(work.call, "timeout", error.message);
    } else if (guest.open.size === 1) {
      // Only one call is open, so the work that was broken off was done for it.
      const [call] = guest.open;
      guest.open.clear();
      this.events.failed(call!, "timeout", error.message);
    }
    if (!guest.overruns.take()) {
      this.#discard(guest, error, "overruns");
    } else if (guest.isolate.unfinished) {
      guest.queue.push({ kind: "resume" });
      this.#coolDown();
    }
  }

  #discard(guest: Guest, error: unknown, kind?: "overruns"): void {
    if (!this.#guests.delete(guest.id)) return;
    guest.isolate.dispose();
    guest.logs[Symbol.dispose]();
    const own = error instanceof EngineFault && error.kind !== "interrupted" ? error.kind : "crashed";
    this.events.fault(guest.id, { kind: kind ?? own, message: messageOf(error) });
  }

  #measure(guest: Guest): void {
    guest.heap = guest.isolate.heapBytes;
    this.events.usage(guest.id, guest.isolate.usedBytes());
  }

  #coolDown(): void {
    if (this.#cooling) return;
    this.#cooling = true;
    this.#turn = this.clock.setTimer(() => {
      this.#spent = 0;
      this.#lastEnd = this.clock.monotonic();
      // One piece per guest in rotation, until the turn is used up or nothing is left.
      for (let left = true; left && this.#spent <= TURN_MS;) {
        left = false;
        for (const guest of [...this.#guests.values()]) {
          const work = guest.queue.shift();
          if (!work) continue;
          this.#run(guest, work);
          left = true;
          if (this.#spent > TURN_MS) {
            // Whoever had this piece goes to the end of the rotation.
            if (this.#guests.delete(guest.id)) this.#guests.set(guest.id, guest);
            break;
          }
        }
      }
      this.#cooling = false;
      for (const guest of this.#guests.values()) {
        if (guest.queue.length > 0) {
          this.#coolDown();
          break;
        }
      }
      this.hooks.turned?.();
    }, 0);
  }

  #outputOf(id: number, logs: LineBrake, guest: () => Guest | undefined): GuestOutput {
    const { events } = this;
    const answer = this.answer.bind(this);
    return {
      returned(call, text) {
        if (!guest()?.open.delete(call)) return;
        const fault = faultOf(text, "the reply");
        if (fault) events.failed(call, "limit", fault);
        else events.returned(call, text);
      },
      threw(call, message, stack) {
        if (guest()?.open.delete(call)) events.failed(call, "failed", message, stack);
      },
      hostCall(seq, name, args) {
        const fault = faultOf(args, "the arguments");
        if (fault) answer(id, seq, false, JSON.stringify(fault));
        else events.hostCall(id, seq, name, args);
      },
      log(level, text) {
        if (logs.take()) events.log(id, level, text);
      },
      dropped: (lines) => logs.drop(lines),
    };
  }
}

function loadError(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  if (error instanceof ProgramError) return new PluginError("invalid", error.message, { cause: error });
  if (!(error instanceof EngineFault)) return new PluginError("crashed", messageOf(error), { cause: error });
  const code = error.kind === "memory" ? "limit" : error.kind === "crashed" ? "crashed" : "timeout";
  return new PluginError(code, `loading it failed: ${error.message}`, { cause: error });
}
