import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MINUTE, momentOf, wallTime, type Zone } from "./local_time.ts";
import { EVERY_DAY, nextSwitch, standingOf, type Timetable, windowTable } from "./timetable.ts";

/** A zone by its name in the time zone database. */
function zoneOf(name: string): Zone {
  const format = new Intl.DateTimeFormat("en", { timeZone: name, timeZoneName: "longOffset" });
  return (moment) => {
    const text = format.formatToParts(moment).find(({ type }) => type === "timeZoneName")!.value;
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text)!;
    return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  };
}

const UTC: Zone = () => 0;
const BERLIN = zoneOf("Europe/Berlin");
const ZONES = [UTC, BERLIN, ...["Asia/Shanghai", "America/St_Johns", "Australia/Lord_Howe"].map(zoneOf)];
const at = (text: string) => Date.parse(text);
/** What the clock in Berlin shows. */
const shown = (moment: number) => new Date(wallTime(BERLIN, moment)).toISOString().slice(0, 16);
const hm = (hours: number, minutes = 0) => 60 * hours + minutes;

Deno.test("a window of the day is on from its start to its end, also over midnight and over the week's end", () => {
  const day = windowTable(hm(8), hm(22, 30), EVERY_DAY, true);
  assertEquals(standingOf(day, UTC, at("2026-03-02T07:59:59.999Z")), {
    on: false,
    since: at("2026-03-01T22:30Z"),
  });
  assertEquals(standingOf(day, UTC, at("2026-03-02T08:00Z")), { on: true, since: at("2026-03-02T08:00Z") });
  assertEquals(nextSwitch(day, UTC, at("2026-03-02T08:00Z")), at("2026-03-02T22:30Z"));
  // Sundays only, to Monday morning. The first of March 2026 is a Sunday.
  const night = windowTable(hm(22), hm(6), 64, true);
  assertEquals(standingOf(night, UTC, at("2026-03-02T05:59Z"))?.on, true);
  assertEquals(standingOf(night, UTC, at("2026-03-02T06:00Z"))?.on, false);
  assertEquals(standingOf(night, UTC, at("2026-03-08T21:59Z")), {
    on: false,
    since: at("2026-03-02T06:00Z"),
  });
  assertEquals(nextSwitch(night, UTC, at("2026-03-02T06:00Z")), at("2026-03-08T22:00Z"));
});

Deno.test("a window from midnight to midnight is always on, and a timetable without enabled lines says nothing", () => {
  const always = windowTable(0, 0, EVERY_DAY, true);
  assertEquals(standingOf(always, UTC, at("2026-03-02T00:00Z")), {
    on: true,
    since: at("2026-03-02T00:00Z"),
  });
  assertEquals(
    standingOf(windowTable(hm(8), hm(9), EVERY_DAY, false), UTC, at("2026-03-02T08:30Z")),
    undefined,
  );
  assertEquals(nextSwitch([], UTC, 0), undefined);
});

Deno.test("what is skipped in spring happens at the skip, in its order", () => {
  // In Berlin on 29 March 2026 the clock goes from 01:59 to 03:00, at 01:00 UTC.
  const skip = at("2026-03-29T01:00Z");
  const table: Timetable = [
    { days: EVERY_DAY, minute: hm(2, 10), on: false, enabled: true },
    { days: EVERY_DAY, minute: hm(2, 50), on: true, enabled: true },
  ];
  assertEquals(nextSwitch(table, BERLIN, at("2026-03-28T12:00Z")), skip);
  assertEquals(standingOf(table, BERLIN, skip - 1), { on: true, since: at("2026-03-28T01:50Z") });
  assertEquals(standingOf(table, BERLIN, skip), { on: true, since: skip });
  assertEquals(shown(nextSwitch(table, BERLIN, skip)!), "2026-03-30T02:10");
});

Deno.test("what comes twice in autumn happens the first time", () => {
  // In Berlin on 25 October 2026 the clock goes from 02:59 back to 02:00, at 01:00 UTC.
  const table = windowTable(hm(1), hm(2, 30), EVERY_DAY, true);
  const first = at("2026-10-25T00:30Z");
  assertEquals(shown(first), "2026-10-25T02:30");
  assertEquals(nextSwitch(table, BERLIN, at("2026-10-24T23:30Z")), first);
  for (const minutes of [0, 29, 31, 45, 60, 75, 120]) {
    assertEquals(standingOf(table, BERLIN, first + minutes * MINUTE), { on: false, since: first });
  }
});

Deno.test("what is later on the wall is never earlier in truth, in every zone and year", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.integer({ min: at("2025-01-01T00:00Z"), max: at("2035-01-01T00:00Z") }),
      fc.integer({ min: 0, max: 3 * 60 * MINUTE }),
      (zone, wall, more) => {
        const moment = momentOf(zone, wall);
        assert(wallTime(zone, moment) >= wall && wallTime(zone, moment - 1) < wall, "the first moment");
        assert(momentOf(zone, wall + more) >= moment, "in order");
      },
    ),
    { numRuns: 300 },
  );
});

const line = fc.record({
  days: fc.integer({ min: 1, max: EVERY_DAY }),
  minute: fc.integer({ min: 0, max: 1439 }),
  on: fc.boolean(),
  enabled: fc.boolean(),
});

Deno.test("over weeks, in every zone, what stands is what the last switching made of it", () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 6 }),
      fc.constantFrom(...ZONES),
      fc.constantFrom(at("2026-03-10T00:00Z"), at("2026-10-12T00:00Z")),
      (table, zone, start) => {
        let now = start, standing = standingOf(table, zone, now);
        for (let steps = 0; steps < 60; steps++) {
          const next = nextSwitch(table, zone, now);
          if (next === undefined) return assertEquals(standing, undefined);
          assert(next > now && next - now <= 8 * 24 * 60 * MINUTE);
          assertEquals(standingOf(table, zone, next - 1), standing, "until then nothing changes");
          standing = standingOf(table, zone, next);
          assertEquals(standing!.since, next);
          // Some enabled line of this very minute, or of one that was skipped, says so.
          const wall = wallTime(zone, next);
          assert(
            table.some(({ minute, on, enabled }) =>
              enabled && on === standing!.on &&
              (wall % (24 * 60 * MINUTE) === minute * MINUTE || zone(next) !== zone(next - 1))
            ),
          );
          now = next;
        }
      },
    ),
    { numRuns: 60 },
  );
});
