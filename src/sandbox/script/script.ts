/**
 * One function of a small script, in an engine of its own: for decisions that a program leaves to whoever runs it. The
 * script gets JSON and gives JSON; it has no host function, no timer, and nothing to wait for.
 *
 * @module
 */
import { type Engine, EngineFault, type Isolate, type IsolateLimits, ProgramError } from "../engine.ts";
import { createQuickJsEngine } from "../engine_quickjs.ts";
import type { Json, JsonObject } from "../json.ts";

/** What a script may use. */
export interface ScriptLimits extends IsolateLimits {
  /** The longest that loading it may hold the processor, in milliseconds. */
  readonly loadMs: number;
}

/** Why a script gave no result. `lost`: it can't be called again; open it anew. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";

  constructor(message: string, readonly lost: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}

/** A script that was loaded. */
export interface Script extends Disposable {
  /** Calls the function with these arguments; undefined where it returns nothing. @throws {ScriptError} */
  call(args: readonly Json[]): Json | undefined;
}

/** Opens scripts: `name` is the function that `source` (a module) has to export. Rejects with a {@linkcode ScriptError}. */
export type OpenScript = (source: string, name: string, limits: ScriptLimits) => Promise<Script>;

const CALL = 1;

type Outcome = { readonly value: Json | undefined } | { readonly error: ScriptError };

/** What opens scripts. `now`: a clock that never jumps, in milliseconds. */
export function scripts(now: () => number): OpenScript {
  const engine = createQuickJsEngine(now);
  return (source, name, limits) => LoadedScript.open(engine, source, name, limits);
}

class LoadedScript implements Script {
  /** How the last call ended; undefined: it has not. */
  #outcome: Outcome | undefined;
  #lost = false;
  #isolate!: Isolate;

  static async open(engine: Engine, source: string, name: string, limits: ScriptLimits): Promise<Script> {
    const script = new LoadedScript();
    try {
      script.#isolate = await engine.open({ ...limits, sliceMs: limits.loadMs }, {
        returned: (_, text) => script.#outcome = { value: (JSON.parse(text) as JsonObject)["value"] },
        threw: (_, message) => script.#outcome = { error: new ScriptError(message || "it threw", false) },
        hostCall: () => {}, // there is no function to call
        log: () => {},
        dropped: () => {},
      });
      script.#isolate.load({ entry: "main.js", modules: { "main.js": mainOf(name), "script.js": source } });
      script.#isolate.admit([], limits);
    } catch (error) {
      script[Symbol.dispose]();
      throw asScriptError(error, true);
    }
    return script;
  }

  call(args: readonly Json[]): Json | undefined {
    if (this.#lost) throw new ScriptError("the script was broken off before", true);
    try {
      this.#outcome = undefined;
      this.#isolate.invoke(CALL, "call", JSON.stringify({ args }));
    } catch (error) {
      this[Symbol.dispose]();
      throw asScriptError(error, true);
    }
    const { outcome } = this;
    if (!outcome) {
      // What it left may still come, into the next call.
      this[Symbol.dispose]();
      throw new ScriptError("it waits for something that never comes", true);
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  private get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  [Symbol.dispose](): void {
    this.#lost = true;
    this.#isolate?.dispose();
  }
}

/** The module that calls the script's function. Its result is an object, whatever the function gives. */
function mainOf(name: string): string {
  const quoted = JSON.stringify(name);
  return `import * as script from "./script.js";
if (typeof script[${quoted}] !== "function") throw new TypeError("it exports no function " + ${quoted});
export const manifest = {};
export const commands = { async call({ args }) { return { value: await script[${quoted}](...args) }; } };`;
}

function asScriptError(error: unknown, lost: boolean): ScriptError {
  if (error instanceof EngineFault || error instanceof ProgramError) {
    return new ScriptError(error.message, lost, { cause: error });
  }
  // Whatever else comes out of a guest came of what it left behind: text that is no JSON of ours, say.
  return new ScriptError(error instanceof Error ? error.message : String(error), lost, { cause: error });
}
