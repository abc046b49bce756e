/**
 * The times of day at which a rollout may begin anything.
 *
 * @module
 */

/** Days of the week and a time of day, at an offset from UTC. `to` before `from` goes past midnight. */
export interface Window {
  /** 1 (Monday) to 7 (Sunday): the days on which it opens. */
  readonly days: readonly number[];
  /** `HH:MM`. */
  readonly from: string;
  readonly to: string;
  /** Minutes ahead of UTC; China is 480 the whole year. */
  readonly utcOffsetMinutes: number;
}

const DAY_MINUTES = 1440;

/** Whether the window is open at `time` (milliseconds since 1970). */
export function isOpen(window: Window, time: number): boolean {
  const { day, minute } = localTime(window, time);
  const from = minutesOf(window.from), to = minutesOf(window.to);
  const yesterday = day === 1 ? 7 : day - 1;
  if (from === to) return window.days.includes(day);
  if (from < to) return window.days.includes(day) && minute >= from && minute < to;
  return (window.days.includes(day) && minute >= from) || (window.days.includes(yesterday) && minute < to);
}

/** Milliseconds until it opens; 0 where it is open, undefined where it never does. */
export function opensIn(window: Window, time: number): number | undefined {
  if (isOpen(window, time)) return 0;
  if (window.days.length === 0) return undefined;
  const { minute } = localTime(window, time);
  const intoMinute = time % 60_000;
  // The opening is on one of the next eight days, at `from`.
  const ahead = (minutesOf(window.from) - minute + DAY_MINUTES) % DAY_MINUTES;
  for (let day = 0; day <= 7; day++) {
    const wait = (ahead + day * DAY_MINUTES) * 60_000 - intoMinute;
    if (wait > 0 && isOpen(window, time + wait)) return wait;
  }
  return undefined;
}

function localTime({ utcOffsetMinutes }: Window, time: number): { day: number; minute: number } {
  const minutes = Math.floor(time / 60_000) + utcOffsetMinutes;
  // 1970-01-01 was a Thursday.
  const day = (Math.floor(minutes / DAY_MINUTES) + 3) % 7 + 1;
  return { day, minute: ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES };
}

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
