/**
 * The guests that are loaded, their open calls, and the host functions that they call. Knows nothing of files
 * and of what is wanted: that is `manager.ts`.
 *
 * @module
 */
import { type Deps, type Log, messageOf, type Timer, TokenBucket } from "../base/mod.ts";
import { type Program, SMALLEST_MEMORY } from "./engine.ts";
import { PluginError, type PluginErrorCode } from "./errors.ts";
import { OPEN_HOST_CALLS } from "./guest.ts";
import { faultOf, type Json } from "./json.ts";
import { type Manifest, type ManifestRules, type ProgramFacts, readFacts } from "./manifest.ts";
import type { GuestFault, Runner, RunnerDown, RunnerEvents } from "./runner.ts";
import type { Capabilities, HostFunction } from "./types.ts";

/** How many seconds' worth of log lines a plug-in may write at once. */
const LOG_BURST_SECONDS = 5;

/** A call on its way. It may be handed from one guest to another while it was not begun. */
export class OpenCall {
  readonly id: number;
  guest: Guest | undefined;
  timer: Timer | undefined;
  retried = false;
  readonly resolve: (text: string) => void;
  readonly reject: (error: PluginError) => void;

  constructor(
    id: number,
    readonly command: string,
    readonly request: string,
    resolve: (text: string) => void,
    reject: (error: PluginError) => void,
  ) {
    this.id = id;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** A loaded plug-in program in its engine. */
export class Guest {
  readonly open = new Set<OpenCall>();
  readonly ended = new AbortController();
  bytes = 0;
  hostCalls = 0;
  /** Log lines that came too fast since the last one that was let through. */
  droppedLogs = 0;
  readonly logs: TokenBucket;
  readonly messages: TokenBucket;
  /** What it did, where it is gone by its own doing. */
  fault: GuestFault | undefined;
  /** Set while someone waits for its last call to finish. */
  onIdle: (() => void) | undefined;

  constructor(
    readonly id: number,
    readonly manifest: Manifest,
    readonly facts: ProgramFacts,
    readonly functions: ReadonlyMap<string, HostFunction>,
    readonly log: Log,
    clock: Deps["clock"],
  ) {
    const { logsPerSecond, messagesPerMinute } = manifest.limits;
    this.logs = new TokenBucket(clock, logsPerSecond, logsPerSecond * LOG_BURST_SECONDS);
    this.messages = new TokenBucket(clock, messagesPerMinute / 60, messagesPerMinute);
  }
}

/** What the owner of {@linkcode Guests} is told. */
export interface GuestsEvents {
  /**
   * A guest is gone by itself: by its own doing (`guest.fault`), or with its host process. `orphans`: calls that
   * were not begun, for another guest to take. All its other calls were answered.
   */
  gone(guest: Guest, reason: string, orphans: OpenCall[]): void;
}

/** Settings of {@linkcode Guests}. */
export interface GuestsOptions {
  readonly deps: Deps;
  readonly capabilities: Capabilities;
  readonly rules: ManifestRules;
  readonly hostCallMs: number;
  /** The log of a plug-in. Default: the one of `deps`, with its name. */
  readonly logOf?: (plugin: string) => Log;
  readonly makeRunner: (events: RunnerEvents) => Runner;
  readonly events: GuestsEvents;
}

/** How often a load is tried again that another plug-in's failure spoilt. */
const LOAD_TRIES = 3;

/** Loads and calls guests. */
export class Guests implements AsyncDisposable {
  readonly #runner: Runner;
  readonly #guests = new Map<number, Guest>();
  readonly #calls = new Map<number, OpenCall>();
  #lastGuest = 0;
  #lastCall = 0;
  #closed = false;

  constructor(private readonly options: GuestsOptions) {
    this.#runner = options.makeRunner({
      returned: (call, text) => this.#settle(call, (open) => open.resolve(text)),
      failed: (call, code, message, stack) => this.#failed(call, code, message, stack),
      hostCall: (guest, seq, name, args) => void this.#hostCall(guest, seq, name, args),
      log: (guest, level, text) => this.#log(guest, level, text),
      usage: (guest, bytes) => this.#usage(guest, bytes),
      fault: (guest, fault) => this.#fault(guest, fault),
      down: (down) => this.#down(down),
    });
  }

  get hostPid(): number | undefined {
    return this.#runner.pid;
  }

  residentBytes(): Promise<number | undefined> {
    return this.#runner.residentBytes();
  }

