/**
 * Transmitting power as `iw` tells and sets it, and the percent that apps speak of.
 *
 * @module
 */
import { DriverError, unsupported } from "../errors.ts";
import type { Runner } from "../linux/mod.ts";
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

/** The level that an interface sends with; undefined where the machine does not tell. */
export async function powerPercent(runner: Runner, name: string): Promise<number | undefined> {
  try {
    const info = parseIwInfo(await runner.output("iw", ["dev", name, "info"]));
    const most = await mostOf(runner, info);
    return info.dbm === undefined || most === undefined ? undefined : levelOf(info.dbm, most);
  } catch (error) {
    if (error instanceof DriverError && error.code !== "busy") return undefined;
    throw error;
  }
}

/** The most that an interface may send with now, in dBm. @throws {DriverError} `unsupported` where nobody tells */
export async function mostDbm(runner: Runner, name: string): Promise<number> {
  const most = await mostOf(runner, parseIwInfo(await runner.output("iw", ["dev", name, "info"])));
  if (most === undefined) throw unsupported(`${name} does not tell the power that it may send with`);
  return most;
}

async function mostOf(runner: Runner, { wiphy, mhz }: IwInfo): Promise<number | undefined> {
  if (wiphy === undefined || mhz === undefined) return undefined;
  return parseMostDbm(await runner.output("iw", ["phy", `phy${wiphy}`, "info"]), mhz);
}
