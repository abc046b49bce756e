/**
 * What plug-ins may ask about who this gateway is.
 *
 * @module
 */
import { bindingSn } from "../../../protocol/smart_gateway/mod.ts";
import type { Capabilities } from "../../../sandbox/mod.ts";
import { writerOf } from "../../parameters/mod.ts";
import { type FullHostDeps, textOf } from "./deps.ts";

/** Identity, and the password that binds. */
export function deviceFunctions(deps: FullHostDeps): Capabilities {
  const { driver, house, identity, state, passwords, registered } = deps;
  return {
    "device.identity": {
      "device.identity": () => ({
        driver: driver.name,
        mac: identity.mac,
        loid: identity.loid,
        card: identity.card,
        registered: registered(),
        softwareVersion: identity.firmwareVer,
        hardwareVersion: identity.hardwareVer,
        appVersion: identity.appVer,
      }),
    },
    "device.name": {
      /** What the family calls the gateway; else the machine's own name. */
      "device.name": () => house.name(),
      /** Calls it `[name]`; empty: as the machine. */
      "device.setName": async ([name], call) => {
        await house.rename(textOf("name", name, 64), writerOf(call));
        return undefined;
      },
    },
    "device.password": {
      /** The SN for binding, made with the DevRND of this moment; fails where the password is wrong. */
      "device.checkPassword": async ([candidate]) => {
        await passwords.check(typeof candidate === "string" ? candidate : "");
        return { sn: bindingSn(state.get().devRnd, identity.sn) };
      },
    },
  };
}
