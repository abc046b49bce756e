/**
 * The {@linkcode Engine} on QuickJS compiled to WebAssembly (quickjs-emscripten, the synchronous release build).
 *
 * One WebAssembly instance a guest, because only the WebAssembly memory itself is a memory limit that holds:
 * the runtime's own limit does not in this build. The stack stays at 256 KiB: with a larger one, deep recursion
 * ends in the host's stack overflow instead of a clean error in the guest. Some native parts of QuickJS (a deep
 * `JSON.parse` among them) overflow the host's stack all the same; the instance is then unfit and is dropped
 * without being disposed of, since disposing may abort.
 *
 * The interrupt handler of QuickJS stops loops in JavaScript. Built-ins that work on for long by themselves (a
 * search, a sort) are stopped by the meter of `wasm_meter.ts`; the instance is then unfit as well.
 *
 * @module
 */
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
} from "quickjs-emscripten-core";
import {
  type Engine,
  EngineFault,
  type GuestOutput,
  type Isolate,
  type IsolateLimits,
  type Program,
  ProgramError,
} from "./engine.ts";
import { ERROR_LENGTH, GUEST_SOURCE, LOG_LENGTH, LOGS_AT_ONCE, OPEN_HOST_CALLS } from "./guest.ts";
import { JSON_LENGTH } from "./json.ts";
import { resolveModule } from "./program.ts";
import { TextCalls } from "./quickjs_calls.ts";
import { CappedMemory, Meter } from "./quickjs_limits.ts";
import { deliver, describeHostError, describeThrown } from "./quickjs_output.ts";
import { Rejections } from "./quickjs_rejections.ts";
import { QUICKJS_WASM, releaseSync } from "./quickjs_variant.ts";
import { meterLoops } from "./wasm_meter.ts";

const BRACE = 0x7b;
const STACK_BYTES = 256 * 1024;
/** The most that a guest may leave for the host in one stretch, in UTF-16 units. */
const OUTPUT_LENGTH = 8 * 1024 * 1024;

/** By what names the module imports its functions: whether to interrupt a runtime (by its address), and more memory. */
const IMPORTS = "a", SHOULD_INTERRUPT = "i", RESIZE = "k";

/** Makes the engine. `now`: a clock that never jumps, in milliseconds. */
export function createQuickJsEngine(now: () => number): Engine {
  const compiled = WebAssembly.compile(meterLoops(QUICKJS_WASM, SHOULD_INTERRUPT));
  compiled.catch(() => {}); // told to whoever opens a guest
  return {
    async open(limits, output) {
      const memory = new CappedMemory(limits.memoryBytes), meter = new Meter(now);
      // A guest that was refused memory is lost, whatever it makes of that: it need not go on until its time is up.
      const ask = () => memory.refused ? 1 : meter.ask();
      const module = await compiled;
      let instance: WebAssembly.Instance;
      const instantiateWasm = async (
        imports: Record<string, Record<string, WebAssembly.ImportValue>>,
        onInstance: (instance: WebAssembly.Instance) => void,
      ) => {
        const functions = imports[IMPORTS]!,
          interrupt = functions[SHOULD_INTERRUPT] as (rt: number) => number,
          resize = functions[RESIZE] as (bytes: number) => boolean;
        functions[RESIZE] = (bytes: number) => memory.resized(resize(bytes));
        // The meter asks with 0, where no runtime is.
        functions[SHOULD_INTERRUPT] = (rt: number) => rt === 0 ? ask() : interrupt(rt);
        onInstance(instance = await WebAssembly.instantiate(module, imports));
      };
      const quickjs = await newQuickJSWASMModuleFromVariant(
        newVariant(releaseSync, {
          // The library's declarations leave out what it hands on to the module's loader.
          emscriptenModule: { instantiateWasm } as object,
          wasmMemory: memory.memory,
        }),
      );
      const runtime = quickjs.newRuntime();
      return new QuickJsIsolate(instance!, runtime, memory, meter, limits, output);
    },
  };
}

