/**
 * The fibre: its optics, and the registration at the operator's end.
 *
 * @module
 */

/** What the optical module measures. What it does not tell is absent. */
export interface PonOptics {
  /** Degrees Celsius. */
  readonly temperature?: number | undefined;
  /** Volt. */
  readonly voltage?: number | undefined;
  /** Laser bias, in mA. */
  readonly current?: number | undefined;
  /** dBm. */
  readonly txPower?: number | undefined;
  /** dBm. */
  readonly rxPower?: number | undefined;
}

/** The state of the fibre. */
export interface PonStatus {
  readonly up: boolean;
  /** `GPON`, `EPON`, `SFP`, … */
  readonly kind: string;
  /** Seconds since it is up. */
  readonly uptimeSeconds?: number | undefined;
}

/** How a registration (LOID) went: `none` was asked for, it `running`, or it ended. */
export interface PonRegistration {
  readonly state: "none" | "running" | "succeeded" | "failed";
  /** In words. */
  readonly text: string;
}

/** The fibre. */
export interface Pon {
  /** @throws {DriverError} */
  status(): Promise<PonStatus>;
  /** @throws {DriverError} */
  optics(): Promise<PonOptics>;
  /** Begins to register with these at the operator's end. @throws {DriverError} */
  register(user: string, password: string): Promise<void>;
  registration(): Promise<PonRegistration>;
}
