/**
 * Guests of the engine for its tests, and attacks on it.
 *
 * @module
 */
import { assertThrows } from "@std/assert";
import { EngineFault, type Isolate } from "../engine.ts";
import { createQuickJsEngine } from "../engine_quickjs.ts";

/** What a guest of the tests may use: a hundred looks at the clock in one go. */
export const LIMITS = { memoryBytes: 32 * 1024 * 1024, sliceMs: 100 };
/** The same with so much time that something else ends it. */
export const PATIENT = { ...LIMITS, sliceMs: 60_000 };
/** An engine whose guests are broken off after so many looks at the clock. */
export const engine = createQuickJsEngine(countedClock(1));

/** A clock that goes on by so much at each look: how much a guest may do is counted then, and no matter of the machine. */
export function countedClock(stepMs: number): () => number {
  let now = 0;
  return () => now += stepMs;
}

/** A guest and what it left for its host. */
export async function open(
  source: string,
  modules: Record<string, string> = {},
  functions: string[] = [],
  limits = LIMITS,
  on = engine,
) {
  const seen = {
    returned: [] as [number, string][],
    threw: [] as [number, string][],
    hostCalls: [] as [number, string, string][],
    logs: [] as [string, string][],
    dropped: 0,
  };
  const isolate = await on.open(limits, {
    returned: (call, text) => seen.returned.push([call, text]),
    threw: (call, message) => seen.threw.push([call, message]),
    hostCall: (seq, name, args) => seen.hostCalls.push([seq, name, args]),
    log: (level, text) => seen.logs.push([level, text]),
    dropped: (lines) => seen.dropped += lines,
  });
  const facts = JSON.parse(
    isolate.load({ entry: "plugin.js", modules: { "plugin.js": source, ...modules } }),
  );
  isolate.admit(functions, limits);
  return { isolate, facts, seen };
}

/** The fault that `run` ends with. */
export function faultOf(run: () => void): EngineFault {
  return assertThrows(run, EngineFault);
}

/** Calls `run` in a fresh guest: what came of it. */
export async function attack(
  run: string,
  limits = LIMITS,
  on = engine,
): Promise<{ kind?: string; threw?: string; isolate: Isolate }> {
  const source = `export const commands = { ok: () => ({}), attack: ${run} };`;
  const { isolate, seen } = await open(source, {}, [], limits, on);
  try {
    isolate.invoke(1, "attack", "{}");
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error;
    return { kind: error.kind, isolate };
  }
  return { threw: seen.threw[0]?.[1] ?? "nothing", isolate };
}
