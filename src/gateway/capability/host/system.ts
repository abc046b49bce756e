/**
 * What plug-ins may ask of the machine itself.
 *
 * @module
 */
import type { Capabilities } from "../../../sandbox/mod.ts";
import type { Driver } from "../../driver/mod.ts";
import type { FullHostDeps } from "./deps.ts";

/** Processor, memory, addresses, time. */
export function systemFunctions({ driver, identity, clock }: FullHostDeps): Capabilities {
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
        wanAddress: wanAddressOf(driver),
        lanAddress: driver.lanAddress() ?? "",
        ...await driver.info(),
      }),
    },
    /** Processes that run or wait to, over 1, 5 and 15 minutes; null where the machine does not tell. */
    "system.load": {
      "system.load": () => {
        const load = driver.load();
        return load ? [...load] : null;
      },
    },
    /** Seconds since the machine started; null where it does not tell. */
    "system.uptime": { "system.uptime": async () => (await driver.info()).uptimeSeconds ?? null },
    /** Network interfaces: `{ name, address, prefix }` each. */
    "system.interfaces": {
      "system.interfaces": () =>
        driver.interfaces().map(({ name, address, prefix }) => ({ name, address, prefix })),
    },
    /** The time of day in milliseconds since 1970, and how far local time is ahead of UTC, in minutes. */
    "system.time": {
      "system.time": () => ({
        now: clock.now(),
        utcOffsetMinutes: -new Date(clock.now()).getTimezoneOffset() + 0,
      }),
    },
  };
}

/** Empty where no route goes out: then the driver takes any address, the home's among them, or that of nobody. */
function wanAddressOf(driver: Pick<Driver, "wanAddress" | "lanAddress">): string {
  const address = driver.wanAddress();
  return address === driver.lanAddress() || address === "0.0.0.0" ? "" : address;
}
