/**
 * Telephone lines.
 *
 * @module
 */

/** A line. */
export interface VoipLine {
  /** From 1. */
  readonly line: number;
  readonly enabled: boolean;
  /** Its number or URI, where it is set. */
  readonly number?: string | undefined;
  /** Host of the registrar. */
  readonly server?: string | undefined;
  /** `SIP`, `H.248`, … */
  readonly protocol?: string | undefined;
  readonly registration: "registered" | "registering" | "failed" | "disabled";
  /** Why it is not registered. */
  readonly reason?: string | undefined;
}

/** The telephony. */
export interface Voip {
  /** @throws {DriverError} */
  lines(): Promise<readonly VoipLine[]>;
}
