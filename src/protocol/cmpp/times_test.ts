import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CmppError, dayOf, formatSmppTime, parseSmppTime, reportTime, routeTime } from "./mod.ts";

const NOW = Date.UTC(2026, 10, 22, 3, 50, 11);

Deno.test("absolute times count from Greenwich by their quarters of an hour, relative ones from now", () => {
  assertEquals(parseSmppTime("261122115011032+", NOW), NOW);
  assertEquals(parseSmppTime("261121215011024-", NOW), NOW);
  assertEquals(parseSmppTime("000000001500000R", NOW), NOW + 15 * 60_000);
  assertEquals(parseSmppTime("000102030405000R", NOW), Date.UTC(2026, 11, 24, 6, 54, 16));
  assertEquals(parseSmppTime("", NOW), undefined);
});

Deno.test("a time that is none is refused", () => {
  for (
    const wrong of [
      "2",
      "261332115011032+",
      "260230000000032+",
      "261122255011032+",
      "261122115011049+",
      "x"
        .repeat(16),
    ]
  ) {
    assertThrows(() => parseSmppTime(wrong, NOW), CmppError, "time");
  }
});

Deno.test("times read back as they were written, in every zone", () => {
  fc.assert(fc.property(
    fc.integer({ min: Date.UTC(2001, 0, 1), max: Date.UTC(2098, 0, 1) }),
    fc.integer({ min: -48, max: 48 }),
    (moment, quarters) => {
      const tenth = moment - moment % 100;
      assertEquals(parseSmppTime(formatSmppTime(tenth, quarters * 15), 0), tenth);
    },
  ));
});

Deno.test("days, reports and routes show the local time", () => {
  const late = Date.UTC(2026, 11, 31, 16, 0, 1);
  assertEquals([dayOf(late, 480), reportTime(late, 480), routeTime(late, 480)], [
    "20270101",
    "2701010000",
    "20270101000001",
  ]);
});
