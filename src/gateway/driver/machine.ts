/**
 * The machine itself: its processor, memory, addresses.
 *
 * @module
 */

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

/** What the machine says about itself. */
export interface Machine {
  /** Processor load, 0 to 100, over the last seconds. @throws {DriverError} */
  cpuPercent(): Promise<number>;
  /** @throws {DriverError} */
  memory(): Promise<MemoryUse>;
  info(): Promise<MachineInfo>;
  /** The operating system, as Boot says it; costs nothing to ask. */
  osVersion(): string;
  interfaces(): readonly InterfaceAddress[];
  /** The own IPv4 address on the way to `towards` (an IP address; absent: the internet). */
  wanAddress(towards?: string): string;
  /** The own address on the LAN side, if it can be told. */
  lanAddress(): string | undefined;
  /** Processes that run or wait to, on average over 1, 5 and 15 minutes; undefined where the machine does not tell. */
  load(): readonly [number, number, number] | undefined;
}
