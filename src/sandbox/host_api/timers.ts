/**
 * `timers`: waiting, for a moment or for a day, without holding the processor.
 *
 * @module
 */
import { type Clock, sleep } from "../../base/mod.ts";
import type { HostFunction } from "../types.ts";

/** The longest wait in milliseconds: a day. */
const LONGEST_MS = 86_400_000;

/** The functions. */
export function timerFunctions(clock: Clock): Record<string, HostFunction> {
  /** By guest: how many timers are set. */
  const set = new Map<number, number>();
  const wait: HostFunction = async ([ms], { guest, manifest, signal }) => {
    if (typeof ms !== "number" || !(ms >= 0 && ms <= LONGEST_MS)) {
      throw new Error(`milliseconds: a number from 0 to ${LONGEST_MS}`);
    }
    const count = set.get(guest) ?? 0;
    if (count >= manifest.limits.timers) throw new Error(`timers: ${manifest.limits.timers} are set already`);
    set.set(guest, count + 1);
    try {
      await sleep(clock, ms, signal);
    } finally {
      const left = set.get(guest)! - 1;
      if (left === 0) set.delete(guest);
      else set.set(guest, left);
    }
    return undefined;
  };
  return {
    /** `[milliseconds]`: answers when they are over. */
    "timers.wait": Object.assign(wait, { maxMs: LONGEST_MS + 60_000 }),
  };
}
