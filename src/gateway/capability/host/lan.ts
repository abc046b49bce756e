/**
 * What plug-ins may ask and change of the home network and the devices on it.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import { writerOf } from "../../parameters/mod.ts";
import { type FullHostDeps, known, optionsOf, textOf } from "./deps.ts";

/** Ports, devices, and what these may do. */
export function lanFunctions({ driver, house }: FullHostDeps): Capabilities {
  return {
    "lan.read": {
      /** `{ name, interface, up, receivedBytes, sentBytes }` each. */
      "lan.ports": async () => (await driver.lan.ports()).map((port) => ({ ...port })),
      /** `{ mac, address, name, connection, port, connectedSeconds }` each; what is not known is absent. */
      "lan.devices": async () => {
        const given = new Map(house.devices.list().map(({ mac, name }) => [mac, name]));
        return (await driver.lan.devices()).map(({ hostName, ...device }) =>
          known({ ...device, name: given.get(device.mac) || hostName })
        );
      },
      /** `{ mac, name, internet, storage, upKbps, downKbps }` of each device with rules of its own. */
      "lan.rules": () => house.devices.list().map((one) => ({ ...one })),
    },
    "lan.write": {
      /** `[mac, { name, internet, storage, upKbps, downKbps }]`; what is absent stays. */
      "lan.setRules": async ([mac, rules], call) => {
        const { name, internet, storage, upKbps, downKbps } = optionsOf(rules);
        await house.devices.set(textOf("mac", mac, 32), {
          ...(name !== undefined && { name: textOf("name", name, 64) }),
          ...(typeof internet === "boolean" && { internet }),
          ...(typeof storage === "boolean" && { storage }),
          ...(typeof upKbps === "number" && { upKbps }),
          ...(typeof downKbps === "number" && { downKbps }),
        }, writerOf(call));
        return undefined;
      },
    },
  };
}
