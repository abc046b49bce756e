/**
 * Local times as reports and counters show them, made once a minute and not once a message.
 *
 * @module
 */
import { dayOf, reportTime } from "../../protocol/cmpp/mod.ts";

const MINUTE_MS = 60_000;
/** Minutes remembered: those of now, and of what was submitted a while ago. */
const REMEMBERED = 64;

/** Formats times of one zone. Zones are whole minutes from Greenwich, so a minute here is a minute there. */
export class LocalTimes {
  readonly #known = new Map<number, { readonly report: string; readonly day: string }>();

  constructor(private readonly utcOffsetMinutes: number) {}

  /** YYMMDDhhmm. */
  report(at: number): string {
    return this.#minute(at).report;
  }

  /** YYYYMMDD. */
  day(at: number): string {
    return this.#minute(at).day;
  }

  #minute(at: number): { readonly report: string; readonly day: string } {
    const minute = Math.floor(at / MINUTE_MS);
    let known = this.#known.get(minute);
    if (!known) {
      known = { report: reportTime(at, this.utcOffsetMinutes), day: dayOf(at, this.utcOffsetMinutes) };
      if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(minute, known);
    }
    return known;
  }
}
