import { assertEquals } from "@std/assert";
import { dayOf, reportTime } from "../../protocol/cmpp/mod.ts";
import { LocalTimes } from "./local_times.ts";

Deno.test("remembered times are those that are computed, over every change of minute, hour, day and year", () => {
  for (const offset of [480, 345, 0, -210]) {
    const times = new LocalTimes(offset);
    for (const start of [Date.UTC(2026, 11, 31, 15, 58), Date.UTC(2027, 1, 28, 23, 0), 0]) {
      // Twice over, forth and back: remembered ones must not be others'.
      for (let step = 0; step < 400; step++) {
        const at = start + (step < 200 ? step : 400 - step) * 29_777;
        assertEquals([times.report(at), times.day(at)], [reportTime(at, offset), dayOf(at, offset)]);
      }
    }
  }
});
