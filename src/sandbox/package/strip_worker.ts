/**
 * The worker that takes the types out of TypeScript: one file a message, `{ path, text }`, answered by
 * `{ code }` or `{ message, line, column }`. Started by `strip.ts` and by nothing else.
 *
 * @module
 */
import { transformSync } from "@swc/wasm-typescript";

/** What the worker's global scope is; the types at hand are those of a window. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ path: string; text: string }>) => void;
  postMessage(answer: { code: string } | { message: string; line?: number; column?: number }): void;
};

scope.onmessage = ({ data: { text } }) => {
  try {
    scope.postMessage({ code: transformSync(text, { mode: "strip-only" }).code });
  } catch (error) {
    scope.postMessage(explained(error));
  }
};

/** The compiler throws plain objects; a stack that overflowed inside it is an error of the runtime. */
function explained(error: unknown): { message: string; line?: number; column?: number } {
  if (error instanceof Error || typeof error !== "object" || error === null) {
    return { message: "nested too deeply for the compiler" };
  }
  const { message, startLine, startColumn } = error as Record<string, unknown>;
  return {
    message: typeof message === "string" ? message : "not TypeScript",
    ...(typeof startLine === "number" && { line: startLine }),
    ...(typeof startColumn === "number" && { column: startColumn + 1 }),
  };
}
