/**
 * The home network: ports, the devices on it, and what each of them may do.
 *
 * @module
 */
import { DriverError } from "../errors.ts";

/** A socket of the home network. */
export interface LanPort {
  /** `LAN1`, `LAN2` … in the order of the machine's ports. */
  readonly name: string;
  /** The network interface. */
  readonly interface: string;
  /** Whether something is plugged in. */
  readonly up: boolean;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A device on the home network, as far as the machine tells of it. */
export interface LanDevice {
  /** `64:D9:54:20:21:4B` */
  readonly mac: string;
  /** IPv4. */
  readonly address?: string;
  /** As it called itself when it asked for an address. */
  readonly hostName?: string;
  readonly connection?: "cable" | "wifi";
  /** `LAN1`, or the name of the interface that it is behind. */
  readonly port?: string;
  readonly connectedSeconds?: number;
}

/** What a device may not do. */
export interface DeviceAccess {
  readonly mac: string;
  readonly internet: boolean;
  /** Whether it may use what this gateway itself stores and shares. */
  readonly storage: boolean;
}

/** How fast a device may be, to and from this gateway, in kbit/s; 0: as fast as it can. */
export interface DeviceBandwidth {
  readonly mac: string;
  readonly upKbps: number;
  readonly downKbps: number;
}

/** The most devices with a right or a bandwidth of their own. */
export const MAX_DEVICES = 128;
/** The slowest and fastest that a device may be held to, in kbit/s. */
const LEAST_KBPS = 8, MOST_KBPS = 10_000_000;

/** The home network's part. All methods reject with DriverError. */
export interface Lan {
  ports(): Promise<readonly LanPort[]>;
  /** Who is there now. */
  devices(): Promise<readonly LanDevice[]>;
  /**
   * Brings into force what each of these devices may do, and lets all others do everything. The same list twice changes
   * nothing. `unsupported` where the machine can't; an empty list never is.
   */
  setAccess(devices: readonly DeviceAccess[]): Promise<void>;
  /** As {@linkcode Lan.setAccess}, for bandwidths. */
  setBandwidth(devices: readonly DeviceBandwidth[]): Promise<void>;
  /**
   * Whether all that was set last is in force, as far as the machine shows it: others may have flushed its rules or made
   * its interfaces anew. False also where setting failed.
   */
  intact(): Promise<boolean>;
}

/**
 * A hardware address in the spelling of the house, `64:D9:54:20:21:4B`, from 12 hex digits with `:`, `-` or nothing
 * between the pairs. @throws {DriverError} `invalid`, also for one that no device has
 */
export function deviceMac(text: string): string {
  const digits = /^(?:[0-9A-Fa-f]{2}([:-]?))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}$/.test(text)
    ? text.replace(/[:-]/g, "").toUpperCase()
    : "";
  if (digits === "") throw new DriverError("invalid", `not a MAC address: "${text.slice(0, 32)}"`);
  if (digits === "000000000000" || Number.parseInt(digits.slice(0, 2), 16) & 1) {
    throw new DriverError("invalid", `no device has the MAC address ${digits}`);
  }
  return digits.match(/../g)!.join(":");
}

/** Checks a list for {@linkcode Lan.setAccess}. @throws {DriverError} */
export function checkedAccess(devices: readonly DeviceAccess[]): DeviceAccess[] {
  return unique(devices).filter(({ internet, storage }) => !internet || !storage);
}

/** Checks a list for {@linkcode Lan.setBandwidth}. @throws {DriverError} */
export function checkedBandwidth(devices: readonly DeviceBandwidth[]): DeviceBandwidth[] {
  for (const kbps of devices.flatMap(({ upKbps, downKbps }) => [upKbps, downKbps])) {
    if (kbps !== 0 && (!Number.isInteger(kbps) || kbps < LEAST_KBPS || kbps > MOST_KBPS)) {
      throw new DriverError("invalid", `a bandwidth is 0, or ${LEAST_KBPS} to ${MOST_KBPS} kbit/s`);
    }
  }
  return unique(devices).filter(({ upKbps, downKbps }) => upKbps > 0 || downKbps > 0);
}

function unique<T extends { readonly mac: string }>(devices: readonly T[]): T[] {
  const byMac = new Map(devices.map((device) => {
    const mac = deviceMac(device.mac);
    return [mac, { ...device, mac }];
  }));
  if (byMac.size > MAX_DEVICES) {
    throw new DriverError("invalid", `more than ${MAX_DEVICES} devices have rights of their own`);
  }
  return [...byMac.values()].sort((a, b) => a.mac < b.mac ? -1 : 1);
}
