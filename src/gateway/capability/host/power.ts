/**
 * What plug-ins may do to the machine as a whole. Each is a capability of its own: an operator may keep them from all
 * but trusted plug-ins.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import { type FullHostDeps, optionsOf, textOf } from "./deps.ts";

/** Reboot, recovery, upgrade, clock. */
export function powerFunctions({ driver, house }: FullHostDeps): Capabilities {
  return {
    /** Restarts the machine in a few seconds, so that this can still be answered. */
    "power.reboot": {
      "power.reboot": () => {
        house.power.reboot();
        return undefined;
      },
    },
    /** Restores what the app platform may, and lets the machine recover, in a few seconds. */
    "power.recover": {
      "power.recover": (_args, { caller, plugin }) => {
        house.power.recover(caller === "platform" ? undefined : caller ?? plugin);
        return undefined;
      },
    },
    "power.upgrade": {
      /** Begins `[{ url, id, digest, mode, method }]`, or tells how the one with this id goes. */
      "power.upgrade": ([order]) => {
        const { url, id, digest, mode, method } = optionsOf(order);
        const text = (name: string, value: typeof url) => textOf(name, value ?? "", 64);
        return {
          ...house.upgrades.start({
            url: textOf("url", url, 2048),
            id: text("id", id),
            digest: digest === undefined || digest === "" ? undefined : textOf("digest", digest, 80),
            mode: text("mode", mode),
            method: text("method", method),
          }),
        };
      },
      /** How the latest one goes: `{ id, state, percent, reason }`. */
      "power.upgradeStatus": () => ({ ...house.upgrades.status }),
    },
    "power.time": {
      /** Sets the clock to `[milliseconds since 1970]`. */
      "power.setTime": async ([now]) => {
        if (typeof now !== "number") throw new Error("now: not a number");
        await driver.power.setTime(now);
        return undefined;
      },
    },
  };
}
