/**
 * hostapd's configuration file: which networks it describes, and changing lines of it while all others stay.
 *
 * @module
 */
import type { WifiSecurity } from "./wifi.ts";

/** One network (BSS) of a file. */
export interface ConfNetwork {
  readonly interface: string;
  /** Its own settings; where one is given twice, the last counts. */
  readonly settings: ReadonlyMap<string, string>;
}

/** A file that was read. */
export interface Conf {
  readonly lines: readonly string[];
  /** The first has the settings of the radio too. */
  readonly networks: readonly ConfNetwork[];
  /** The folder of the control sockets; undefined: hostapd has none. */
  readonly controlDir: string | undefined;
  readonly fiveGhz: boolean;
}

/** The settings that protection consists of. */
const SECURITY_KEYS = [
  "wpa",
  "wpa_key_mgmt",
  "wpa_pairwise",
  "rsn_pairwise",
  "wpa_passphrase",
  "wpa_psk",
  "wep_default_key",
  "wep_key0",
] as const;

/** Reads a file; undefined where it names no interface. */
export function parseConf(text: string): Conf | undefined {
  const lines = text.replace(/\n$/, "").split("\n");
  const networks: { interface: string; settings: Map<string, string> }[] = [];
  let settings = new Map<string, string>();
  networks.push({ interface: "", settings });
  for (const line of lines) {
    const [, key, value] = /^([a-z0-9_]+)=(.*)$/i.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    if (key === "bss") {
      settings = new Map();
      networks.push({ interface: value, settings });
    } else {
      if (key === "interface") networks[0]!.interface = value;
      settings.set(key, value);
    }
  }
  if (networks[0]!.interface === "") return undefined;
  const radio = networks[0]!.settings, control = radio.get("ctrl_interface");
  return {
    lines,
    networks,
    controlDir: control && (/^DIR=(\S+)/.exec(control)?.[1] ?? control),
    fiveGhz: radio.get("hw_mode") === "a",
  };
}

/** The text of a file with settings of one of its networks changed; undefined takes a setting out. */
export function changedConf(
  conf: Conf,
  network: number,
  changes: ReadonlyMap<string, string | undefined>,
): string {
  const lines: string[] = [], left = new Map(changes);
  let at = 0;
  const close = () => {
    if (at !== network) return;
    for (const [key, value] of left) if (value !== undefined) lines.push(`${key}=${value}`);
  };
  for (const line of conf.lines) {
    const key = /^([a-z0-9_]+)=/i.exec(line)?.[1];
    if (key === "bss") {
      close();
      at++;
    } else if (at === network && key !== undefined && changes.has(key)) {
      const value = left.get(key);
      // Given twice, it is written once.
      left.delete(key);
      if (value !== undefined) lines.push(`${key}=${value}`);
      continue;
    }
    lines.push(line);
  }
  close();
  return lines.map((line) => `${line}\n`).join("");
}

/** How a network is protected: undefined where it is none of those that apps know. */
export function securityOf(settings: ReadonlyMap<string, string>): WifiSecurity | undefined {
  const wpa = Number(settings.get("wpa") ?? 0);
  if (wpa === 0) return settings.has("wep_key0") ? "wep" : "open";
  const management = (settings.get("wpa_key_mgmt") ?? "WPA-PSK").split(/\s+/);
  if (!management.includes("WPA-PSK")) return undefined;
  return ([undefined, "wpa", "wpa2", "mixed"] as const)[wpa];
}

/** The password of a network; empty where there is none. */
export function passwordOf(settings: ReadonlyMap<string, string>): string {
  const wep = settings.get("wep_key0") ?? "";
  return settings.get("wpa_passphrase") ?? settings.get("wpa_psk") ?? wep.replace(/^"(.*)"$/, "$1");
}

/** The settings for a protection with a password that was checked; undefined for those that are not to be there. */
export function securitySettings(security: WifiSecurity, password: string): Map<string, string | undefined> {
  const settings = new Map<string, string | undefined>(SECURITY_KEYS.map((key) => [key, undefined]));
  settings.set("wpa", String({ open: 0, wep: 0, wpa: 1, wpa2: 2, mixed: 3 }[security]));
  if (security === "open") return settings;
  if (security === "wep") {
    settings.set("wep_default_key", "0");
    return settings.set("wep_key0", /^(?:.{10}|.{26})$/.test(password) ? password : `"${password}"`);
  }
  settings.set("wpa_key_mgmt", "WPA-PSK");
  if (security !== "wpa2") settings.set("wpa_pairwise", "TKIP");
  if (security !== "wpa") settings.set("rsn_pairwise", "CCMP");
  return settings.set(password.length === 64 ? "wpa_psk" : "wpa_passphrase", password);
}
