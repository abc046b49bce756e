/**
 * Promises of a guest that were rejected and that nobody handles.
 *
 * QuickJS tells its host of them by a C callback that quickjs-emscripten does not offer. So it is put where the engine
 * keeps it: right behind the interrupt handler, whose place is seen when the library sets that one. What lies there
 * is checked first; the library's version is pinned, and the engine's tests fail if it changes.
 *
 * @module
 */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import { ENGINE_TABLE } from "./wasm_meter.ts";

/** The inside of a context and its runtime as far as it is used here; pointers are addresses in the guest's memory. */
interface ContextInside {
  readonly ctx: { readonly value: number };
  readonly memory: {
    readonly module: { readonly HEAPU8: Uint8Array; _malloc(bytes: number): number };
    heapValueHandle(pointer: number): QuickJSHandle;
  };
  readonly ffi: { QTS_DupValuePointer(context: number, value: number): number };
}
interface RuntimeInside {
  readonly rt: { readonly value: number };
}

/** Words of the engine's runtime within which its interrupt handler is. */
const RUNTIME_WORDS = 256;

/** `(context, promise, reason, isHandled, opaque)`: a value of the engine is 64 bits wide. */
type Tracker = (context: number, promise: bigint, reason: bigint, isHandled: number, opaque: number) => void;

/** A module that imports such a function as `a.f` and exports it as `f`, which gives it its type in WebAssembly. */
// deno-fmt-ignore
const TYPED = new WebAssembly.Module(new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 9, 1, 0x60, 5, 0x7f, 0x7e, 0x7e, 0x7f, 0x7f, 0,
  2, 7, 1, 1, 0x61, 1, 0x66, 0, 0,
  7, 5, 1, 1, 0x66, 0, 0,
]));

/** Collects the rejections of one guest. */
export class Rejections {
  /** By promise; that is held, too, so that no other one takes its place in memory. */
  #open = new Map<bigint, { readonly promise: QuickJSHandle; readonly reason: QuickJSHandle }>();
  #more = 0;

  /**
   * `setInterruptHandler` is called once, and is to set the runtime's first. `most`: how many are kept between two
   * calls of `take`. Throws TypeError where the engine is not laid out as it should be.
   */
  constructor(
    instance: WebAssembly.Instance,
    runtime: QuickJSRuntime,
    context: QuickJSContext,
    private readonly most: number,
    setInterruptHandler: () => void,
  ) {
    // Private in the library's declarations.
    const inside = context as unknown as ContextInside, { memory: { module }, ffi, ctx } = inside;
    const at = (runtime as unknown as RuntimeInside).rt.value;
    const words = () => new Uint32Array(module.HEAPU8.buffer, at, RUNTIME_WORDS);
    const before = words().slice();
    setInterruptHandler();
    const changed = [...words().entries()].filter(([i, word]) => word !== before[i]);
    const place = changed[0]?.[0] ?? 0, tracker = place + 2, jobs = place + 4, now = words();
    // Behind the handler: what it is called with, the tracker, what that is called with, and a list that is empty.
    if (
      changed.length !== 1 || now[tracker] !== 0 || now[tracker + 1] !== 0 ||
      now[jobs] !== at + 4 * jobs || now[jobs + 1] !== at + 4 * jobs
    ) {
      throw new TypeError("the engine has another shape");
    }
    const scratch = module._malloc(8);
    const hold = (value: bigint): QuickJSHandle => {
      new DataView(module.HEAPU8.buffer).setBigUint64(scratch, BigInt.asUintN(64, value), true);
      const pointer = ffi.QTS_DupValuePointer(ctx.value, scratch);
      if (pointer === 0) throw new RangeError("no memory for a rejection");
      return inside.memory.heapValueHandle(pointer);
    };
    const track: Tracker = (_, promise, reason, isHandled) => {
      if (isHandled) return this.#handled(promise);
      if (this.#open.size >= this.most) return void this.#more++;
      this.#open.set(promise, { promise: hold(promise), reason: hold(reason) });
    };
    const { exports } = new WebAssembly.Instance(TYPED, { a: { f: track } });
    const table = instance.exports[ENGINE_TABLE] as WebAssembly.Table;
    now[tracker] = table.grow(1);
    table.set(now[tracker], exports["f"] as CallableFunction);
  }

  /** Those since the last time, and how many more there were. Whoever takes them disposes of them. */
  take(): { reasons: QuickJSHandle[]; more: number } {
    const more = this.#more,
      reasons = [...this.#open.values()].map(({ promise, reason }) => {
        promise.dispose();
        return reason;
      });
    this.#open = new Map();
    this.#more = 0;
    return { reasons, more };
  }

  get empty(): boolean {
    return this.#open.size === 0;
  }

  #handled(promise: bigint): void {
    const held = this.#open.get(promise);
    if (held) {
      this.#open.delete(promise);
      held.promise.dispose();
      held.reason.dispose();
    } else if (this.#more > 0) this.#more--;
  }
}
