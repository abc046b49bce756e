/**
 * Transmitting power as `iw` tells and sets it, and the percent that apps speak of.
 *
 * @module
 */
import { POWER_LEVELS } from "./wifi.ts";

/** What `iw dev X info` says of an interface on the air. */
export interface IwInfo {
  readonly wiphy: number | undefined;
  readonly mhz: number | undefined;
  readonly dbm: number | undefined;
  readonly channel: number | undefined;
}

/** Reads `iw dev X info`. */
export function parseIwInfo(text: string): IwInfo {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    wiphy: number(/^\s*wiphy (\d+)$/m),
    mhz: number(/^\s*channel \d+ \((\d+) MHz\)/m),
    channel: number(/^\s*channel (\d+) /m),
    dbm: number(/^\s*txpower (-?[\d.]+) dBm$/m),
  };
}

/** The most that a radio may send with at a frequency, in dBm, in what `iw phy X info` says. */
export function parseMostDbm(text: string, mhz: number): number | undefined {
  const line = new RegExp(`^\\s*\\* ${mhz}(?:\\.0)? MHz \\[\\d+\\] \\((-?[\\d.]+) dBm\\)`, "m").exec(text);
  return line ? Number(line[1]) : undefined;
}

/** The nearest level for a power. */
export function levelOf(dbm: number, mostDbm: number): number {
  const percent = 100 * 10 ** ((dbm - mostDbm) / 10);
  return POWER_LEVELS.reduce((best, level) =>
    Math.abs(level - percent) < Math.abs(best - percent) ? level : best
  );
}

/** The power of a level in hundredths of a dBm, as `iw` takes it. */
export function mbmOf(level: number, mostDbm: number): number {
  return Math.round(100 * (mostDbm + 10 * Math.log10(level / 100)));
}
