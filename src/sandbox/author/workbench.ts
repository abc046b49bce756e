/**
 * One plug-in in the sandbox without a gateway around it, for its author: each call with its time and memory.
 *
 * It is the same engine, the same border and the same limits as on a gateway, in this process.
 *
 * @module
 */
import { type Clock, type Deps, type Log, type LogLevel, Metrics, silentLog } from "../../base/mod.ts";
import type { Engine, Isolate, Program } from "../engine.ts";
import { createQuickJsEngine } from "../engine_quickjs.ts";
import { Executor } from "../executor.ts";
import { type Guest, Guests } from "../guests.ts";
import { type JsonObject, parseObject } from "../json.ts";
import { DEFAULT_CEILINGS, type Manifest } from "../manifest.ts";
import type { Capabilities } from "../types.ts";
import { PluginError } from "../errors.ts";
import { faultOf } from "../json.ts";

/** What a workbench is made of. */
export interface WorkbenchOptions {
  readonly capabilities: Capabilities;
  /** Told of each line that the plug-in logs. */
  readonly onLog?: (level: LogLevel, text: string) => void;
}

/** How a call went. */
export interface MeasuredCall {
  /** The fields that the command returned; undefined where it failed. */
  readonly reply: JsonObject | undefined;
  readonly error: PluginError | undefined;
  /** Where it threw: the engine's own lines, with the author's file and line. */
  readonly stack: string;
  /** From call to answer, in milliseconds. */
  readonly ms: number;
  /** Bytes in use inside the plug-in afterwards, and how many more than before; undefined where it is gone. */
  readonly bytes: number | undefined;
  readonly grown: number | undefined;
}

/** Makes workbenches that share the engine's compiled code. */
export class Workshop {
  readonly #engine: Engine;

  constructor(private readonly deps: Pick<Deps, "clock" | "random">) {
    this.#engine = createQuickJsEngine(deps.clock.monotonic.bind(deps.clock));
  }

  /** Loads a program. Rejects with the PluginError that a gateway would refuse it with. */
  async open(program: Program, { capabilities, onLog = () => {} }: WorkbenchOptions): Promise<Workbench> {
    const { clock } = this.deps, began = clock.monotonic();
    const isolates: Isolate[] = [], thrown = { stack: "" };
    const measured: Engine = {
      open: async (limits, output) => {
        const isolate = await this.#engine.open(limits, output);
        isolates.push(isolate);
        return isolate;
      },
    };
    const guests = new Guests({
      deps: { ...this.deps, log: silentLog, metrics: new Metrics() },
      capabilities,
      rules: { ceilings: DEFAULT_CEILINGS, capabilities: Object.keys(capabilities).sort() },
      hostCallMs: 60_000,
      logOf: () => authorLog(onLog, thrown),
      groupOf: () => "author",
      makeRunner: (events) => new Executor(clock, measured, events),
      events: { gone() {} },
    });
    try {
      const guest = await guests.load(program, { check: () => {} });
      return new Workbench(clock, guests, guest, isolates.at(-1)!, clock.monotonic() - began, thrown);
    } catch (error) {
      await guests[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** A loaded plug-in. */
export class Workbench implements AsyncDisposable {
  readonly manifest: Manifest;

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly guests: Guests,
    private readonly guest: Guest,
    private readonly isolate: Isolate,
    /** How long loading took, in milliseconds. */
    readonly loadMs: number,
    private readonly thrown: { stack: string },
  ) {
    this.manifest = guest.manifest;
  }

  /** Bytes in use inside the plug-in; undefined where it is gone. */
  get bytes(): number | undefined {
    if (this.guest.fault) return undefined;
    try {
      return this.isolate.usedBytes();
    } catch {
      return undefined;
    }
  }

  /** Calls a command within the manifest's time. Never rejects. */
  async call(command: string, request: JsonObject): Promise<MeasuredCall> {
    const before = this.bytes, began = this.clock.monotonic();
    let reply: JsonObject | undefined, error: PluginError | undefined;
    this.thrown.stack = "";
    try {
      if (!Object.hasOwn(this.manifest.commands, command)) {
        throw new PluginError("unknown_command", `"${this.manifest.name}" has no command "${command}"`);
      }
      const text = JSON.stringify(request), fault = faultOf(text, "the request");
      if (fault) throw new PluginError("limit", fault);
      reply = parseObject(
        await this.guests.callText(this.guest, command, text, this.manifest.limits.callMs),
      );
    } catch (thrown) {
      if (!(thrown instanceof PluginError)) throw thrown;
      error = thrown;
    }
    const ms = this.clock.monotonic() - began, bytes = this.bytes;
    const grown = bytes === undefined || before === undefined ? undefined : bytes - before;
    return { reply, error, stack: error ? this.thrown.stack : "", ms, bytes, grown };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guests.retire(this.guest, 0);
    await this.guests[Symbol.asyncDispose]();
  }
}

/** What the plug-in logs goes to `onLog`; the stack of what it threw is kept aside. */
function authorLog(onLog: (level: LogLevel, text: string) => void, thrown: { stack: string }): Log {
  const log: Log = {
    debug(message, fields) {
      if (typeof fields?.stack === "string") thrown.stack = fields.stack;
      else onLog("debug", message);
    },
    info: (message) => onLog("info", message),
    warn: (message) => onLog("warn", message),
    error: (message) => onLog("error", message),
    with: () => log,
    enabled: () => true,
  };
  return log;
}
