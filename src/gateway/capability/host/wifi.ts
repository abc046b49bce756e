/**
 * What plug-ins may ask and change of the wireless networks. Passwords go in and out only as they cross the wire,
 * encrypted: a plug-in that hands them on never sees one.
 *
 * @module
 */
import type { Capabilities, Json } from "../../../sandbox/mod.ts";
import { DriverError, WIFI_SECURITY, type WlanChange } from "../../driver/mod.ts";
import { decryptWifiPassword, encryptWifiPassword } from "../wifi_cipher.ts";
import { writerOf } from "../../parameters/mod.ts";
import { type FullHostDeps, known, optionsOf, textOf } from "./deps.ts";

/** The most lines in a list of switchings: a table of that size is what the tree keeps. */
const MOST_SWITCHES = 64;

/** Networks, timers, joining by button. */
export function wifiFunctions({ driver, house, identity }: FullHostDeps): Capabilities {
  return {
    "wifi.read": {
      /** `{ index, ssid, enabled, onAir, security, channel, powerPercent }` each; what is not known is absent. */
      "wifi.networks": async () =>
        (await house.wifi.networks()).map(({ password: _password, ...network }) => known(network)),
      /** `{ receivedBytes, sentBytes }` of network `[index]`. */
      "wifi.traffic": async ([index]) => ({ ...await driver.wifi.traffic(indexOf(index)) }),
      /** `{ mac, index, signalDbm, connectedSeconds, receivedBytes, sentBytes }` each. */
      "wifi.stations": async () => (await driver.wifi.stations()).map(known),
      /** `{ enabled, start, end, cycle }`. */
      "wifi.timer": () => ({ ...house.wifiTimer.window() }),
      /** `{ weekday, time, active, enabled }` each. */
      "wifi.switches": () => house.wifiTimer.list().map((one) => ({ ...one })),
      /** `{ state, peer }` of joining by button. */
      "wifi.wps": async () => known(await driver.wifi.wps()),
    },
    "wifi.password": {
      /** The password of network `[index]` as it crosses the wire. */
      "wifi.encryptedPassword": async ([index]) => {
        const wanted = indexOf(index);
        const network = (await house.wifi.networks()).find((one) => one.index === wanted);
        if (!network) throw new DriverError("invalid", `there is no WiFi network with the index ${wanted}`);
        return await encryptWifiPassword(network.password, identity.loid);
      },
    },
    "wifi.write": {
      /** `[index, { ssid, security, pwd, channel, powerPercent, enabled }]`; what is absent stays. */
      "wifi.configure": async ([index, change], call) => {
        const wanted = await changeOf(optionsOf(change), identity.loid);
        await house.wifi.configure(indexOf(index), wanted, writerOf(call));
        return undefined;
      },
      /** `[{ enabled, start, end, cycle }]`. */
      "wifi.setTimer": async ([window], call) => {
        const { enabled, start, end, cycle } = optionsOf(window);
        if (typeof enabled !== "boolean") throw new Error("enabled: not true or false");
        await house.wifiTimer.setWindow({
          enabled,
          start: textOf("start", start, 5),
          end: textOf("end", end, 5),
          cycle: textOf("cycle", cycle, 32),
        }, writerOf(call));
        return undefined;
      },
      /** `[[{ weekday, time, active, enabled }, …]]`: in place of those that were there. */
      "wifi.setSwitches": async ([list], call) => {
        if (!Array.isArray(list) || list.length > MOST_SWITCHES) {
          throw new Error(`not a list of ${MOST_SWITCHES} switchings at most`);
        }
        const entries = list.map((entry) => {
          const { weekday, time, active, enabled } = optionsOf(entry);
          if (typeof weekday !== "number" || typeof active !== "boolean" || typeof enabled !== "boolean") {
            throw new Error("not { weekday, time, active, enabled }");
          }
          return { weekday, time: textOf("time", time, 5), active, enabled };
        });
        await house.wifiTimer.setList(entries, writerOf(call));
        return undefined;
      },
      /** Lets a device join network `[index, seconds]`. */
      "wifi.startWps": async ([index, seconds]) => {
        await driver.wifi.startWps(indexOf(index), typeof seconds === "number" ? seconds : NaN);
        return undefined;
      },
      "wifi.stopWps": () => driver.wifi.stopWps().then(() => undefined),
    },
  };
}

function indexOf(value: Json | undefined): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 64) {
    throw new Error("index: not a whole number from 1 to 64");
  }
  return value;
}

async function changeOf(options: { readonly [name: string]: Json }, loid: string): Promise<WlanChange> {
  const { ssid, security, pwd, channel, powerPercent, enabled } = options;
  const kind = WIFI_SECURITY.find((one) => one === security);
  if (security !== undefined && kind === undefined) {
    throw new Error(`security: not one of ${WIFI_SECURITY.join(", ")}`);
  }
  return {
    ...(ssid !== undefined && { ssid: textOf("ssid", ssid, 32) }),
    ...(kind && { security: kind }),
    ...(pwd !== undefined && { password: await decryptWifiPassword(textOf("pwd", pwd, 1024), loid) }),
    ...(typeof channel === "number" && { channel }),
    ...(typeof powerPercent === "number" && { powerPercent }),
    ...(typeof enabled === "boolean" && { enabled }),
  };
}
