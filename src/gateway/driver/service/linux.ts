/**
 * Lights of a Linux machine by its LED class; the rest by the vendor's command.
 *
 * @module
 */
import * as v from "valibot";
import { readJsonFile, writeJsonFile } from "../../state/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import { orElse, type Runner, type Vendor } from "../linux/mod.ts";
import type { HouseServices, ServiceStatus } from "./service.ts";

const LEDS = "/sys/class/leds";
const ON = v.object({ on: v.boolean() });
const DONE = v.looseObject({});
/** What each light showed before it was put out. */
const KEPT = v.record(v.string(), v.object({ trigger: v.string(), brightness: v.string() }));
type Kept = v.InferOutput<typeof KEPT>;

/** The {@linkcode HouseServices} of Linux. `keep`: a file for what the lights showed before they were put out. */
export class LinuxServices implements HouseServices {
  constructor(
    private readonly runner: Runner,
    private readonly vendor: Vendor,
    private readonly keep: string | undefined,
  ) {}

  async status(): Promise<ServiceStatus> {
    const [led, nfc, sleep] = await Promise.all([
      known(() => this.#led()),
      known(async () => {
        if ((await this.runner.list("/sys/class/nfc")).length > 0) return true;
        return (await this.vendor.ask("nfc-status", "tell about NFC", {}, ON)).on;
      }),
      known(async () => (await this.vendor.ask("sleep-status", "tell whether it sleeps", {}, ON)).on),
    ]);
    return { led, nfc, sleep };
  }

  setLed(on: boolean): Promise<void> {
    return orElse(async () => {
      const names = await this.#leds();
      if (names.length === 0) throw unsupported("there are no lights that can be switched");
      await (on ? this.#relight(names) : this.#darken(names));
    }, async () => {
      await this.vendor.ask("led", "switch lights", { on }, DONE);
    });
  }

  async setSleep(asleep: boolean): Promise<void> {
    await this.vendor.ask("sleep", "sleep", { asleep }, DONE);
  }

  async #leds(): Promise<string[]> {
    return (await this.runner.list(LEDS)).filter((name) => /^[^/]{1,64}$/.test(name) && name !== "..").slice(
      0,
      64,
    );
  }

  async #led(): Promise<boolean> {
    const names = await this.#leds();
    if (names.length === 0) throw unsupported("there are no lights that can be switched");
    const states = await Promise.all(names.map((name) => this.#stateOf(name)));
    return states.some(({ trigger, brightness }) => trigger !== "none" || brightness !== "0");
  }

  async #stateOf(name: string): Promise<Kept[string]> {
    const [triggers, brightness] = await Promise.all([
      this.runner.read(`${LEDS}/${name}/trigger`),
      this.runner.read(`${LEDS}/${name}/brightness`),
    ]);
    return {
      trigger: /\[([\w:-]+)\]/.exec(triggers ?? "")?.[1] ?? "none",
      brightness: brightness?.trim() ?? "0",
    };
  }

  async #darken(names: readonly string[]): Promise<void> {
    const states = await Promise.all(names.map(async (name) => [name, await this.#stateOf(name)] as const));
    const lit = states.filter(([, { trigger, brightness }]) => trigger !== "none" || brightness !== "0");
    // Written down first: a gateway that starts anew in the dark has to know how it was.
    if (lit.length > 0 && this.keep !== undefined) {
      await writeJsonFile(this.keep, { ...await this.#kept(), ...Object.fromEntries(lit) });
    }
    for (const [name] of lit) {
      await this.runner.write(`${LEDS}/${name}/trigger`, "none");
      await this.runner.write(`${LEDS}/${name}/brightness`, "0");
    }
  }

  async #relight(names: readonly string[]): Promise<void> {
    for (const [name, { trigger, brightness }] of Object.entries(await this.#kept())) {
      if (!names.includes(name) || !/^[\w:-]+$/.test(trigger) || !/^\d{1,5}$/.test(brightness)) continue;
      if (trigger === "none") await this.runner.write(`${LEDS}/${name}/brightness`, brightness);
      else await this.runner.write(`${LEDS}/${name}/trigger`, trigger);
    }
    if (this.keep !== undefined) await Deno.remove(this.keep).catch(() => {});
  }

  async #kept(): Promise<Kept> {
    if (this.keep === undefined) return {};
    const result = v.safeParse(KEPT, await readJsonFile(this.keep).catch(() => undefined));
    return result.success ? result.output : {};
  }
}

async function known<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DriverError) return undefined;
    throw error;
  }
}
