/**
 * Removing old messages: every hour, a little at a time, so that nobody waits for it.
 *
 * @module
 */
import { type Clock, hourly, type Log, messageOf, sleep } from "../../base/mod.ts";
import type { PushStore } from "./store.ts";

/** What is kept. */
export interface Retention {
  /** Milliseconds that a message is kept. */
  readonly keepMs: number;
  /** Of one gateway, at most so many: the newest. */
  readonly keepPerGateway: number;
}

/** Between two pieces of the work. */
const REST_MS = 20;

/** Keeps what {@linkcode Retention} says until it is disposed of. */
export function keepTidy(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  store: Pick<PushStore, "forgetBefore" | "crowded" | "forgetBeyond">,
  { keepMs, keepPerGateway }: Retention,
): AsyncDisposable {
  const pieces = async (signal: AbortSignal, remove: () => Promise<number>) => {
    let all = 0;
    for (let some = await remove(); some > 0; some = await remove()) {
      all += some;
      await sleep(clock, REST_MS, signal);
    }
    return all;
  };
  const tidy = async (signal: AbortSignal) => {
    const old = await pieces(signal, () => store.forgetBefore(clock.now() - keepMs));
    if (old > 0) log.info("old pushed messages removed", { count: old });
    for (let macs = await store.crowded(keepPerGateway); macs.length > 0;) {
      for (const mac of macs) {
        const count = await pieces(signal, () => store.forgetBeyond(mac, keepPerGateway));
        log.info("a gateway's oldest messages removed: it has too many", { mac, count });
      }
      macs = await store.crowded(keepPerGateway);
    }
  };
  return hourly(
    clock,
    tidy,
    (error) => log.error("old pushed messages were not removed", { error: messageOf(error) }),
  );
}
