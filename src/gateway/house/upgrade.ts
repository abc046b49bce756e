/**
 * Upgrades of the machine's firmware: fetched, checked, handed to the machine.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, type Log, messageOf } from "../../base/mod.ts";
import { DriverError, type Power } from "../driver/mod.ts";
import type { Fetcher } from "../outbound.ts";
import { checkSource, fetchFirmware, FIRMWARE_LIMITS, type FirmwareLimits } from "./firmware.ts";

/** What is asked for. */
export interface UpgradeOrder {
  /** Whoever asks again with the same one asks how it goes. Empty: none. */
  readonly id: string;
  readonly url: string;
  /** `sha256:<hex>`; undefined: not said. */
  readonly digest: string | undefined;
  /** Handed on to the machine as they are. */
  readonly mode: string;
  readonly method: string;
}

/** How it goes. */
export interface UpgradeStatus {
  readonly id: string;
  readonly state: "none" | "downloading" | "installing" | "succeeded" | "failed";
  /** Of the download, 0 to 100. */
  readonly percent: number;
  /** Why it failed. */
  readonly reason: string;
}

/** What {@linkcode Upgrades} works with. */
export interface UpgradesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly power: Power;
  /** Where the file is put while it is needed. */
  readonly dir: string;
  readonly limits?: FirmwareLimits;
  /** How it is fetched; default: from wherever the order says. */
  readonly fetcher?: Fetcher | undefined;
}

/** One upgrade at a time. */
export class Upgrades implements AsyncDisposable {
  #status: UpgradeStatus = { id: "", state: "none", percent: 0, reason: "" };
  #running: Promise<void> | undefined;
  readonly #stop = new AbortController();
  readonly #path: string;
  /** A file that a process which was killed left behind takes up much of a small flash. */
  readonly #cleared: Promise<void>;

  constructor(private readonly options: UpgradesOptions) {
    this.#path = join(options.dir, "firmware.bin");
    this.#cleared = Deno.remove(this.#path).catch(() => {});
  }

  /** How the latest one goes, since the start. */
  get status(): UpgradeStatus {
    return this.#status;
  }

  /**
   * Begins one; the same order again, by its id, is begun again only where it failed.
   *
   * @throws {DriverError} `unsupported`, `busy`; GatehouseError `firmware` where the order is at fault
   */
  start(order: UpgradeOrder): UpgradeStatus {
    const again = order.id !== "" && order.id === this.#status.id;
    if (again && this.#status.state !== "failed") return this.#status;
    this.options.power.check("upgrade");
    checkSource(order);
    if (this.#running) throw new DriverError("busy", "an upgrade is under way");
    this.#status = { id: order.id, state: "downloading", percent: 0, reason: "" };
    this.#running = this.#run(order).finally(() => this.#running = undefined);
    return this.#status;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the gateway is stopping"));
    await this.#cleared;
    await this.#running;
  }

  async #run(order: UpgradeOrder): Promise<void> {
    const { clock, log, power, dir, limits = FIRMWARE_LIMITS } = this.options, { signal } = this.#stop;
    const path = this.#path;
    const now = (change: Partial<UpgradeStatus>) => this.#status = { ...this.#status, ...change };
    try {
      await this.#cleared;
      await Deno.mkdir(dir, { recursive: true });
      const onProgress = (percent: number) => void now({ percent });
      await fetchFirmware(clock, order, path, {
        ...limits,
        signal,
        onProgress,
        fetcher: this.options.fetcher,
      });
      now({ state: "installing", percent: 100 });
      log.warn("a firmware was fetched and is being installed", { id: order.id });
      await power.upgrade({ path, mode: order.mode, method: order.method }, signal);
      now({ state: "succeeded" });
      log.info("a firmware was installed", { id: order.id });
    } catch (error) {
      now({ state: "failed", reason: messageOf(error) });
      log.error("a firmware was not installed", { id: order.id, reason: messageOf(error) });
    } finally {
      await Deno.remove(path).catch(() => {});
    }
  }
}
