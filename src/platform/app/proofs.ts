/**
 * Making a gateway's proof anew: the handshake of a trigger gives it a new DevRND (reference §3).
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import type { PlatformBus, TriggerOutcome } from "../subjects.ts";

/** More than a trigger with all its resends may take, and a channel to close, in milliseconds. */
const TRIGGER_MS = 60_000, CLOSE_MS = 15_000;

/**
 * Has the gateway make a new DevRND; whether it did. One that is on its channel answers with the old one, so the
 * channel is closed first: it is asked for only where nobody owns the gateway.
 */
export async function renewProof(
  { bus, log }: { readonly bus: Pick<PlatformBus, "request">; readonly log: Log },
  mac: string,
): Promise<boolean> {
  const call = (): Promise<TriggerOutcome> =>
    bus.request("access.trigger", { mac, trigger: { kind: "plugin_center" } }, TRIGGER_MS);
  try {
    let outcome = await call();
    if (outcome === "already_connected") {
      await bus.request("channel.close", { mac }, CLOSE_MS);
      outcome = await call();
    }
    if (outcome === "accepted") return true;
    log.info("a gateway made no new DevRND", { mac, outcome });
  } catch (error) {
    log.warn("a gateway was not asked for a new DevRND", { mac, error: messageOf(error) });
  }
  return false;
}
