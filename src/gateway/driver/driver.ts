/**
 * The port between the gateway and the machine that it runs on.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/** A network interface's address. */
export interface InterfaceAddress {
  readonly name: string;
  /** IPv4 or IPv6, without a zone. */
  readonly address: string;
  /** Bits of the network part. */
  readonly prefix: number;
}

/** Memory of the machine in KiB, and the share in use, 0 to 100. */
export interface MemoryUse {
  readonly totalKb: number;
  readonly availableKb: number;
  readonly percent: number;
}

/** What the machine is. What can't be found out is absent: no value is made up. */
export interface MachineInfo {
  readonly osVersion?: string;
  readonly cpuClass?: string;
  readonly hostName?: string;
  readonly ramKb?: number;
  readonly flashKb?: number;
  readonly uptimeSeconds?: number;
  /** Whether an interface has a global IPv6 address. */
  readonly ipv6?: boolean;
  /** Whether there is a WiFi interface. */
  readonly wifi?: boolean;
}

/** How to ping. */
export interface PingOptions {
  /** Echo requests, 1 to 20. */
  readonly count: number;
  /** Bytes of payload, 0 to 1472. */
  readonly size: number;
  readonly signal: AbortSignal;
}

/** How to look for the way to a destination. */
export interface TracerouteOptions {
  /** Hops to go at most, 1 to 30. */
  readonly maxHops: number;
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

/** Why the machine did not do it: `unsupported` here, `invalid` arguments, `busy`, or it `failed`. */
export type DriverErrorCode = "unsupported" | "invalid" | "busy" | "failed";

/** A failure with a reason that may be shown to whoever asked. */
export class DriverError extends GatehouseError<DriverErrorCode> {
  override readonly name = "DriverError";
}

/** The machine. */
export interface Driver extends AsyncDisposable {
  readonly name: "linux" | "simulated";
  /** Processor load, 0 to 100, over the last seconds. */
  cpuPercent(): Promise<number>;
  memory(): Promise<MemoryUse>;
  info(): Promise<MachineInfo>;
  /** The operating system, as Boot says it; costs nothing to ask. */
  osVersion(): string;
  interfaces(): readonly InterfaceAddress[];
  /** The own IPv4 address on the way to `towards` (an IP address; absent: the internet). */
  wanAddress(towards?: string): string;
  /** The own address on the LAN side, if it can be told. */
  lanAddress(): string | undefined;
  /** @throws {DriverError} */
  ping(destination: string, options: PingOptions): Promise<PingReport>;
  /** @throws {DriverError} */
  traceroute(destination: string, options: TracerouteOptions): Promise<Hop[]>;
  /** The addresses of a host name; none where it has none. @throws {DriverError} */
  lookup(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<string[]>;
  /** Processes that run or wait to, on average over 1, 5 and 15 minutes; undefined where the machine does not tell. */
  load(): readonly [number, number, number] | undefined;
}
