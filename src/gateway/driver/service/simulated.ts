/**
 * Lights, NFC and sleep of a home gateway that does not exist.
 *
 * @module
 */
import type { HouseServices, ServiceStatus } from "./service.ts";

/** The {@linkcode HouseServices} that simulates. */
export class SimulatedServices implements HouseServices {
  #led = true;
  #asleep = false;

  status(): Promise<ServiceStatus> {
    return Promise.resolve({ led: this.#led && !this.#asleep, nfc: true, sleep: this.#asleep });
  }

  setLed(on: boolean): Promise<void> {
    this.#led = on;
    return Promise.resolve();
  }

  setSleep(asleep: boolean): Promise<void> {
    this.#asleep = asleep;
    return Promise.resolve();
  }

  /** As after a restart of the machine. */
  restart(): void {
    this.#led = true;
    this.#asleep = false;
  }
}
