/**
 * The process isolation: a {@linkcode Runner} whose guests live in a plug-in host process that it starts, watches
 * and, when a guest does not let go of it, kills and starts again.
 *
 * @module
 */
import { type Deps, messageOf, sleep, type Timer } from "../base/mod.ts";
import type { IsolateLimits, Program } from "./engine.ts";
import { isPluginErrorCode, PluginError, type PluginErrorCode } from "./errors.ts";
import { type HostCommand, HostProcess } from "./host_process.ts";
import { faultOf } from "./json.ts";
import type { Grant, GuestFault, Runner, RunnerEvents } from "./runner.ts";
import { Fields, LINE_TO_HOST } from "./wire.ts";

/**
 * How much longer than the longest slice of any guest a host may stay silent, in milliseconds. The engine breaks guests
 * off by itself; this is for when it does not, and long enough for a machine that has no time for the host.
 */
const GRACE_MS = 1000;
/** Loads that a host has in hand at one time: between them it answers the watchdog. */
const LOADS_AT_ONCE = 4;
/** Starts within a minute before the next start waits, and for how long it then waits. */
const STARTS_A_MINUTE = 6;
const START_PAUSE_MS = 10_000;
/** How long a host that holds nothing is kept for what may come, in milliseconds. */
const EMPTY_MS = 10_000;

interface Loading {
  readonly resolve: (text: string) => void;
  readonly reject: (error: PluginError) => void;
}

