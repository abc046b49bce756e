/**
 * The guests that are loaded, where they run, and their open calls. Knows nothing of files and of what is wanted:
 * that is `manager.ts`.
 *
 * Each tier of trust has a runner of its own, which is made when its first plug-in is loaded. What a runner says
 * counts only for the guests that run there: the process behind it is not trusted.
 *
 * @module
 */
import { type Deps, type Log, messageOf } from "../base/mod.ts";
import { type Program, SMALLEST_MEMORY } from "./engine.ts";
import { PluginError, type PluginErrorCode } from "./errors.ts";
import { HostCalls } from "./host_calls.ts";
import { Guest, OpenCall } from "./instance.ts";
import { type Manifest, type ManifestRules, readFacts } from "./manifest.ts";
import type { GuestFault, Runner, RunnerDown, RunnerEvents } from "./runner.ts";
import type { Capabilities, PluginAdmission, PluginHost } from "./types.ts";

export type { Guest, OpenCall } from "./instance.ts";

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
  /** Makes the runner of a group; see `groupOf`. */
  readonly makeRunner: (events: RunnerEvents, group: string) => Runner;
  /** Which guests run together: those of the same group, by their tier. */
  readonly groupOf: (tier: string | undefined) => string;
  readonly events: GuestsEvents;
}

/** How often a load is tried again that another plug-in's failure spoilt. */
const LOAD_TRIES = 3;

/** How the gateway marks its own words among a plug-in's lines. */
const OWN_WORDS = "[gateway]";

/** How a program is loaded. */
export interface GuestLoad {
  /** Throws a PluginError where the manifest is not what it should be. */
  readonly check: (manifest: Manifest) => void;
  /** How far it is trusted, where somebody was asked. */
  readonly admission?: PluginAdmission | undefined;
  /** Whether it is asked how it is, where it can tell. */
  readonly health?: boolean;
}

/** Loads and calls guests. */
export class Guests implements AsyncDisposable {
  readonly #runners = new Map<string, Runner>();
  readonly #hostCalls: HostCalls;
  readonly #guests = new Map<number, Guest>();
  readonly #calls = new Map<number, OpenCall>();
  #lastGuest = 0;
  #lastCall = 0;
  #closed = false;

  constructor(private readonly options: GuestsOptions) {
    const { deps, capabilities, hostCallMs } = options;
    this.#hostCalls = new HostCalls(deps.clock, capabilities, hostCallMs);
  }

