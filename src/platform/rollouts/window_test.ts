import { assertEquals } from "@std/assert";
import { isOpen, opensIn, type Window } from "./window.ts";

/** 2026-11-23 is a Monday. */
const at = (text: string) => Date.parse(`2026-11-${text}+08:00`);
const nights: Window = { days: [1, 2, 3, 4, 5], from: "23:00", to: "05:00", utcOffsetMinutes: 480 };
const noon: Window = { days: [3], from: "12:00", to: "13:00", utcOffsetMinutes: 480 };

Deno.test("a window is open on its days between its times, past midnight too", () => {
  const open: Record<string, boolean> = {
    "23T22:59:59": false,
    "23T23:00:00": true,
    "24T04:59:59": true,
    "24T05:00:00": false,
    // Friday night goes on into Saturday, Saturday night is closed.
    "28T01:00:00": true,
    "28T23:30:00": false,
    "30T01:00:00": false,
  };
  for (const [time, expected] of Object.entries(open)) assertEquals(isOpen(nights, at(time)), expected, time);
});

Deno.test("it is known when a window opens next", () => {
  assertEquals(opensIn(noon, at("23T12:00:00")), 2 * 86_400_000);
  assertEquals(opensIn(noon, at("25T11:59:30")), 30_000);
  assertEquals(opensIn(noon, at("25T12:30:00")), 0);
  assertEquals(opensIn(noon, at("25T13:00:00")), 7 * 86_400_000 - 3_600_000);
  assertEquals(opensIn({ ...noon, days: [] }, at("25T13:00:00")), undefined);
  assertEquals(opensIn(nights, at("28T10:00:00")), (2 * 24 + 13) * 3_600_000);
});

Deno.test("whenever it is said to open it does open, and not before", () => {
  for (let hour = 0; hour < 24 * 9; hour += 1) {
    for (const window of [nights, noon]) {
      const now = at("23T00:00:00") + hour * 3_600_000 + 17_000, wait = opensIn(window, now)!;
      assertEquals(isOpen(window, now + wait), true);
      if (wait > 0) assertEquals(isOpen(window, now + wait - 1), false);
    }
  }
});
