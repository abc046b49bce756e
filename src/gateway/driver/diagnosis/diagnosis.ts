/**
 * Looking for what is wrong with the network.
 *
 * @module
 */

/** How to ping. */
export interface PingOptions {
  /** Echo requests, 1 to 20. */
  readonly count: number;
  /** Bytes of payload, 0 to 1472. */
  readonly size: number;
  /** The interface to go out by; absent: the one that the routes say. */
  readonly interface?: string | undefined;
  readonly signal: AbortSignal;
}

/** How to look for the way to a destination. */
export interface TracerouteOptions {
  /** Hops to go at most, 1 to 30. */
  readonly maxHops: number;
  /** The interface to go out by; absent: the one that the routes say. */
  readonly interface?: string | undefined;
  readonly signal: AbortSignal;
}

/** A router on the way, or the destination. What did not answer has no address. Times in milliseconds. */
export interface Hop {
  readonly hop: number;
  readonly address?: string;
  readonly ms?: number;
}

/** What came back. Times in milliseconds; absent where nothing did. */
export interface PingReport {
  readonly sent: number;
  readonly received: number;
  readonly minMs?: number;
  readonly avgMs?: number;
  readonly maxMs?: number;
}

/** How the last report to the ITMS went. */
export interface InformReport {
  /** It was taken. */
  readonly ok: boolean;
  /** In words. */
  readonly text: string;
}

/** The network's diagnosis. */
export interface Diagnosis {
  /** @throws {DriverError} */
  ping(destination: string, options: PingOptions): Promise<PingReport>;
  /** @throws {DriverError} */
  traceroute(destination: string, options: TracerouteOptions): Promise<Hop[]>;
  /** The addresses of a host name; none where it has none. @throws {DriverError} */
  lookup(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<string[]>;
  /** Reports to the ITMS (TR-069 Inform) now, and tells how that went. @throws {DriverError} */
  inform(signal: AbortSignal): Promise<InformReport>;
}
