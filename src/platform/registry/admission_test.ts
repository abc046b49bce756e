import { assert, assertEquals } from "@std/assert";
import { FakeClock, seededRandom } from "../../base/mod.ts";
import { Admission } from "./admission.ts";

Deno.test("so many a second come in, whoever comes beyond that is told when to come again", () => {
  const clock = new FakeClock(), admission = new Admission(clock, seededRandom(1), { perSecond: 100 });
  const answers = Array.from({ length: 1000 }, () => admission.ask());
  assertEquals(answers.filter((seconds) => seconds === 0).length, 100);
  assertEquals(admission.putOff, 900);
  // Eighty places a second, from the fifth second on.
  const later = answers.filter((seconds) => seconds > 0);
  assertEquals([Math.min(...later), Math.max(...later)], [5, 17]);
  const bySecond = new Map<number, number>();
  for (const seconds of later) bySecond.set(seconds, (bySecond.get(seconds) ?? 0) + 1);
  assert([...bySecond.values()].every((count) => count <= 81), String([...bySecond]));
  assert(admission.queueSeconds > 16 && admission.queueSeconds < 17);
});

Deno.test("a flood that comes again as it was told is in after the time that the rate takes, and none is put off twice", async () => {
  const clock = new FakeClock(), admission = new Admission(clock, seededRandom(1), { perSecond: 100 });
  const waiting: number[] = [];
  let inside = 0;
  for (let i = 0; i < 5000; i++) {
    const seconds = admission.ask();
    if (seconds === 0) inside++;
    else waiting.push(clock.monotonic() + seconds * 1000);
  }
  for (const moment of waiting.sort((a, b) => a - b)) {
    // They come by the second: most find the clock there already.
    if (moment > clock.monotonic()) await clock.advance(moment - clock.monotonic());
    assertEquals(admission.ask(), 0);
    inside++;
  }
  assertEquals(inside, 5000);
  assert(clock.monotonic() < 70_000 && admission.queueSeconds === 0);
});

Deno.test("more than fit into the longest time are spread over it by chance", () => {
  const admission = new Admission(new FakeClock(), seededRandom(1), { perSecond: 10, longestSeconds: 20 });
  const answers = Array.from({ length: 3000 }, () => admission.ask()).filter((seconds) => seconds > 0);
  assert(answers.every((seconds) => seconds >= 5 && seconds <= 20));
  const late = answers.slice(-2000), middle = late.filter((seconds) => seconds <= 12).length;
  assert(middle > 700 && middle < 1300, String(middle));
});

Deno.test("where there is no room nobody comes in, however few there are", () => {
  const clock = new FakeClock(), admission = new Admission(clock, seededRandom(1), { perSecond: 10 });
  assertEquals([admission.ask(true), admission.ask(true), admission.ask()], [5, 6, 0]);
});