  /**
   * Loads a program, checks its manifest, grants it what it may have and starts it; and asks it how it is, where
   * `health` is set and it can tell. Rejects with a PluginError.
   */
  async load(program: Program, check: (manifest: Manifest) => void, health = false): Promise<Guest> {
    const { rules } = this.options, limits = limitsOf(rules.ceilings);
    for (let tried = 1;; tried++) {
      const id = ++this.#lastGuest;
      let guest: Guest | undefined;
      try {
        const text = await this.#runner.load(id, program, limits);
        const { manifest, facts } = readFacts(text, rules);
        check(manifest);
        const { logOf } = this.options;
        const log = logOf?.(manifest.name) ?? this.options.deps.log.with({ plugin: manifest.name });
        guest = new Guest(id, manifest, facts, this.#functionsOf(manifest), log, this.options.deps.clock);
        this.#guests.set(id, guest);
        this.#runner.admit(id, { ...limitsOf(manifest.limits), functions: [...guest.functions.keys()] });
        if (facts.start) await this.callText(guest, "@start", "{}", manifest.limits.callMs);
        if (health && facts.health) await this.callText(guest, "@health", "{}", manifest.limits.callMs);
        if (guest.fault) throw new PluginError(codeOf(guest.fault), guest.fault.message);
        if (!this.#guests.has(id)) throw new PluginError("closed", "its host process ended");
        return guest;
      } catch (error) {
        const spoilt = error instanceof PluginError && error.code === "closed";
        this.unload(guest ?? id);
        if (!spoilt || this.#closed || tried >= LOAD_TRIES) throw error;
      }
    }
  }

  /** Calls a command: the JSON of its result. */
  callText(guest: Guest, command: string, request: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = this.newCall(command, request, resolve, reject);
      this.dispatch(guest, call);
      this.limitTime(call, timeoutMs);
    });
  }

  /** A call that waits to be dispatched. */
  newCall(
    command: string,
    request: string,
    resolve: (text: string) => void,
    reject: (error: PluginError) => void,
  ): OpenCall {
    const call = new OpenCall(++this.#lastCall, command, request, resolve, reject);
    this.#calls.set(call.id, call);
    return call;
  }

  /** Gives the call to the guest. It may be settled before this returns. */
  dispatch(guest: Guest, call: OpenCall): void {
    if (!this.#calls.has(call.id)) return;
    if (!this.#guests.has(guest.id)) {
      return this.#failed(call.id, "crashed", "the plug-in is not loaded any more");
    }
    call.guest = guest;
    guest.open.add(call);
    this.#runner.call(guest.id, call.id, call.command, call.request);
  }

  /** Sets the call's deadline, if it is still open. */
  limitTime(call: OpenCall, timeoutMs: number): void {
    if (!this.#calls.has(call.id)) return;
    call.timer = this.options.deps.clock.setTimer(() => {
      this.#runner.cancel(call.id);
      this.#failed(call.id, "timeout", `no answer within ${timeoutMs} ms`);
    }, timeoutMs);
  }

  /** Ends a call from outside. */
  fail(call: OpenCall, code: PluginErrorCode, message: string): void {
    this.#failed(call.id, code, message);
  }

  /** Resolves when the guest has no open call any more, or after `ms` milliseconds. */
  async drain(guest: Guest, ms: number): Promise<void> {
    if (guest.open.size === 0 || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.options.deps.clock.setTimer(resolve, ms);
      guest.onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
    guest.onIdle = undefined;
  }

  /** Lets calls finish for `ms` milliseconds, tells the program to stop, and unloads it. */
  async retire(guest: Guest, ms: number): Promise<void> {
    await this.drain(guest, ms);
    if (guest.facts.stop && this.#guests.has(guest.id)) {
      await this.callText(guest, "@stop", "{}", Math.min(1000, guest.manifest.limits.callMs))
        .catch((error) => guest.log.warn("plug-in did not stop cleanly", { error: messageOf(error) }));
    }
    this.unload(guest);
  }

  /** Unloads a guest; its open calls are answered `crashed`. */
  unload(guest: Guest | number): void {
    const id = typeof guest === "number" ? guest : guest.id;
    this.#runner.unload(id);
    if (!this.#guests.delete(id) || typeof guest === "number") return;
    guest.ended.abort();
    for (const call of [...guest.open]) this.#failed(call.id, "crashed", "the plug-in was stopped");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const guest of [...this.#guests.values()]) this.unload(guest);
    for (const call of [...this.#calls.values()]) {
      this.#failed(call.id, "closed", "the plug-in manager was shut down");
    }
    await this.#runner[Symbol.asyncDispose]();
  }

  #functionsOf(manifest: Manifest): Map<string, HostFunction> {
    const functions = new Map<string, HostFunction>();
    for (const capability of manifest.capabilities) {
      for (const [name, run] of Object.entries(this.options.capabilities[capability] ?? {})) {
        functions.set(name, run);
      }
    }
    return functions;
  }

  #settle(id: number, settle: (call: OpenCall) => void): void {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    call.timer?.cancel();
    const { guest } = call;
    if (guest) {
      guest.open.delete(call);
      if (guest.onIdle && guest.open.size === 0) guest.onIdle();
    }
    settle(call);
  }

  #failed(id: number, code: PluginErrorCode, message: string, stack?: string): void {
    this.#settle(id, (call) => {
      if (stack) call.guest?.log.debug("plug-in threw", { command: call.command, message, stack });
      call.reject(new PluginError(code, message));
    });
  }

  /** Runs a host function for a guest. The guest's process is not trusted: its rights are looked up here. */
  async #hostCall(id: number, seq: number, name: string, args: string): Promise<void> {
    const guest = this.#guests.get(id);
    if (!guest) return;
    let ok = false, value: Json | undefined;
    try {
      const run = guest.functions.get(name);
      if (!run) throw new Error(`no host function "${name}" among the capabilities of this plug-in`);
      if (guest.hostCalls >= OPEN_HOST_CALLS) {
        throw new Error(`${name}: too many calls to the host at one time`);
      }
      if (run.message && !guest.messages.take()) {
        throw new Error(`${name}: more than ${guest.manifest.limits.messagesPerMinute} messages a minute`);
      }
      guest.hostCalls++;
      try {
        value = await this.#bounded(guest, run, name, JSON.parse(args) as Json[]);
        ok = true;
      } finally {
        guest.hostCalls--;
      }
    } catch (error) {
      value = messageOf(error).slice(0, 1000);
    }
    let text = JSON.stringify(value ?? null) ?? "null";
    const fault = faultOf(text, `the answer of ${name}`);
    if (fault) [ok, text] = [false, JSON.stringify(fault)];
    if (this.#guests.has(id)) this.#runner.answer(id, seq, ok, text);
  }

  /** Runs a host function within its time, and not longer than the guest lives. */
  #bounded(guest: Guest, run: HostFunction, name: string, args: Json[]): Promise<Json | undefined> {
    const { deps } = this.options, hostCallMs = run.maxMs ?? this.options.hostCallMs;
    const late = new AbortController(), { signal: ended } = guest.ended;
    return new Promise<Json | undefined>((resolve, reject) => {
      const giveUp = (message: string) => {
        settled();
        late.abort();
        reject(new Error(message));
      };
      const timer = deps.clock.setTimer(
        () => giveUp(`${name}: no answer within ${hostCallMs} ms`),
        hostCallMs,
      );
      const onEnded = () => giveUp("the plug-in ended");
      const settled = () => {
        timer.cancel();
        ended.removeEventListener("abort", onEnded);
      };
      ended.addEventListener("abort", onEnded, { once: true });
      const { id, manifest } = guest, { name: plugin, version } = manifest;
      const call = { plugin, version, manifest, guest: id, signal: late.signal };
      new Promise<Json | undefined>((done) => done(run(args, call)))
        .finally(settled).then(resolve, reject);
    });
  }

  #log(id: number, level: string, text: string): void {
    const guest = this.#guests.get(id), log = guest?.log ?? this.options.deps.log;
    if (guest) {
      if (!guest.logs.take()) return void guest.droppedLogs++;
      if (guest.droppedLogs > 0) log.warn(`${guest.droppedLogs} log lines came too fast: dropped`);
      guest.droppedLogs = 0;
    }
    if (level === "debug" || level === "warn" || level === "error") log[level](text);
    else log.info(text);
  }

