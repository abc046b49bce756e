/**
 * Times in the forms of the protocol: SMPP's for ValId_Time and At_Time, and those of reports, queries and routes.
 *
 * @module
 */
import { CmppError } from "./errors.ts";

/**
 * The moment that `text` (YYMMDDhhmmsstnnp, reference §4) means, in milliseconds since 1970; undefined for none.
 * `p` is "+" or "-" with `nn` quarters of an hour from Greenwich, or "R": from `now` on.
 *
 * @throws {CmppError} `value`
 */
export function parseSmppTime(text: string, now: number): number | undefined {
  if (text === "") return undefined;
  const match = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])$/.exec(text);
  if (!match) throw new CmppError("value", `time "${text.slice(0, 17)}" is not YYMMDDhhmmsstnnp`);
  const [year, month, day, hour, minute, second, tenths, quarters] = match.slice(1, 9).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (match[9] === "R") {
    const from = new Date(now);
    from.setUTCFullYear(from.getUTCFullYear() + year, from.getUTCMonth() + month, from.getUTCDate() + day);
    return from.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
  }
  const moment = Date.UTC(2000 + year, month - 1, day, hour, minute, second, tenths * 100);
  const read = new Date(moment);
  const real = read.getUTCMonth() === month - 1 && read.getUTCDate() === day && hour < 24 && minute < 60 &&
    second < 60 && quarters <= 48;
  if (!real) throw new CmppError("value", `time "${text}" is none of the calendar`);
  return moment - (match[9] === "+" ? 1 : -1) * quarters * 15 * 60_000;
}

/** A moment as YYMMDDhhmmsstnnp, in the zone `utcOffsetMinutes` east of Greenwich. */
export function formatSmppTime(moment: number, utcOffsetMinutes: number): string {
  const quarters = String(Math.abs(Math.round(utcOffsetMinutes / 15))).padStart(2, "0");
  const tenths = Math.floor(new Date(moment).getUTCMilliseconds() / 100);
  return `${digits(moment, utcOffsetMinutes).slice(2)}${tenths}${quarters}${
    utcOffsetMinutes < 0 ? "-" : "+"
  }`;
}

/** YYMMDDhhmm: Submit_time and Done_time of a report. */
export function reportTime(moment: number, utcOffsetMinutes: number): string {
  return digits(moment, utcOffsetMinutes).slice(2, 12);
}

/** YYYYMMDD: the day of a QUERY. */
export function dayOf(moment: number, utcOffsetMinutes: number): string {
  return digits(moment, utcOffsetMinutes).slice(0, 8);
}

/** yyyymmddhhmmss: Time_stamp of a route. */
export function routeTime(moment: number, utcOffsetMinutes: number): string {
  return digits(moment, utcOffsetMinutes);
}

function digits(moment: number, utcOffsetMinutes: number): string {
  return new Date(moment + utcOffsetMinutes * 60_000).toISOString().replace(/\D/g, "").slice(0, 14);
}
