/**
 * The connections to the outside.
 *
 * @module
 */

/** One connection, as far as the machine tells of it. */
export interface WanConnection {
  /** From 1. */
  readonly index: number;
  /** As apps name it in `WANName`: `1_INTERNET_R_VID_41`. */
  readonly name: string;
  /** The network interface. */
  readonly interface: string;
  /** `INTERNET`, `TR069`, `VOIP` or several, with `_` between; undefined: the machine does not tell. */
  readonly services?: string | undefined;
  /** Routed through this gateway, or bridged past it. */
  readonly mode: "route" | "bridge";
  /** How it gets its address. */
  readonly protocol: "DHCP" | "STATIC" | "PPPoE" | "SLAAC" | "NONE";
  /** 802.1Q, where it is tagged. */
  readonly vlan?: number | undefined;
  /** 802.1p, 0 to 7, where it is set. */
  readonly priority?: number | undefined;
  readonly up: boolean;
  /** IPv4 and IPv6 addresses. */
  readonly addresses: readonly string[];
  readonly gateway?: string | undefined;
  readonly dns: readonly string[];
  /** Hardware address: `64:D9:54:20:21:4B`. */
  readonly mac?: string | undefined;
  /** Seconds since it came up. */
  readonly uptimeSeconds?: number | undefined;
}

/** How fast data goes, measured over `seconds`. In bits a second. */
export interface WanRate {
  readonly down: number;
  readonly up: number;
  readonly seconds: number;
}

/** How the dialling goes. */
export interface PppoeStatus {
  /** The link that it dials over has a carrier. */
  readonly link: boolean;
  readonly connected: boolean;
  /** Why it is not connected, in words; empty where it is, or nobody knows. */
  readonly reason: string;
  /** Seconds since it is connected. */
  readonly uptimeSeconds?: number | undefined;
}

/** The outside. */
export interface Wan {
  /** @throws {DriverError} */
  connections(): Promise<readonly WanConnection[]>;
  /** Measures the internet connection for a second. @throws {DriverError} */
  rate(signal: AbortSignal): Promise<WanRate>;
  /** @throws {DriverError} `unsupported` where nothing dials */
  pppoe(): Promise<PppoeStatus>;
  /** Dials anew with this account. Resolves when dialling has begun. @throws {DriverError} */
  dial(account: string, password: string): Promise<void>;
}
