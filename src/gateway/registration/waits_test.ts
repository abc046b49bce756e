import { assertEquals } from "@std/assert";
import { DEFAULT_TIMING } from "./timing.ts";
import { longWithoutNames, spreadWait, startWait, waitBetweenRounds } from "./waits.ts";

const INTERVAL = 60_000;

Deno.test("the wait after a failed round is one interval, ten after every fifth, random after the first", () => {
  const table: readonly [failed: number, unanswered: boolean, random: number, ms: number][] = [
    [1, false, 0, 60_000],
    [1, false, 0.5, 90_000],
    [1, true, 0.5, 80_000],
    [2, false, 0.9, 60_000],
    [2, true, 0.9, 50_000],
    [5, true, 0.9, 590_000],
    [6, true, 0.9, 50_000],
    [10, false, 0.9, 600_000],
    [15, false, 0.9, 600_000],
  ];
  for (const [failed, unanswered, random, ms] of table) {
    assertEquals(
      waitBetweenRounds(DEFAULT_TIMING, INTERVAL, { failed, unanswered, random }),
      ms,
      JSON.stringify([failed, unanswered, random]),
    );
  }
  const short = waitBetweenRounds(DEFAULT_TIMING, 5_000, { failed: 2, unanswered: true, random: 0 });
  assertEquals(short, 0, "an answer was waited for longer than the interval");
});

Deno.test("random waits cover their range, and a gateway that was never registered starts at once", () => {
  assertEquals([spreadWait(INTERVAL, 0), spreadWait(INTERVAL, 0.25)], [0, 15_000]);
  const timing = { ...DEFAULT_TIMING, startSpreadMs: 40_000 };
  assertEquals([startWait(timing, true, 0.5), startWait(timing, false, 0.5)], [20_000, 0]);
  assertEquals(startWait(DEFAULT_TIMING, true, 0.5), 0, "none unless it is asked for");
  assertEquals([5, 6].map((failures) => longWithoutNames(DEFAULT_TIMING, INTERVAL, failures)), [false, true]);
});
