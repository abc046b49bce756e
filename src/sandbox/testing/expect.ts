/**
 * What tests of the sandbox wait for.
 *
 * @module
 */
import { assert, assertRejects } from "@std/assert";
import { systemClock } from "../../base/mod.ts";
import { PluginError, type PluginErrorCode } from "../errors.ts";
import type { PluginEvent } from "../types.ts";

/** The code that a call is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<PluginErrorCode> {
  return (await assertRejects(() => promise, PluginError)).code;
}

/** Events of a manager: `until` resolves when one arrives for which `wanted` holds. */
export function watchEvents() {
  const waiting = new Set<(event: PluginEvent) => void>();
  return {
    onEvent: (event: PluginEvent) => {
      for (const on of [...waiting]) on(event);
    },
    until(wanted: (event: PluginEvent) => boolean): Promise<PluginEvent> {
      return new Promise((resolve) => {
        const on = (event: PluginEvent) => {
          if (!wanted(event)) return;
          waiting.delete(on);
          resolve(event);
        };
        waiting.add(on);
      });
    },
  };
}

/** Waits, by real turns of the event loop, for something that is on its way. */
export async function until(reached: () => boolean): Promise<void> {
  for (let i = 0; !reached(); i++) {
    assert(i < 10_000, "it never came about");
    await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 1));
  }
}
