/**
 * Joining by button, over hostapd's control sockets.
 *
 * @module
 */
import type { Clock, Timer } from "../../../base/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import { type Control, parseWps } from "./hostapd_control.ts";
import type { WpsStatus } from "./wifi.ts";

/** The button of a gateway. */
export class WpsButton implements Disposable {
  #end: Timer | undefined;

  constructor(private readonly clock: Clock, private readonly control: Control) {}

  /** Presses it for the network behind a socket. @throws {DriverError} */
  async start(socket: string, seconds: number): Promise<void> {
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 120) {
      throw new DriverError("invalid", "the time for joining is not 1 to 120 seconds");
    }
    if ((await this.control(socket, "WPS_PBC")).trim() !== "OK") {
      const name = socket.split("/").at(-1);
      throw unsupported(`joining by button is not switched on for ${name} (wps_state)`);
    }
    this.#end?.cancel();
    // hostapd itself waits for two minutes.
    this.#end = this.clock.setTimer(() => {
      this.control(socket, "WPS_CANCEL").catch(() => {});
    }, 1000 * seconds);
  }

  async stop(sockets: readonly string[]): Promise<void> {
    this.#end?.cancel();
    for (const socket of sockets) await this.control(socket, "WPS_CANCEL");
  }

  /** That of the network where something goes on; else of one where something did. */
  async status(sockets: readonly string[]): Promise<WpsStatus> {
    const all = await Promise.all(
      sockets.map(async (socket) => parseWps(await this.control(socket, "WPS_GET_STATUS"))),
    );
    return all.find(({ state }) => state === "active") ?? all.find(({ state }) => state !== "idle") ??
      { state: "idle" };
  }

  [Symbol.dispose](): void {
    this.#end?.cancel();
  }
}
