/**
 * The fibre of a Linux machine: an optical module that the kernel knows (`hwmon`) or that the network driver can be
 * asked about (`ethtool -m`); what is the operator's own business is the vendor's command's.
 *
 * @module
 */
import * as v from "valibot";
import { DriverError, unsupported } from "../errors.ts";
import { orElse, type Runner, type Vendor } from "../linux/mod.ts";
import { parseModule } from "./module.ts";
import type { Pon, PonOptics, PonRegistration, PonStatus } from "./pon.ts";

const measured = v.optional(v.pipe(v.number(), v.finite()));
const STATUS = v.object({
  up: v.boolean(),
  kind: v.optional(v.string(), "PON"),
  uptimeSeconds: v.optional(v.number()),
});
const OPTICS = v.object({
  temperature: measured,
  voltage: measured,
  current: measured,
  txPower: measured,
  rxPower: measured,
});
const REGISTRATION = v.object({
  state: v.picklist(["none", "running", "succeeded", "failed"]),
  text: v.optional(v.string(), ""),
});

/** The {@linkcode Pon} of Linux. `wan` tells the interface towards the internet. */
export class LinuxPon implements Pon {
  constructor(
    private readonly runner: Runner,
    private readonly vendor: Vendor,
    private readonly wan: () => Promise<string | undefined>,
  ) {}

  status(): Promise<PonStatus> {
    return orElse(
      () => this.vendor.ask("pon-status", "tell the state of a fibre", {}, STATUS),
      async () => {
        await this.#own();
        const name = await this.wan();
        const carrier = name === undefined
          ? undefined
          : await this.runner.read(`/sys/class/net/${name}/carrier`);
        return { up: carrier?.trim() === "1", kind: "SFP" };
      },
    );
  }

  optics(): Promise<PonOptics> {
    return orElse(
      () => this.vendor.ask("pon-optics", "read an optical module", {}, OPTICS),
      () => this.#own(),
    );
  }

  async register(user: string, password: string): Promise<void> {
    await this.vendor.ask(
      "pon-register",
      "register at the operator's end",
      { user, password },
      v.looseObject({}),
    );
  }

  registration(): Promise<PonRegistration> {
    return this.vendor.ask("pon-registration", "register at the operator's end", {}, REGISTRATION);
  }

  async #own(): Promise<PonOptics> {
    const known = await this.#hwmon();
    if (known) return known;
    const name = await this.wan();
    if (name === undefined) throw unsupported("there is no optical module");
    let result;
    try {
      result = await this.runner.run("ethtool", ["-m", name]);
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== "unsupported") throw error;
    }
    const optics = result?.code === 0 ? parseModule(result.stdout) : undefined;
    if (!optics) throw unsupported("there is no optical module");
    return optics;
  }

  /** What the kernel's own driver for pluggable modules measures: milli-degrees, mV, mA, and power in µW. */
  async #hwmon(): Promise<PonOptics | undefined> {
    for (const entry of await this.runner.list("/sys/class/hwmon")) {
      if (!/^hwmon\d+$/.test(entry)) continue;
      const read = async (file: string) =>
        (await this.runner.read(`/sys/class/hwmon/${entry}/${file}`))?.trim();
      if (await read("name") !== "sfp") continue;
      const number = async (file: string) => {
        const text = await read(file);
        return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
      };
      const power = async (label: string) => {
        for (const n of [1, 2]) {
          if (await read(`power${n}_label`) === label) return dBm(await number(`power${n}_input`));
        }
        return undefined;
      };
      const thousandth = (value: number | undefined) => value === undefined ? undefined : value / 1000;
      return {
        temperature: thousandth(await number("temp1_input")),
        voltage: thousandth(await number("in0_input")),
        current: await number("curr1_input"),
        txPower: await power("TX_power"),
        rxPower: await power("RX_power"),
      };
    }
    return undefined;
  }
}

/** From µW; no light has no level. */
function dBm(microwatts: number | undefined): number | undefined {
  return microwatts === undefined || microwatts <= 0
    ? undefined
    : Math.round(1000 * Math.log10(microwatts / 1000)) / 100;
}