  #usage(id: number, bytes: number): void {
    const guest = this.#guests.get(id);
    if (guest) guest.bytes = bytes;
  }

  #fault(id: number, fault: GuestFault): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    this.#guests.delete(id);
    guest.fault = fault;
    guest.ended.abort();
    const code = codeOf(fault);
    for (const call of [...guest.open]) this.#failed(call.id, code, fault.message);
    this.options.events.gone(guest, fault.message, []);
  }

  #down({ reason, guilty, stuck, begun }: RunnerDown): void {
    const guests = [...this.#guests.values()];
    this.#guests.clear();
    for (const guest of guests) {
      guest.ended.abort();
      const orphans: OpenCall[] = [];
      for (const call of [...guest.open]) {
        const lifecycle = call.command.startsWith("@");
        if (guest.id === guilty) this.#failed(call.id, stuck ? "timeout" : "crashed", reason);
        else if (lifecycle) this.#failed(call.id, "closed", reason);
        else if (call.retried || begun(call.id, guest.id)) this.#failed(call.id, "crashed", reason);
        else {
          call.retried = true;
          guest.open.delete(call);
          call.guest = undefined;
          orphans.push(call);
        }
      }
      if (guest.id === guilty) guest.fault = { kind: stuck ? "stuck" : "crashed", message: reason };
      this.options.events.gone(guest, reason, orphans);
    }
  }
}

function codeOf(fault: GuestFault): PluginErrorCode {
  return fault.kind === "memory" ? "limit" : fault.kind === "crashed" ? "crashed" : "timeout";
}

function limitsOf(limits: { memoryMb: number; cpuMs: number }) {
  return { memoryBytes: Math.max(SMALLEST_MEMORY, limits.memoryMb * 1024 * 1024), sliceMs: limits.cpuMs };
}
