/**
 * Removing ended commands that are old: every hour, a little at a time, so that nobody waits for it.
 *
 * @module
 */
import { type Clock, hourly, type Log, messageOf, sleep } from "../../base/mod.ts";
import type { CommandStore } from "../registry/mod.ts";

/** Between two pieces of the work, and how many commands one is. */
const REST_MS = 20, PIECE = 500;

/** Removes ended commands that are older than `keepMs`, until it is disposed of. */
export function keepCommands(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  store: Pick<CommandStore, "forgetBefore">,
  keepMs: number,
): AsyncDisposable {
  const tidy = async (signal: AbortSignal) => {
    let all = 0;
    for (;;) {
      const some = await store.forgetBefore(clock.now() - keepMs, PIECE);
      if (some === 0) break;
      all += some;
      await sleep(clock, REST_MS, signal);
    }
    if (all > 0) log.info("old commands removed", { count: all });
  };
  return hourly(
    clock,
    tidy,
    (error) => log.error("old commands were not removed", { error: messageOf(error) }),
  );
}
