/**
 * The wireless networks.
 *
 * @module
 */
import { DriverError } from "../errors.ts";

/** How a network is protected. `mixed`: WPA and WPA2. */
export const WIFI_SECURITY = ["open", "wep", "wpa", "wpa2", "mixed"] as const;
/** One of {@linkcode WIFI_SECURITY}. */
export type WifiSecurity = typeof WIFI_SECURITY[number];

/** Transmitting power in percent of what the radio can do (reference §7). */
export const POWER_LEVELS = [100, 80, 60, 30, 20] as const;

/** A wireless network, as far as the machine tells of it. */
export interface Wlan {
  /** `SSIDIndex`: 1 to 4 in the 2.4 GHz band, 5 to 8 in the 5 GHz band. */
  readonly index: number;
  /** The network interface. */
  readonly interface: string;
  readonly ssid: string;
  /** Whether it is meant to be on the air while the radio is on. */
  readonly enabled: boolean;
  /** Whether it is on the air now. */
  readonly onAir: boolean;
  /** Absent: protected in a way that is none of {@linkcode WIFI_SECURITY}. */
  readonly security?: WifiSecurity;
  /** The passphrase or WEP key; empty where there is none. */
  readonly password: string;
  /** 0: the radio chooses. */
  readonly channel: number;
  /** One of {@linkcode POWER_LEVELS}, the nearest; absent: the machine does not tell. */
  readonly powerPercent?: number;
}

/** What to change of a network; what is absent stays. */
export interface WlanChange {
  /** 1 to 32 bytes of UTF-8. */
  readonly ssid?: string;
  readonly security?: WifiSecurity;
  /** WPA: 8 to 63 printable ASCII characters, or 64 hex digits. WEP: 5 or 13 characters, 10 or 26 hex digits. */
  readonly password?: string;
  /** 0: the radio chooses. */
  readonly channel?: number;
  readonly powerPercent?: number;
  readonly enabled?: boolean;
}

/** Bytes that went through a network's interface since it is there, from the machine's side. */
export interface WlanTraffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A device on the air. */
export interface WlanStation {
  /** `64:D9:54:20:21:4B` */
  readonly mac: string;
  /** The network's index. */
  readonly index: number;
  readonly signalDbm?: number;
  readonly connectedSeconds?: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
}

/** How joining by button goes. */
export interface WpsStatus {
  /** `idle`: nobody pressed it; `active`: it waits; `overlap`: two devices tried at one time. */
  readonly state: "idle" | "active" | "success" | "failed" | "timeout" | "overlap";
  /** Hardware address of the device that joined last. */
  readonly peer?: string;
}

/** The wireless part. All methods reject with DriverError: `unsupported` where there is no WiFi, or no such thing. */
export interface Wifi {
  /** The networks, by index. */
  networks(): Promise<readonly Wlan[]>;
  /** Changes a network. Either all of it holds, or none. `invalid` where there is no such network or value. */
  configure(index: number, change: WlanChange): Promise<void>;
  traffic(index: number): Promise<WlanTraffic>;
  stations(): Promise<readonly WlanStation[]>;
  /** Takes all networks off the air, or brings those that are enabled back. */
  setRadio(on: boolean): Promise<void>;
  radioOn(): Promise<boolean>;
  /** Lets a device join network `index` for so many seconds, 1 to 120. */
  startWps(index: number, seconds: number): Promise<void>;
  stopWps(): Promise<void>;
  wps(): Promise<WpsStatus>;
}

const CHANNELS_2_4 = new Set(Array.from({ length: 14 }, (_, i) => i));
const CHANNELS_5 = new Set([0, 36, 40, 44, 48, 52, 56, 60, 64, 149, 153, 157, 161, 165]);
for (let channel = 100; channel <= 144; channel += 4) CHANNELS_5.add(channel);

/** Whether a network of this index is in the 5 GHz band. */
function isFiveGhz(index: number): boolean {
  return index >= 5;
}

/** Checks a change against the network as it is. @throws {DriverError} `invalid`, without a password in it */
export function checkChange(before: Wlan, change: WlanChange): void {
  const { ssid, channel, powerPercent } = change;
  if (ssid !== undefined) {
    const bytes = new TextEncoder().encode(ssid).length;
    if (bytes < 1 || bytes > 32) throw invalid(`SSID has ${bytes} bytes, not 1 to 32`);
    // Configuration files are lines of text.
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f]/.test(ssid) || !ssid.isWellFormed()) throw invalid("SSID holds control characters");
  }
  if (channel !== undefined) {
    const channels = isFiveGhz(before.index) ? CHANNELS_5 : CHANNELS_2_4;
    if (!channels.has(channel)) {
      throw invalid(`${channel} is no channel of the ${isFiveGhz(before.index) ? "5" : "2.4"} GHz band`);
    }
  }
  if (powerPercent !== undefined && !POWER_LEVELS.some((level) => level === powerPercent)) {
    throw invalid(`power is not one of ${POWER_LEVELS.join(", ")} percent`);
  }
  const security = change.security ?? before.security;
  if (change.security === undefined && change.password === undefined) return;
  const password = change.password ?? before.password;
  if (security === "wep") {
    if (!/^(?:[\x20-\x7e]{5}|[\x20-\x7e]{13}|[0-9A-Fa-f]{10}|[0-9A-Fa-f]{26})$/.test(password)) {
      throw invalid("a WEP key has 5 or 13 characters, or 10 or 26 hex digits");
    }
  } else if (security !== "open" && !/^(?:[\x20-\x7e]{8,63}|[0-9A-Fa-f]{64})$/.test(password)) {
    throw invalid("a WiFi password has 8 to 63 printable ASCII characters, or 64 hex digits");
  }
}

function invalid(message: string): DriverError {
  return new DriverError("invalid", message);
}
