/**
 * What the clock on the wall shows, and at which moment it shows what: with daylight saving, where an hour is skipped
 * in spring and comes twice in autumn.
 *
 * @module
 */

/** How far the wall clock is ahead of UTC at a moment (milliseconds since 1970), in minutes. */
export type Zone = (moment: number) => number;

/** The machine's own zone. */
export const machineZone: Zone = (moment) => -new Date(moment).getTimezoneOffset() + 0;

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** What the wall clock shows, as the moment at which it would show that in UTC. */
export function wallTime(zone: Zone, moment: number): number {
  return moment + zone(moment) * MINUTE;
}

/**
 * The moment at which the wall clock first shows `wall` or later: where that comes twice, the first time; where it is
 * skipped, the moment of the skip. So what is later on the wall is never earlier in truth. Takes it that the clock is
 * changed once in two days at most.
 */
export function momentOf(zone: Zone, wall: number): number {
  const before = zone(wall - DAY), after = zone(wall + DAY);
  const first = wall - before * MINUTE;
  if (before === after || zone(first) === before) return first;
  const second = wall - after * MINUTE;
  if (zone(second) === after) return second;
  let low = wall - DAY, high = wall + DAY;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
