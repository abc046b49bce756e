/**
 * What plug-ins may ask of lights, NFC and sleep.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import { writerOf } from "../../parameters/mod.ts";
import { type FullHostDeps, known, optionsOf } from "./deps.ts";

/** Lights, NFC, sleep. */
export function serviceFunctions({ driver, house }: FullHostDeps): Capabilities {
  return {
    "service.read": {
      /** `{ led, nfc, sleep }`; what the machine does not have is absent. */
      "service.status": async () => known(await driver.service.status()),
      /** `{ enabled, start, end, cycle }`. */
      "service.ledTimer": () => ({ ...house.ledTimer.get() }),
      /** `{ asleep, minutes }`: what is planned, and in how many minutes; 0: so it is. */
      "service.sleep": async () => ({ ...await house.sleep.get() }),
    },
    "service.write": {
      /** Lights on or off, `[on]`. */
      "service.setLed": async ([on]) => {
        if (typeof on !== "boolean") throw new Error("on: not true or false");
        await driver.service.setLed(on);
        return undefined;
      },
      /** `[{ enabled, start, end, cycle }]`. */
      "service.setLedTimer": async ([window], call) => {
        const { enabled, start, end, cycle } = optionsOf(window);
        if (
          typeof enabled !== "boolean" || typeof start !== "string" || typeof end !== "string" ||
          typeof cycle !== "string"
        ) throw new Error("not { enabled, start, end, cycle }");
        await house.ledTimer.set({ enabled, start, end, cycle }, writerOf(call));
        return undefined;
      },
      /** `[{ asleep, minutes }]`. */
      "service.setSleep": async ([plan]) => {
        const { asleep, minutes } = optionsOf(plan);
        if (typeof asleep !== "boolean" || typeof minutes !== "number") {
          throw new Error("not { asleep, minutes }");
        }
        await house.sleep.set({ asleep, minutes });
        return undefined;
      },
    },
  };
}
