/**
 * What plug-ins may ask of the lines to the outside: connections, fibre, telephony.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import { type FullHostDeps, known, textOf } from "./deps.ts";

/** Connections, fibre, telephony. */
export function wanFunctions({ driver }: FullHostDeps): Capabilities {
  return {
    "wan.read": {
      /** The connections; see `WanConnection` of the driver. */
      "wan.connections": async () =>
        (await driver.wan.connections()).map(({ addresses, dns, ...rest }) => ({
          ...known(rest),
          addresses: [...addresses],
          dns: [...dns],
        })),
      /** `{ down, up, seconds }` in bits a second, measured for a second. */
      "wan.rate": async (_args, { signal }) => ({ ...await driver.wan.rate(signal) }),
      /** `{ link, connected, reason, uptimeSeconds }`. */
      "wan.pppoe": async () => known(await driver.wan.pppoe()),
    },
    "wan.dial": {
      /** Dials anew as `[account, password]`. */
      "wan.dial": async ([account, password]) => {
        await driver.wan.dial(textOf("account", account, 128), textOf("password", password, 128));
        return undefined;
      },
    },
    "pon.read": {
      /** `{ up, kind, uptimeSeconds }`. */
      "pon.status": async () => known(await driver.pon.status()),
      /** `{ temperature, voltage, current, txPower, rxPower }` in °C, V, mA, dBm, dBm. */
      "pon.optics": async () => known(await driver.pon.optics()),
      /** `{ state, text }`. */
      "pon.registration": async () => ({ ...await driver.pon.registration() }),
    },
    "pon.register": {
      /** Registers as `[user, password]` at the operator's end. */
      "pon.register": async ([user, password]) => {
        await driver.pon.register(textOf("user", user, 64), textOf("password", password, 64));
        return undefined;
      },
    },
    /** The telephone lines; see `VoipLine` of the driver. */
    "voip.read": { "voip.lines": async () => (await driver.voip.lines()).map((line) => known(line)) },
  };
}
