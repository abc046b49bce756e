/**
 * What a service provider's client is told.
 *
 * @module
 */
import type { Clock, HostPort, Log } from "../base/mod.ts";
import type { Network } from "../net/mod.ts";

/** What the client works with. */
export interface SpDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly network: Pick<Network, "connect">;
}

/** Who the provider is, and how patient. */
export interface SpOptions {
  /** The gateway's port for long connections. */
  readonly server: HostPort;
  readonly spId: string;
  readonly secret: string;
  /** The Version octet to speak. Default 0x30. */
  readonly version?: number;
  /** W: requests not answered yet. Default 16. */
  readonly window?: number;
  /** Requests that may wait for room in the window. Default 10,000. */
  readonly maxWaiting?: number;
  /** C, T and N (reference §2): 180,000 ms, 60,000 ms, 3. */
  readonly activeTestMs?: number;
  readonly responseMs?: number;
  readonly attempts?: number;
  /** Pause before connecting again, in milliseconds: the first, doubled up to the last. Default 500 to 30,000. */
  readonly reconnectMs?: readonly [number, number];
  /** How long a SUBMIT that is answered 8 (flow control) is tried again, in milliseconds. Default 60,000. */
  readonly flowControlMs?: number;
  /** How long a report is waited for, in milliseconds. Default 48 hours, the standard's. */
  readonly reportMs?: number;
  /** Reports that may be waited for at the same time. Default 200,000. */
  readonly maxReports?: number;
  /** Minutes east of Greenwich of CONNECT's Timestamp. Default 480. */
  readonly utcOffsetMinutes?: number;
  /**
   * Whether the gateway must prove that it knows the secret (AuthenticatorISMG), hashed over a Status of one octet or of
   * four. Default false: many gateways send zeros or nonsense there.
   */
  readonly checkGateway?: boolean;
}

/** Everything decided. */
export type SpSettings = Required<SpOptions>;

/** The defaults. */
export function settingsOf(options: SpOptions): SpSettings {
  return {
    version: 0x30,
    window: 16,
    maxWaiting: 10_000,
    activeTestMs: 180_000,
    responseMs: 60_000,
    attempts: 3,
    reconnectMs: [500, 30_000],
    flowControlMs: 60_000,
    reportMs: 48 * 3_600_000,
    maxReports: 200_000,
    utcOffsetMinutes: 480,
    checkGateway: false,
    ...options,
  };
}
