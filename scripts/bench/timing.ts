/**
 * Running something many times, and how long each time took.
 *
 * @module
 */

/** Runs `count` requests, `inFlight` at a time: milliseconds of each, and how many there were a second. */
export async function load(run: () => Promise<void>, inFlight: number, count: number) {
  const times: number[] = [], begun = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (left-- > 0) times.push(await timeOf(run));
  }));
  return { times, rate: count / (performance.now() - begun) * 1000 };
}

/** Milliseconds that one run takes. */
export async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/**
 * Runs all of `works` in turns, one at a time, `rounds` times each, so that what else the machine does meets all of
 * them alike. Each tells the milliseconds that it took.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  works: Readonly<Record<Name, (round: number) => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(works) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push(await works[name](round));
  }
  return times;
}