  /** The processes that hold guests, by group. */
  hosts(): PluginHost[] {
    const hosts: PluginHost[] = [];
    for (const [tier, runner] of this.#runners) {
      if (runner.pid === undefined) continue;
      let plugins = 0;
      for (const guest of this.#guests.values()) plugins += guest.runner === runner ? 1 : 0;
      hosts.push({ tier, pid: runner.pid, plugins });
    }
    return hosts.sort((a, b) => a.tier < b.tier ? -1 : 1);
  }

  /** Resident bytes of all of them together; undefined where there is none. */
  async residentBytes(): Promise<number | undefined> {
    const all = await Promise.all([...this.#runners.values()].map((runner) => runner.residentBytes()));
    return all.reduce((sum, bytes) => bytes === undefined ? sum : (sum ?? 0) + bytes, undefined);
  }

  /**
   * Loads a program, checks its manifest, grants it what it may have and starts it; and asks it how it is, if that is
   * wanted. Rejects with a PluginError.
   */
  async load(program: Program, { check, admission, health = false }: GuestLoad): Promise<Guest> {
    const { rules, deps } = this.options, limits = limitsOf(rules.ceilings);
    const runner = this.#runnerOf(admission?.tier);
    for (let tried = 1;; tried++) {
      const id = ++this.#lastGuest;
      let guest: Guest | undefined;
      try {
        const text = await runner.load(id, program, limits);
        const { manifest, facts } = readFacts(text, rules);
        check(manifest);
        const log = this.options.logOf?.(manifest.name) ?? deps.log.with({ plugin: manifest.name });
        const functions = this.#hostCalls.functionsOf(manifest);
        guest = new Guest(id, runner, admission, manifest, facts, functions, log, deps.clock);
        this.#guests.set(id, guest);
        runner.admit(id, { ...limitsOf(manifest.limits), functions: [...functions.keys()] });
        if (facts.start) await this.#lifecycle(guest, "start");
        if (health && facts.health) await this.#lifecycle(guest, "health");
        if (guest.fault) throw new PluginError(codeOf(guest.fault), guest.fault.message);
        if (!this.#guests.has(id)) throw new PluginError("closed", "its host process ended");
        return guest;
      } catch (error) {
        const spoilt = error instanceof PluginError && error.code === "closed";
        if (guest) this.unload(guest);
        else runner.unload(id);
        if (!spoilt || this.#closed || tried >= LOAD_TRIES) throw error;
      }
    }
  }

  /** Calls one of the program's own functions; where that fails, its name is in the error. */
  async #lifecycle(guest: Guest, name: "start" | "health"): Promise<void> {
    try {
      await this.callText(guest, `@${name}`, "{}", guest.manifest.limits.callMs);
    } catch (error) {
      const code = error instanceof PluginError ? error.code : "crashed";
      throw new PluginError(code, `${name}(): ${messageOf(error)}`, { cause: error });
    }
  }

  /** A guest that is loaded. */
  get(id: number): Guest | undefined {
    return this.#guests.get(id);
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
    caller?: string | undefined,
  ): OpenCall {
    const call = new OpenCall(++this.#lastCall, command, request, resolve, reject, caller);
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
    guest.runner.call(guest.id, call.id, call.command, call.request);
  }

  /** Sets the call's deadline, if it is still open. */
  limitTime(call: OpenCall, timeoutMs: number): void {
    if (!this.#calls.has(call.id)) return;
    call.timer = this.options.deps.clock.setTimer(() => {
      call.guest?.runner.cancel(call.id);
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
      const over = () => {
        timer.cancel();
        guest.onIdle.delete(over);
        resolve();
      };
      const timer = this.options.deps.clock.setTimer(over, ms);
      guest.onIdle.add(over);
    });
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
  unload(guest: Guest): void {
    guest.runner.unload(guest.id);
    if (!this.#guests.delete(guest.id)) return;
    guest.ended.abort();
    for (const call of [...guest.open]) this.#failed(call.id, "crashed", "the plug-in was stopped");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const guest of [...this.#guests.values()]) this.unload(guest);
    for (const call of [...this.#calls.values()]) {
      this.#failed(call.id, "closed", "the plug-in manager was shut down");
    }
    await Promise.all([...this.#runners.values()].map((runner) => runner[Symbol.asyncDispose]()));
  }

  #runnerOf(tier: string | undefined): Runner {
    const group = this.options.groupOf(tier), known = this.#runners.get(group);
    if (known) return known;
    /** The guest of that number, if this runner runs it. */
    const own = (id: number) => {
      const guest = this.#guests.get(id);
      return guest?.runner === runner ? guest : undefined;
    };
    const runner: Runner = this.options.makeRunner({
      returned: (call, text) => this.#settle(call, (open) => open.resolve(text)),
      failed: (call, code, message, stack) => this.#failed(call, code, message, stack),
      hostCall: (id, seq, name, args) => void this.#hostCall(own(id), seq, name, args),
      log: (id, level, text) => this.#log(own(id), level, text),
      dropped: (id, lines) => own(id)?.logs.drop(lines),
      usage: (id, bytes) => {
        const guest = own(id);
        if (guest) guest.bytes = bytes;
      },
      fault: (id, fault) => this.#fault(own(id), fault),
      down: (down) => this.#down(runner, down),
    }, group);
    this.#runners.set(group, runner);
    return runner;
  }

  #settle(id: number, settle: (call: OpenCall) => void): void {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    call.timer?.cancel();
    const { guest } = call;
    if (guest) {
      guest.open.delete(call);
      if (guest.open.size === 0) { for (const told of [...guest.onIdle]) told(); }
    }
    settle(call);
  }

  #failed(id: number, code: PluginErrorCode, message: string, stack?: string): void {
    this.#settle(id, (call) => {
      if (stack) call.guest?.log.debug("plug-in threw", { command: call.command, message, stack });
      call.reject(new PluginError(code, message));
    });
  }

  async #hostCall(guest: Guest | undefined, seq: number, name: string, args: string): Promise<void> {
    if (!guest) return;
    const { ok, text } = await this.#hostCalls.run(guest, name, args);
    if (this.#guests.has(guest.id)) guest.runner.answer(guest.id, seq, ok, text);
  }

  /** `guest`: missing where its host process tells lies: what a program logs while it loads comes with its first call. */
  #log(guest: Guest | undefined, level: string, text: string): void {
    if (!guest) return;
    const { log } = guest;
    if (!guest.logs.take()) return;
    const line = text.startsWith(OWN_WORDS) ? `[plug-in] ${text}` : text;
    if (level === "debug" || level === "warn" || level === "error") log[level](line);
    else log.info(line);
  }

  #fault(guest: Guest | undefined, fault: GuestFault): void {
    if (!guest) return;
    this.#guests.delete(guest.id);
    guest.fault = fault;
    guest.ended.abort();
    const code = codeOf(fault);
    for (const call of [...guest.open]) this.#failed(call.id, code, fault.message);
    this.options.events.gone(guest, fault.message, []);
  }

  #down(runner: Runner, { reason, guilty, stuck, begun }: RunnerDown): void {
    const guests = [...this.#guests.values()].filter((guest) => guest.runner === runner);
    for (const guest of guests) this.#guests.delete(guest.id);
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
