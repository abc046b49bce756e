/**
 * The connections of a home gateway that does not exist: the internet by PPPoE, and the management network.
 *
 * @module
 */
import { type Clock, type Random, sleep } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import type { PppoeStatus, Wan, WanConnection, WanRate } from "./wan.ts";

/** The simulated address on the internet side. */
export const SIMULATED_WAN = "100.64.0.2";

/** The {@linkcode Wan} that simulates. Accounts that begin with `bad` are refused. */
export class SimulatedWan implements Wan {
  #connectedAt: number | undefined;
  #reason = "";
  #down = 4_000_000;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly dns: () => readonly string[],
  ) {
    this.#connectedAt = clock.monotonic();
  }

  connections(): Promise<readonly WanConnection[]> {
    const up = this.#connectedAt !== undefined, uptimeSeconds = this.#uptime();
    return Promise.resolve([
      {
        index: 1,
        name: "1_TR069_R_VID_46",
        interface: "wan1",
        services: "TR069",
        mode: "route",
        protocol: "DHCP",
        vlan: 46,
        priority: 5,
        up: true,
        addresses: ["100.100.0.2"],
        gateway: "100.100.0.1",
        dns: this.dns(),
        mac: "64:D9:54:20:21:4C",
        uptimeSeconds: Math.floor(this.clock.monotonic() / 1000),
      },
      {
        index: 2,
        name: "2_INTERNET_R_VID_41",
        interface: "wan0",
        services: "INTERNET",
        mode: "route",
        protocol: "PPPoE",
        vlan: 41,
        priority: 0,
        up,
        addresses: up ? [SIMULATED_WAN] : [],
        gateway: up ? "100.64.0.1" : undefined,
        dns: up ? this.dns() : [],
        mac: "64:D9:54:20:21:4B",
        uptimeSeconds,
      },
    ]);
  }

  async rate(signal: AbortSignal): Promise<WanRate> {
    const began = this.clock.monotonic();
    await sleep(this.clock, 200, signal);
    const seconds = Math.max(0.001, (this.clock.monotonic() - began) / 1000);
    if (this.#connectedAt === undefined) return { down: 0, up: 0, seconds };
    this.#down = Math.round(Math.min(90e6, Math.max(1e5, this.#down * (0.5 + this.random.float()))));
    return { down: this.#down, up: Math.round(this.#down / 8), seconds };
  }

  pppoe(): Promise<PppoeStatus> {
    const connected = this.#connectedAt !== undefined;
    return Promise.resolve({ link: true, connected, reason: this.#reason, uptimeSeconds: this.#uptime() });
  }

  dial(account: string, _password: string): Promise<void> {
    if (account === "") return Promise.reject(new DriverError("invalid", "the account is empty"));
    const refused = account.startsWith("bad");
    this.#connectedAt = refused ? undefined : this.clock.monotonic();
    this.#reason = refused ? "AUTH_FAILED" : "";
    return Promise.resolve();
  }

  /** As after a restart of the machine. */
  restart(): void {
    if (this.#connectedAt !== undefined) this.#connectedAt = this.clock.monotonic();
  }

  #uptime(): number | undefined {
    return this.#connectedAt === undefined
      ? undefined
      : Math.floor((this.clock.monotonic() - this.#connectedAt) / 1000);
  }
}
