/**
 * What plug-ins may ask of the gateway, by capability. What these throw reaches the plug-in, and through it the
 * caller: messages hold no secrets.
 *
 * @module
 */
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import type { Capabilities } from "../../sandbox/mod.ts";
import type { Driver } from "../driver/mod.ts";
import type { Identity } from "../identity.ts";
import type { PasswordGuard, StateStore } from "../state/mod.ts";

/** What the functions work with. */
export interface HostDeps {
  readonly driver: Driver;
  readonly identity: Identity;
  readonly state: StateStore;
  readonly passwords: PasswordGuard;
  /** Whether the gateway is registered at its platform. */
  readonly registered: () => boolean;
}

/** The functions. */
export function hostFunctions({ driver, identity, state, passwords, registered }: HostDeps): Capabilities {
  return {
    /** Processor load, 0 to 100. */
    "system.cpu": { "system.cpuPercent": () => driver.cpuPercent() },
    /** Memory in use, 0 to 100, and its sizes in KiB. */
    "system.memory": { "system.memory": async () => ({ ...await driver.memory() }) },
    /** What the machine is; parts that are unknown are absent. */
    "system.info": {
      "system.info": async () => ({
        driver: driver.name,
        softwareVersion: identity.firmwareVer,
        hardwareVersion: identity.hardwareVer,
        appVersion: identity.appVer,
        model: identity.model,
        vendor: identity.vendor,
        card: identity.card,
        wanAddress: driver.wanAddress(),
        lanAddress: driver.lanAddress() ?? "",
        ...await driver.info(),
      }),
    },
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
    "device.password": {
      /** The SN for binding, made with the DevRND of this moment; fails where the password is wrong. */
      "device.checkPassword": async ([candidate]) => {
        await passwords.check(typeof candidate === "string" ? candidate : "");
        return { sn: bindingSn(state.get().devRnd, identity.sn) };
      },
    },
    "network.ping": {
      /** Pings `[destination, { count, size }]`. */
      "network.ping": async ([destination, options], { signal }) => {
        const { count, size } = typeof options === "object" && options !== null && !Array.isArray(options)
          ? options
          : {};
        return {
          ...await driver.ping(String(destination ?? ""), {
            count: typeof count === "number" ? count : 4,
            size: typeof size === "number" ? size : 56,
            signal,
          }),
        };
      },
    },
  };
}