class QuickJsIsolate implements Isolate {
  readonly #context: QuickJSContext;
  readonly #api: Record<"adopt" | "admit" | "invoke" | "answer" | "take", QuickJSHandle>;
  readonly #calls: TextCalls;
  readonly #rejections: Rejections;
  readonly #names = new Map<string, QuickJSHandle>();
  #lost = false;
  unfinished = false;

  constructor(
    instance: WebAssembly.Instance,
    private readonly runtime: QuickJSRuntime,
    private readonly memory: CappedMemory,
    private readonly meter: Meter,
    limits: IsolateLimits,
    private readonly output: GuestOutput,
  ) {
    runtime.setMaxStackSize(STACK_BYTES);
    const context = this.#context = runtime.newContext();
    this.#rejections = new Rejections(instance, runtime, context, LOGS_AT_ONCE, () => {
      runtime.setInterruptHandler(() => memory.refused || meter.interrupt());
    });
    this.#calls = new TextCalls(context);
    const make = context.unwrapResult(context.evalCode(GUEST_SOURCE, "gatehouse:guest", { type: "global" }));
    const bounds = [JSON_LENGTH, OPEN_HOST_CALLS, LOG_LENGTH, ERROR_LENGTH, LOGS_AT_ONCE];
    const api = context.unwrapResult(
      context.callFunction(make, context.undefined, bounds.map((n) => context.newNumber(n))),
    );
    const part = (name: string) => context.getProp(api, name);
    this.#api = {
      adopt: part("adopt"),
      admit: part("admit"),
      invoke: part("invoke"),
      answer: part("answer"),
      take: part("take"),
    };
    // Only now: what ran so far is our own, and slow where the machine is busy.
    meter.sliceMs = limits.sliceMs;
  }

  load(program: Program): string {
    return this.#slice(() => {
      const context = this.#context;
      this.runtime.setModuleLoader(
        (name) => {
          const source = Object.hasOwn(program.modules, name) ? program.modules[name] : undefined;
          return source ?? { error: new Error(`no module "${name}" in the plug-in's folder`) };
        },
        (from, specifier) => {
          const path = resolveModule(from, specifier);
          return path ??
            { error: new Error(`import of "${specifier}": only "./" and "../" within the folder`) };
        },
      );
      const source = program.modules[program.entry] ?? "";
      const result = this.#entered(() => context.evalCode(source, program.entry, { type: "module" }));
      if (result.error) throw new ProgramError(this.#describe(result.error));
      this.#runJobs();
      let namespace = result.value;
      const state = context.getPromiseState(namespace);
      if (state.type === "rejected") throw new ProgramError(this.#describe(state.error));
      if (state.type === "pending") throw new ProgramError("top-level await that never settles");
      if (!("notAPromise" in state)) namespace = state.value;
      const adopted = this.#entered(() =>
        context.callFunction(this.#api.adopt, context.undefined, namespace)
      );
      if (adopted.error) throw new ProgramError(this.#describe(adopted.error));
      return this.#text(adopted.value);
    });
  }

  admit(functions: readonly string[], limits: IsolateLimits): void {
    this.meter.sliceMs = limits.sliceMs;
    this.memory.limitBytes = limits.memoryBytes;
    this.#slice(() => {
      const context = this.#context, names = context.newString(JSON.stringify(functions));
      const result = this.#entered(() => context.callFunction(this.#api.admit, context.undefined, names));
      names.dispose();
      if (result.error) throw new Error(this.#describe(result.error));
      result.value.dispose();
    });
    if (this.heapBytes > limits.memoryBytes) {
      throw new EngineFault("memory", `loading it took ${mib(this.heapBytes)}: more than ${this.#most}`);
    }
  }

  invoke(call: number, command: string, request: string): void {
    this.#slice(() => {
      const text = this.#enter(this.#api.invoke, call, this.#nameOf(command), request);
      if (text.charCodeAt(0) === BRACE) this.output.returned(call, text);
      else if (text.length > 0) this.#deliver(text);
      this.#drain();
    });
  }

  answer(seq: number, ok: boolean, text: string): void {
    const { true: yes, false: no } = this.#context;
    this.#slice(() => {
      const left = this.#enter(this.#api.answer, seq, ok ? yes : no, text);
      if (left.length > 0) this.#deliver(left);
      this.#drain();
    });
  }

  resume(): void {
    this.#slice(() => this.#drain());
  }

  get heapBytes(): number {
    return this.memory.memory.buffer.byteLength;
  }

  usedBytes(): number {
    return this.#slice(() => {
      const usage = this.runtime.computeMemoryUsage();
      const used = this.#context.getProp(usage, "memory_used_size");
      const bytes = this.#context.getNumber(used);
      used.dispose();
      usage.dispose();
      return bytes;
    });
  }

  dispose(): void {
    // Not the library's dispose: after a fault it may abort, and dropping the whole instance frees as much.
    this.#lost = true;
  }

  /** Runs `work` as one stretch: the time limit starts now, and whatever the engine throws becomes a fault. */
  #slice<T>(work: () => T): T {
    if (this.#lost) throw new EngineFault("crashed", "the guest was discarded");
    this.meter.begin();
    try {
      return work();
    } catch (error) {
      if (error instanceof EngineFault || error instanceof ProgramError) throw error;
      this.#lost = true;
      if (this.memory.refused) throw this.#full();
      if (this.meter.trapped) {
        throw new EngineFault(
          "stuck",
          `did not come out of a built-in for more than ${this.meter.sliceMs} ms`,
        );
      }
      throw new EngineFault("crashed", describeHostError(error), { cause: error });
    }
  }

  /** Calls into the guest; notices there whether it was broken off or ran out of memory. */
  #entered<T>(enter: () => T): T {
    const result = enter();
    if (this.memory.refused) throw this.#full();
    if (this.meter.interrupted) {
      this.unfinished = this.runtime.hasPendingJob();
      throw new EngineFault("interrupted", `held the processor for more than ${this.meter.sliceMs} ms`);
    }
    return result;
  }

  #full(): EngineFault {
    this.#lost = true;
    return new EngineFault("memory", `needs more memory than ${this.#most}`);
  }

  /** Its limit, by the name that the author gave it. */
  get #most(): string {
    return `its limit of ${mib(this.memory.limitBytes)} (limits.memoryMb)`;
  }

  #enter(func: QuickJSHandle, number?: number, handle?: QuickJSHandle, text?: string): string {
    const result = this.#entered(() => this.#calls.call(func, number, handle, text));
    if (typeof result === "string") return result;
    throw new Error(this.#describe(result));
  }

  /** The guest's string for a command's name, made once: `load` bounds how many there are. */
  #nameOf(command: string): QuickJSHandle {
    let handle = this.#names.get(command);
    if (!handle) this.#names.set(command, handle = this.#context.newString(command));
    return handle;
  }

  #drain(): void {
    this.unfinished = false;
    if (this.runtime.hasPendingJob()) {
      this.#runJobs();
      const text = this.#enter(this.#api.take);
      if (text.length > 0) this.#deliver(text);
    }
    if (!this.#rejections.empty) this.#tellRejections();
  }

  /** Logs what was rejected and is not handled now that no job is left. */
  #tellRejections(): void {
    const { reasons, more } = this.#rejections.take();
    for (const reason of reasons) this.output.log("error", `Uncaught (in promise) ${this.#describe(reason)}`);
    if (more > 0) this.output.dropped(more);
  }

  #runJobs(): void {
    // A job ends with an error only where it was broken off: what jobs throw goes to their promises.
    this.#entered(() => this.runtime.executePendingJobs()).dispose();
  }

  /** The text behind `handle`, which is disposed of. */
  #text(handle: QuickJSHandle): string {
    const text = this.#context.getString(handle);
    handle.dispose();
    return text;
  }

  #deliver(text: string): void {
    if (text.length > OUTPUT_LENGTH) {
      this.#lost = true;
      throw new EngineFault("memory", `left ${text.length} characters for the host at once`);
    }
    deliver(text, this.output);
  }

  /** What a guest threw, with the author's own file and line. */
  #describe(error: QuickJSHandle): string {
    // Telling it runs the guest's own code: getters, toJSON.
    const thrown: unknown = this.#entered(() => this.#context.dump(error));
    error.dispose();
    return describeThrown(thrown);
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 102.4) / 10} MiB`;
}
