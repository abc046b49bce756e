/**
 * What a home gateway does beside networking: lights, near-field communication, sleep.
 *
 * @module
 */

/** Where the services are. What the machine does not have is undefined. */
export interface ServiceStatus {
  /** The lights are on as they usually are. */
  readonly led: boolean | undefined;
  readonly nfc: boolean | undefined;
  readonly sleep: boolean | undefined;
}

/** The services. */
export interface HouseServices {
  status(): Promise<ServiceStatus>;
  /** Puts all lights out, or lets them show again what they usually show. @throws {DriverError} */
  setLed(on: boolean): Promise<void>;
  /** Goes to sleep or wakes up. @throws {DriverError} */
  setSleep(asleep: boolean): Promise<void>;
}
