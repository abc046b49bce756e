/**
 * What a simulated fleet counts, and how the counts of several processes become one.
 *
 * @module
 */
import { Histogram, type HistogramData } from "./histogram.ts";

/** What is counted. Each is a number of times. */
export const COUNTS = [
  "registered",
  "deferred",
  "refused",
  "roundsFailed",
  "resent",
  "unanswered",
  "heartbeats",
  "acks",
  "lost",
  "strangers",
  "rebinds",
  "triggers",
  "forged",
  "channels",
  "channelsLost",
  "posts",
  "installs",
  "installsFailed",
  "downloads",
  "badDownloads",
  "httpCalls",
  "httpFailed",
  "httpRefused",
] as const;
/** What is timed, in milliseconds. */
export const TIMES = [
  "boot",
  "register",
  "comeUp",
  "heartbeat",
  "channelOpen",
  "command",
  "appPost",
] as const;

export type CountName = typeof COUNTS[number];
export type TimeName = typeof TIMES[number];

/** A tally as JSON carries it. */
export interface TallyData {
  readonly counts: Readonly<Record<CountName, number>>;
  readonly times: Readonly<Record<TimeName, HistogramData>>;
}

/** Counts and times of one process. */
export class Tally {
  readonly counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<CountName, number>;
  readonly times = Object.fromEntries(TIMES.map((name) => [name, new Histogram()])) as Record<
    TimeName,
    Histogram
  >;

  /** Takes in what another process counted. */
  merge(data: TallyData): void {
    for (const name of COUNTS) this.counts[name] += data.counts[name];
    for (const name of TIMES) this.times[name].merge(data.times[name]);
  }

  toJSON(): TallyData {
    const times = TIMES.map((name) => [name, this.times[name].toJSON()]);
    return { counts: { ...this.counts }, times: Object.fromEntries(times) };
  }
}
