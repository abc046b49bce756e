/**
 * Calls of guest functions on the inner layer of quickjs-emscripten: two thirds of the cost of its public calls.
 *
 * The public `callFunction` makes an array, a copy of it in the guest's memory and a few objects with disposers
 * for each call. Here the argument list and a buffer for short texts are made once a guest. The inner layer is not
 * part of the library's interface: its version is pinned, and the engine's tests fail if it changes.
 *
 * @module
 */
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten-core";

/** The parts of a context's insides that are used here; pointers are addresses in the guest's memory. */
interface ContextInside {
  readonly ctx: { readonly value: number };
  readonly memory: {
    readonly module: {
      readonly HEAPU8: Uint8Array;
      _malloc(bytes: number): number;
      _free(pointer: number): void;
      stringToUTF8(text: string, pointer: number, bytes: number): void;
      lengthBytesUTF8(text: string): number;
      UTF8ToString(pointer: number): string;
    };
    heapValueHandle(pointer: number): QuickJSHandle;
  };
  readonly ffi: {
    QTS_Call(context: number, func: number, self: number, count: number, args: number): number;
    QTS_ResolveException(context: number, value: number): number;
    QTS_FreeValuePointer(context: number, value: number): void;
    QTS_NewFloat64(context: number, value: number): number;
    QTS_NewString(context: number, text: number): number;
    QTS_GetString(context: number, value: number): number;
    QTS_FreeCString(context: number, text: number): void;
    QTS_GetUndefined(): number;
  };
}

/** Texts up to this length are handed over in the standing buffer. A character takes three bytes at most. */
const SHORT = 2048;

/** Calls functions of one guest. */
export class TextCalls {
  readonly #inside: ContextInside;
  readonly #args: number;
  readonly #buffer: number;
  readonly #undefined: number;
  #view: Uint32Array | undefined;

  constructor(context: QuickJSContext) {
    const inside = this.#inside = context as unknown as ContextInside; // private in the library's declarations
    this.#args = inside.memory.module._malloc(3 * 4);
    this.#buffer = inside.memory.module._malloc(SHORT * 3 + 1);
    if (this.#args === 0 || this.#buffer === 0) throw new RangeError("no memory for the argument list");
    this.#undefined = inside.ffi.QTS_GetUndefined();
  }

  /** Calls `func` without arguments, or with a number, a ready handle and a text. The text it returns, or its error. */
  call(func: QuickJSHandle, number?: number, handle?: QuickJSHandle, text?: string): string | QuickJSHandle {
    const { ffi, ctx: { value: context }, memory } = this.#inside;
    let count = 0, first = 0, third = 0;
    if (handle !== undefined) {
      first = ffi.QTS_NewFloat64(context, number!);
      third = this.#newString(text!);
      const args = this.#argumentList();
      args[0] = first;
      args[1] = handle.value as unknown as number;
      args[2] = third;
      count = 3;
    }
    const result = ffi.QTS_Call(context, func.value as unknown as number, this.#undefined, count, this.#args);
    if (count > 0) {
      ffi.QTS_FreeValuePointer(context, first);
      ffi.QTS_FreeValuePointer(context, third);
    }
    const error = ffi.QTS_ResolveException(context, result);
    if (error !== 0) {
      ffi.QTS_FreeValuePointer(context, result);
      return memory.heapValueHandle(error);
    }
    const chars = ffi.QTS_GetString(context, result);
    if (chars === 0) throw new RangeError("no memory for the guest's text");
    const out = memory.module.UTF8ToString(chars);
    ffi.QTS_FreeCString(context, chars);
    ffi.QTS_FreeValuePointer(context, result);
    return out;
  }

  /** The argument list in the guest's memory, whose view ends whenever that memory grows. */
  #argumentList(): Uint32Array {
    const { buffer } = this.#inside.memory.module.HEAPU8;
    if (this.#view?.buffer !== buffer) this.#view = new Uint32Array(buffer, this.#args, 3);
    return this.#view;
  }

  #newString(text: string): number {
    const { ffi, ctx, memory: { module } } = this.#inside;
    if (text.length <= SHORT) {
      module.stringToUTF8(text, this.#buffer, SHORT * 3 + 1);
      return ffi.QTS_NewString(ctx.value, this.#buffer);
    }
    const bytes = module.lengthBytesUTF8(text) + 1, pointer = module._malloc(bytes);
    if (pointer === 0) throw new RangeError("no memory for the host's text");
    try {
      module.stringToUTF8(text, pointer, bytes);
      return ffi.QTS_NewString(ctx.value, pointer);
    } finally {
      module._free(pointer);
    }
  }
}
