/**
 * What `ethtool -m` says of an optical module's diagnostics (SFF-8472).
 *
 * @module
 */
import type { PonOptics } from "./pon.ts";

/** The measurements; undefined where the module has none. */
export function parseModule(text: string): PonOptics | undefined {
  const value = (label: string, unit: string) => {
    const line = new RegExp(`^\\s*${label}\\s*:.*?(-?\\d+(?:\\.\\d+)?) ${unit}\\b`, "m").exec(text);
    return line ? Number(line[1]) : undefined;
  };
  const optics: PonOptics = {
    temperature: value("Module temperature", "degrees C"),
    voltage: value("Module voltage", "V"),
    current: value("Laser bias current", "mA"),
    txPower: value("Laser output power", "dBm"),
    rxPower: value("Receiver signal average optical power", "dBm") ??
      value("Rcvr signal avg optical power", "dBm"),
  };
  return Object.values(optics).some((one) => one !== undefined) ? optics : undefined;
}