/** A {@linkcode Runner} on a plug-in host process. */
export class ProcessRunner implements Runner {
  #host: HostProcess | undefined;
  #starting: Promise<HostProcess> | undefined;
  #starts: number[] = [];
  readonly #slices = new Map<number, number>();
  readonly #loading = new Map<number, Loading>();
  readonly #open = new Map<number, { begun: boolean }>();
  readonly #asked = new Map<number, (bytes: number | undefined) => void>();
  #questions = 0;
  #entered: number | undefined;
  /** Loads that wait for the host to be ready. */
  #waiting = 0;
  #loads = 0;
  readonly #queue: (() => void)[] = [];
  #empty: Timer | undefined;
  #closing: Promise<void> = Promise.resolve();
  readonly #closed = new AbortController();

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly command: HostCommand,
    private readonly events: RunnerEvents,
  ) {}

  get pid(): number | undefined {
    return this.#host?.pid;
  }

  async load(guest: number, program: Program, limits: IsolateLimits): Promise<string> {
    const line = `L ${guest} ${limits.memoryBytes} ${limits.sliceMs} ${JSON.stringify(program)}`;
    if (line.length > LINE_TO_HOST) throw new PluginError("limit", `the program is too long: ${line.length}`);
    this.#waiting++;
    try {
      await this.#slot();
    } finally {
      this.#waiting--;
    }
    try {
      return await this.#load(guest, line, limits);
    } finally {
      this.#loads--;
      this.#queue.shift()?.();
    }
  }

  /** Waits until another load may begin. */
  async #slot(): Promise<void> {
    while (this.#loads >= LOADS_AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#loads++;
  }

  async #load(guest: number, line: string, limits: IsolateLimits): Promise<string> {
    this.#waiting++;
    const host = await this.#running().finally(() => this.#waiting--);
    return await new Promise((resolve, reject) => {
      this.#loading.set(guest, { resolve, reject });
      this.#slices.set(guest, limits.sliceMs);
      if (!host.send(line)) {
        this.#loaded(guest)?.reject(new PluginError("busy", "too much waits for the host"));
      }
    });
  }

  admit(guest: number, grant: Grant): void {
    this.#slices.set(guest, grant.sliceMs);
    this.#host?.send(`A ${guest} ${JSON.stringify(grant)}`);
  }

  call(guest: number, call: number, command: string, request: string): void {
    if (!this.#host) return this.events.failed(call, "crashed", "the plug-in host is down");
    this.#open.set(call, { begun: false });
    if (this.#host.send(`C ${guest} ${call} ${command} ${request}`)) return;
    this.#open.delete(call);
    this.events.failed(call, "busy", "too much waits for the plug-in host");
  }

  answer(guest: number, seq: number, ok: boolean, text: string): void {
    this.#host?.send(`R ${guest} ${seq} ${ok ? "=" : "!"}${text}`);
  }

  cancel(call: number): void {
    if (this.#open.delete(call)) this.#host?.send(`X ${call}`);
  }

  unload(guest: number): void {
    this.#slices.delete(guest);
    this.#host?.send(`U ${guest}`);
    this.#loaded(guest)?.reject(new PluginError("closed", "it was unloaded while it was loading"));
    this.#leaveEmpty();
  }

  residentBytes(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const question = ++this.#questions;
      if (this.#host?.send(`Q ${question}`)) this.#asked.set(question, resolve);
      else resolve(undefined);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new PluginError("closed", "the plug-in manager was shut down"));
    this.#empty?.cancel();
    await this.#starting?.catch(() => {});
    await this.#host?.close();
    await this.#closing;
  }

  /** A host without plug-ins ends after a while, and gives its memory back. */
  #leaveEmpty(): void {
    const idle = () => this.#slices.size === 0 && this.#waiting === 0 && !this.#closed.signal.aborted;
    if (!idle() || !this.#host) return;
    this.#empty?.cancel();
    this.#empty = this.deps.clock.setTimer(() => {
      const host = this.#host;
      if (!idle() || !host) return;
      this.#host = undefined; // whoever loads from now on gets another one
      this.deps.log.debug("plug-in host ends: no plug-in is left in it", { pid: host.pid });
      this.#closing = this.#closing.then(() => host.close());
    }, EMPTY_MS);
  }

  /** The host, started if need be. */
  #running(): Promise<HostProcess> {
    if (this.#host) return this.#host.ready.then(() => this.#host ?? this.#running(), this.#startError);
    return this.#starting ??= this.#start().finally(() => this.#starting = undefined);
  }

  readonly #startError = (error: unknown): never => {
    throw error instanceof PluginError
      ? error
      : new PluginError("crashed", `starting the plug-in host failed: ${messageOf(error)}`, { cause: error });
  };

  async #start(): Promise<HostProcess> {
    const { clock, log } = this.deps, signal = this.#closed.signal;
    this.#starts = this.#starts.filter((at) => clock.monotonic() - at < 60_000);
    if (this.#starts.length >= STARTS_A_MINUTE) {
      log.error("plug-in host ended too often: waiting", { milliseconds: START_PAUSE_MS });
      await sleep(clock, START_PAUSE_MS, signal);
    }
    signal.throwIfAborted();
    this.#starts.push(clock.monotonic());
    try {
      const host: HostProcess = this.#host = new HostProcess(this.command, {
        clock,
        log,
        stuckMs: () => Math.max(0, ...this.#slices.values()) + GRACE_MS,
        expecting: () => this.#open.size > 0 || this.#loading.size > 0,
        onLine: (line) => {
          if (this.#host === host) this.#onLine(line);
        },
        onGone: (reason, kind) => {
          if (this.#host === host) this.#onGone(reason, kind);
        },
      });
      await host.ready;
      log.debug("plug-in host is ready", { pid: host.pid });
      return host;
    } catch (error) {
      return this.#startError(error);
    }
  }

  #onGone(reason: string, kind: "stuck" | "exited" | "closed"): void {
    const open = new Map(this.#open), loading = [...this.#loading];
    const guilty = kind === "closed" || /SIGKILL|SIGTERM|SIGINT/.test(reason) ? undefined : this.#entered;
    this.#host = undefined;
    const entered = this.#entered;
    this.#entered = undefined;
    this.#open.clear();
    this.#loading.clear();
    this.#slices.clear();
    for (const resolve of this.#asked.values()) resolve(undefined);
    this.#asked.clear();
    if (kind !== "closed") this.deps.log.warn("plug-in host is down", { reason, guest: guilty });
    for (const [guest, { reject }] of loading) {
      // Only the one that was being entered is at fault; the others are to try again.
      const code = guest !== guilty ? "closed" : kind === "stuck" ? "timeout" : "crashed";
      reject(new PluginError(code, `the plug-in host ${reason}`));
    }
    this.events.down({
      reason: `the plug-in host ${reason}`,
      guilty,
      stuck: kind === "stuck",
      begun: (call, guest) => guest === entered || (open.get(call)?.begun ?? true),
    });
  }

  #loaded(guest: number): Loading | undefined {
    const loading = this.#loading.get(guest);
    this.#loading.delete(guest);
    return loading;
  }

  /** A line from the host, which is not trusted: whatever does not fit ends it. */
  #onLine(line: string): void {
    const fields = new Fields(line);
    switch (line[0]) {
      case "S": {
        const call = fields.number(), text = fields.rest();
        if (!this.#open.delete(call)) return;
        const fault = faultOf(text, "the reply");
        return fault ? this.events.failed(call, "limit", fault) : this.events.returned(call, text);
      }
      case "E": {
        const call = fields.number();
        if (!this.#open.delete(call)) return;
        const [code, message, stack] = JSON.parse(bounded(fields.rest())) as unknown[];
        return this.events.failed(call, codeOf(code), String(message), stack ? String(stack) : undefined);
      }
      case "B": {
        const open = this.#open.get(fields.number());
        if (open) open.begun = true;
        return;
      }
      case "N":
        this.#entered = fields.number();
        return;
      case "H": {
        const guest = fields.number(), seq = fields.number(), name = fields.text();
        return this.events.hostCall(guest, seq, name, bounded(fields.rest()));
      }
      case "G": {
        const guest = fields.number(), level = fields.text();
        return this.events.log(guest, level, String(JSON.parse(bounded(fields.rest()))));
      }
      case "T":
        return this.events.dropped(fields.number(), fields.number());
      case "Q": {
        const question = fields.number(), bytes = fields.number();
        this.#asked.get(question)?.(bytes);
        this.#asked.delete(question);
        return;
      }
      case "M":
        return this.events.usage(fields.number(), fields.number());
      case "F": {
        const guest = fields.number();
        const [kind, message] = JSON.parse(bounded(fields.rest())) as unknown[];
        this.#slices.delete(guest);
        this.#leaveEmpty();
        return this.events.fault(guest, { kind: faultKind(kind), message: String(message) });
      }
      case "D": {
        const guest = fields.number(), text = bounded(fields.rest());
        if (text[0] === "=") return this.#loaded(guest)?.resolve(text.slice(1));
        const [code, message] = JSON.parse(text.slice(1)) as unknown[];
        return this.#loaded(guest)?.reject(new PluginError(codeOf(code), String(message)));
      }
      default:
        throw new TypeError(`unknown line "${line.slice(0, 20)}"`);
    }
  }
}

function bounded(text: string): string {
  const fault = faultOf(text, "a field");
  if (fault) throw new RangeError(fault);
  return text;
}

function codeOf(code: unknown): PluginErrorCode {
  return isPluginErrorCode(code) ? code : "crashed";
}

function faultKind(kind: unknown): GuestFault["kind"] {
  return kind === "memory" || kind === "overruns" || kind === "stuck" ? kind : "crashed";
}
