/**
 * What is done to the machine as a whole.
 *
 * @module
 */

/** A firmware file that was fetched and found right. */
export interface Firmware {
  /** Its path. */
  readonly path: string;
  /** Told by whoever asked for it; empty where nothing was. */
  readonly mode: string;
  readonly method: string;
}

/** The machine as a whole. */
export interface Power {
  /** Throws where the action could not be done, without doing it. @throws {DriverError} `unsupported` */
  check(action: "reboot" | "recover" | "upgrade"): void;
  /** @throws {DriverError} */
  reboot(): Promise<void>;
  /** Restores the factory's settings of the machine. @throws {DriverError} */
  recover(): Promise<void>;
  /** Installs a firmware; resolves when the machine says that it did. @throws {DriverError} */
  upgrade(firmware: Firmware, signal: AbortSignal): Promise<void>;
  /** Sets the clock to so many milliseconds since 1970. @throws {DriverError} */
  setTime(now: number): Promise<void>;
}
