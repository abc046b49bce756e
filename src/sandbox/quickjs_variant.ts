/**
 * The build of QuickJS that guests run on: the synchronous release build for WebAssembly of quickjs-emscripten.
 *
 * @module
 */
import variant from "@jitl/quickjs-wasmfile-release-sync";
import wasm from "@jitl/quickjs-wasmfile-release-sync/wasm" with { type: "bytes" };
import type { QuickJSSyncVariant } from "quickjs-emscripten-core";

/** The module's own bytes, to be metered before they are compiled. */
export const QUICKJS_WASM = wasm;

/** The package's declarations are written for CommonJS and hide that its default export is the variant. */
const packaged = variant as unknown as QuickJSSyncVariant;
/**
 * The variant, made without a look at `process`: where it finds one it loads the Node modules that it would read its
 * WebAssembly with, which is handed to it here. That saves each process that runs guests 6 MB and some 20 ms.
 */
export const releaseSync: QuickJSSyncVariant = {
  ...packaged,
  async importModuleLoader() {
    const imported = await packaged.importModuleLoader();
    if (typeof imported !== "function") throw new TypeError("the engine's package has another shape");
    return (options) => withoutProcess(() => imported(options));
  },
};

/** Runs `start`, whose first synchronous stretch sees no `process`. */
function withoutProcess<T>(start: () => T): T {
  const own = Object.getOwnPropertyDescriptor(globalThis, "process");
  if (!own?.configurable) return start();
  Object.defineProperty(globalThis, "process", { value: undefined, configurable: true });
  try {
    return start();
  } finally {
    Object.defineProperty(globalThis, "process", own);
  }
}
